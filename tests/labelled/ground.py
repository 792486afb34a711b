"""Where cases stand: a made-up app and, for each case, a copy of the shop's database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dj_database_url
from django.core.management import call_command
from django.db import connections
from django.test.utils import override_settings

from bot.database.planner import make_plan
from bot.route.plan import Plan, Target
from tests import servers
from tests.database.migrating import MadeUpApp, forget_migrations, installed
from tests.labelled.case import Case, Move
from tests.labelled.shop import FILL, HEAD, INITIAL
from tests.lending import lent_database
from tests.replay import kept

ALIAS = "labelled"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
_FIRST = "0001_initial"
LARGE = """
UPDATE pg_class SET reltuples = 40000000, relpages = 500000
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE 'shop%'
"""
"""The catalogue then says what it says of large tables; planning reads nothing else of their size.
"""
ANALYZE = """
DO $$ DECLARE names text; BEGIN
SELECT string_agg(oid::regclass::text, ', ') FROM pg_class INTO names
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace;
EXECUTE 'ANALYZE ' || names;
END $$
"""
"""Of the database's own catalogue nobody here asks how large it is."""
PLAINLY = "-c jit=off -c max_parallel_workers_per_gather=0 -c synchronous_commit=off"
"""For tables that are called large, PostgreSQL compiles each query and calls others to help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A case on a database of its own, with ``before`` applied: ``start`` is the migration that it
    stands at, ``target`` the one that the plan goes to."""

    case: Case
    app: MadeUpApp
    start: str
    target: str

    def plan(self) -> Plan:
        """The plan by the code as it lies on disk now, never rehearsed."""
        forget_migrations()
        return make_plan(ALIAS, Target(app="shop", name=self.target), now=NOW)

    def run(self) -> None:
        """Carry the plan out. Raises what stops it."""
        migrate(self.target)

    def go_back(self) -> None:
        """Undo the plan. Raises what stops it."""
        migrate(self.start)

    def execute(self, sql: str) -> None:
        with connections[ALIAS].cursor() as cursor:
            cursor.execute(sql)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """``folder`` is for the files of databases, ``script`` makes the shop with its rows."""

    app: MadeUpApp
    folder: Path
    script: str

    @contextlib.contextmanager
    def standing(self, case: Case) -> Iterator[Standing]:
        """The case on a shop of its own, which is gone afterwards."""
        with self._copy(), self._cleared():
            yield self._prepared(case)

    def plans(self, cases: Sequence[Case]) -> Iterator[tuple[Case, Plan]]:
        """The plan of each case, never rehearsed. One database does for all those that need nothing
        applied before, since a plan changes nothing."""
        ready = [case for case in cases if not case.before]
        with self._copy():
            for case in ready:
                with self._cleared():
                    yield case, self._prepared(case).plan()
        for case in cases:
            if case.before:
                with self.standing(case) as standing:
                    yield case, standing.plan()

    @contextlib.contextmanager
    def _copy(self) -> Iterator[None]:
        with lent_database("postgresql", self.folder) as url:
            servers.execute(url, self.script)
            with registered(url):
                yield

    @contextlib.contextmanager
    def _cleared(self) -> Iterator[None]:
        self._clear()
        try:
            yield
        finally:
            self._clear()

    def _prepared(self, case: Case) -> Standing:
        sources = sources_of(case)
        names = [_FIRST, *sources]
        for place, (name, source) in enumerate(sources.items()):
            self.app.write({name: source})
            if place + 1 == len(case.before):
                migrate(name)
        start = names[len(case.before)]
        standing = Standing(
            case=case, app=self.app, start=start, target=_FIRST if case.back else names[-1]
        )
        standing.execute(LARGE)
        return standing

    def _clear(self) -> None:
        forget_migrations()
        for path in self.app.migrations.glob("0*.py"):
            if path.stem != _FIRST:
                path.unlink()


def sources_of(case: Case) -> dict[str, str]:
    """The case's migrations after the first by name: those before the plan, then the plan's."""
    sources, after = {}, _FIRST
    for number, move in enumerate((*case.before, *case.plan), 2):
        name = f"{number:04}_{case.name}"
        sources[name] = source_of(move, after)
        after = name
    return sources


def source_of(move: Move, after: str = "") -> str:
    """The module of a migration of the shop."""
    depends = [("shop", after)] if after else []
    return (
        f"{HEAD}\n{move.head}\nclass Migration(migrations.Migration):\n"
        f"    atomic = {move.atomic}\n    dependencies = {depends!r}\n"
        f"    operations = [{move.operations}]\n"
    )


FIRST_SOURCE = source_of(Move(operations=INITIAL))


@contextlib.contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """The made-up app in ``folder``, installed, and the shop with its rows in a database."""
    holder = SimpleNamespace()
    with (
        installed(folder, holder, "shop") as apps,
        override_settings(INSTALLED_APPS=holder.INSTALLED_APPS, MIGRATION_BOT=holder.MIGRATION_BOT),
        lent_database("postgresql", folder) as url,
    ):
        app = apps["shop"]
        app.write({_FIRST: FIRST_SOURCE})
        with registered(url), kept(ALIAS) as sent:
            migrate(_FIRST)
        yield Ground(app=app, folder=folder, script=";\n".join([*sent, FILL, ANALYZE]))


@contextlib.contextmanager
def registered(url: str, alias: str = ALIAS) -> Iterator[None]:
    """The database as a Django alias; its connection is closed afterwards."""
    settings: dict[str, Any] = dict(dj_database_url.parse(url))
    settings["OPTIONS"] = {"options": PLAINLY}
    connections.settings[alias] = settings
    connections.configure_settings(connections.settings)
    try:
        yield
    finally:
        connections[alias].close()
        del connections[alias]
        del connections.settings[alias]


def migrate(name: str) -> None:
    """Run ``migrate shop name`` as it is on disk now."""
    forget_migrations()
    call_command("migrate", "shop", name, database=ALIAS, verbosity=0, skip_checks=True)
