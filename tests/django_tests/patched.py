"""A run's machinery put around Django's ``migrate`` for good, so that Django's tests judge it.

The lock and the re-reading under it, the progress callback, the flush, the watched statements: all
that stands around ``migrate`` in a child, but for the parent that answers.
"""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from typing import Any

from django.core.management.commands import migrate
from django.core.management.sql import emit_pre_migrate_signal
from django.db.migrations.migration import Migration

from bot.database import flush, gate
from bot.database.history import Recorded
from bot.database.statements import Statements
from bot.route.plan import Direction

_forever = ExitStack()
"""Keeps the patches: a context manager that nobody holds is collected, and undone with that."""
heard: list[str] = []
"""Every step's key, as the callback told it."""


class Witness:
    """Stands where a run's conductor stands, and agrees with everything."""

    holder = "run 1"

    def under_lock(self, using: str, plan: Any) -> None:
        for migration, backwards in plan:
            assert Recorded.of_migration(migration, backwards).key


def applying(migration: Migration, direction: Direction, editor: Any) -> None:
    heard.append(f"{direction} {migration.app_label}.{migration.name}")


def install() -> None:
    """Patch Django for the length of this process."""
    _forever.enter_context(flush.wrapped_migrations(record_inside=True, before=applying))
    handle, announce = migrate.Command.handle, emit_pre_migrate_signal
    tell = migrate.Command.migration_progress_callback

    def handled(self: Any, *args: Any, **options: Any) -> Any:
        if getattr(gate._here, "carried", None) is not None:
            return handle(self, *args, **options)
        with Statements(options["database"]).watched(), gate.carrying(Witness()):
            return handle(self, *args, **options)

    def announced(verbosity: int, interactive: bool, db: str, **kwargs: Any) -> None:
        # Django's tests install other apps than the bot, whose signal the gate would hear.
        gate._before(using=db, plan=kwargs.get("plan", ()))
        announce(verbosity, interactive, db, **kwargs)

    def told(self: Any, action: str, migration: Any = None, fake: bool = False) -> None:
        if migration is not None:
            heard.append(f"{action} {migration.app_label}.{migration.name}")
        tell(self, action, migration, fake)

    commands: Any = migrate
    commands.Command.handle = handled
    commands.Command.migration_progress_callback = told
    commands.emit_pre_migrate_signal = announced
    atexit.register(_prove)


def _prove() -> None:
    """Say what went through the patches, so that a run without them cannot pass for one."""
    told = sum(line.startswith("apply_start") for line in heard)
    wrapped = sum(line.startswith(("forward", "backward")) for line in heard)
    print(f"PATCHED {told} {wrapped}")
