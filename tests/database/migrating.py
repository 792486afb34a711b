"""A made-up app with the migrations a test writes, and what Django really sends for them."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.core.management.commands.migrate import Command
from django.db import connections
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from bot.database.sql import DEFERRED
from bot.route.plan import Belief, Plan, Statement, Step


class MadeUpApp:
    """An app on disk. ``package`` is unlike any other test's, ``label`` is what the test says."""

    def __init__(self, folder: Path, label: str) -> None:
        self.label = label
        self.package = f"made_up_{label}_{secrets.token_hex(4)}"
        self.folder = folder / self.package
        self.migrations = self.folder / "migrations"
        self.migrations.mkdir(parents=True)
        (self.folder / "__init__.py").write_text("")
        (self.migrations / "__init__.py").write_text("")
        (self.folder / "apps.py").write_text(
            "from django.apps import AppConfig\n"
            "class MadeUp(AppConfig):\n"
            f"    name = {self.package!r}\n    label = {label!r}\n"
        )

    @property
    def config(self) -> str:
        return f"{self.package}.apps.MadeUp"

    def write(self, sources: dict[str, str]) -> None:
        """Write migrations; one that is there already is replaced and forgotten."""
        for name, source in sources.items():
            written = self.migrations / f"{name}.py"
            written.write_text(source)
            # Python takes what it compiled for the source as long as second and size are the same.
            Path(importlib.util.cache_from_source(str(written))).unlink(missing_ok=True)
            sys.modules.pop(f"{self.package}.migrations.{name}", None)
        importlib.invalidate_caches()

    def forget(self) -> None:
        for name in [n for n in sys.modules if n.split(".")[0] == self.package]:
            del sys.modules[name]


@contextlib.contextmanager
def installed(
    folder: Path, settings: Any, *labels: str, others: tuple[str, ...] = ()
) -> Iterator[dict[str, MadeUpApp]]:
    """Made-up apps, importable and in INSTALLED_APPS together with ``others``."""
    apps = {label: MadeUpApp(folder, label) for label in labels}
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    settings.MIGRATION_BOT = {"guard_plain_migrate": False, "record_plain_migrate": False}
    try:
        settings.INSTALLED_APPS = [*others, *(app.config for app in apps.values()), "bot"]
        yield apps
    finally:
        sys.path.remove(str(folder))
        for app in apps.values():
            app.forget()


def forget_migrations() -> None:
    """Have made-up migrations imported anew, as another process would.

    Django's rename_field writes into the fields that operations hold, so what runs second in one
    process would see what the first left.
    """
    for name in [n for n in sys.modules if n.startswith("made_up_") and ".migrations." in n]:
        del sys.modules[name]


def migrate(database: str, *target: str) -> dict[str, list[str]]:
    """Really migrate; what the schema editor sent, by ``app.name``."""
    forget_migrations()
    sent: dict[str, list[str]] = {}
    current = [""]

    def execute(editor: Any, sql: Any, params: Any = ()) -> None:
        connection = editor.connection
        traced: list[str] = []
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                connection.connection.set_trace_callback(traced.append)
            try:
                cursor.execute(str(sql), params)
            finally:
                if connection.vendor == "sqlite":
                    connection.connection.set_trace_callback(None)
            last = connection.ops.last_executed_query(cursor.cursor, str(sql), params)
        # What the driver says it sent. On PostgreSQL the values are in the text before that.
        text = {"sqlite": traced[:1], "mysql": [last]}.get(connection.vendor, [str(sql)])[0]
        if "django_migrations" not in text:
            sent.setdefault(current[0], []).append(text)

    def progress(self: Any, action: str, migration: Any = None, fake: bool = False) -> None:
        if action in ("apply_start", "unapply_start"):
            current[0] = f"{migration.app_label}.{migration.name}"
            sent.setdefault(current[0], [])

    with (
        mock.patch.object(BaseDatabaseSchemaEditor, "execute", execute),
        mock.patch.object(Command, "migration_progress_callback", progress),
    ):
        call_command("migrate", *target, database=database, verbosity=0, skip_checks=True)
    return sent


def as_sent(step: Step) -> list[Statement]:
    """The step's statements in the order in which they are sent."""
    shown = [s for s in step.statements if s.sql]
    return [s for s in shown if DEFERRED not in s.note] + [s for s in shown if DEFERRED in s.note]


def disagreements(plan: Plan, sent: dict[str, list[str]]) -> list[str]:
    """Where a plan is not what was sent: order, number, or a text that was called exact.

    A predicted name must be right too; only values of defaults may differ.
    """
    wrong = []
    for step in plan.steps:
        shown, real = as_sent(step), sent.get(step.key, [])
        if any(operation.kind == "RenameModel" for operation in step.operations):
            # Django walks over the models that refer to it in the order of a set of texts, which
            # differs from process to process.
            shown, real = sorted(shown, key=lambda s: s.sql), sorted(real)
        if len(shown) != len(real):
            wrong.append(f"{step.key}: {[s.sql for s in shown]} against {real}")
            continue
        for statement, text in zip(shown, real, strict=True):
            excused = statement.belief is Belief.PREDICTED and "default" in statement.note
            if statement.sql != text and not excused:
                wrong.append(f"{step.key} {statement.belief}: {statement.sql}\n  real: {text}")
    return wrong


def close(database: str) -> None:
    connections[database].close()
