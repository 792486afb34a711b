"""A shop with every kind of operation, looked at before *each* statement that Django sends for it.

Whatever the moment: that nothing of a step is there is told only while the schema is as it was,
that all of it is there only when the schema is as it will be. The rest is told as a part.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from bot.database.probe import compared, loaded
from bot.database.shapes import Shaper
from bot.database.showing import shown
from bot.database.statements import is_write
from bot.database.targets import open_database
from bot.route.telling import left, tell
from bot.route.traces import Expected, Left, Told
from tests.database.corpus import STEPS, chain
from tests.database.cutting import shape
from tests.database.migrating import forget_migrations, installed
from tests.database.planning import plan

pytestmark = pytest.mark.slow

SQL = "0028_sql"
"""Its SQL cannot be told, whatever else can."""
SAME = "0032_keys_again"
"""SQLite's tables are made anew as they were: done or not, there is nothing to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What was told, and how the schema was, before a statement; the last is before the record."""

    told: tuple[Told, ...]
    schema: object

    @property
    def left(self) -> Left:
        return left(self.told)


class Moments:
    """An execute wrapper that looks before each statement that writes, until the record."""

    def __init__(self, database: str, operations: tuple[Expected, ...]) -> None:
        self.database = database
        self.operations = operations
        self.seen: list[Moment] = []
        self.over = False

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if is_write(str(sql)) and not self.over:
            with closing(open_database(self.database)) as connection:
                told = tell(self.operations, shown(Shaper(connection), self.operations))
            certain = left(told) in (Left.NOTHING, Left.ALL)
            schema = shape(self.database) if certain or not self.seen else None
            self.seen.append(Moment(told=told, schema=schema))
            self.over = "django_migrations" in str(sql) and "CREATE" not in str(sql)
        return execute(sql, params, many, context)


def moments(database: str, name: str) -> list[Moment]:
    """Carry out the one step to ``name``; what was told on the way."""
    made = plan(database, "shop", name)
    with closing(open_database(database)) as connection:
        loader = loaded(connection, made.steps[0])
        operations = compared(connection, loader, made, made.steps[0])
    forget_migrations()
    looking = Moments(database, operations)
    with connections[database].execute_wrapper(looking):
        call_command("migrate", "shop", name, database=database, verbosity=0, skip_checks=True)
    connections[database].close()
    return looking.seen


def wrong(told: list[Moment], name: str, vendor: str) -> list[str]:
    """Where what was told is not so."""
    found = []
    first, last = told[0], told[-1]
    for place, moment in enumerate(told):
        if moment.left is Left.NOTHING and moment.schema != first.schema:
            if name == SAME and vendor == "sqlite":
                continue
            found.append(f"nothing is told of {name} at {place}, but something is there")
        if moment.left is Left.ALL and moment.schema != last.schema:
            found.append(f"all is told of {name} at {place}, but it is not")
    if name not in (SQL, SAME if vendor == "sqlite" else ""):
        if first.left is not Left.NOTHING:
            found.append(f"{name} had not begun: {[one.line for one in first.told]}")
        if last.left is not Left.ALL:
            found.append(f"{name} was done: {[one.line for one in last.told]}")
    return found


def test_at_no_statement_is_a_part_told_as_nothing_or_as_all(
    target: str, vendor: str, tmp_path: Path, settings: Any
) -> None:
    names = list(STEPS)
    mistakes, looks = [], 0
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write(chain(STEPS, extra="    atomic = False"))
        MigrationRecorder(connections[target]).ensure_schema()
        steps = [(name, name) for name in names]
        steps += list(zip(reversed(names[1:]), reversed(names[:-1]), strict=True))
        for name, to in steps:
            told = moments(target, to)
            looks += len(told)
            mistakes += wrong(told, name, vendor)
    assert looks > 400
    assert not mistakes, "\n".join(mistakes)
