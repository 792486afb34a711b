"""How big tables are, and what else the rules ask the catalogue: read-only, and a failure leaves
things unknown and never stops a plan."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import Error as DatabaseProblem

from bot.conf import get_settings
from bot.database.guard import WriteRefused
from bot.database.known_postgresql import known
from bot.database.readonly import Looking
from bot.route.risks.facts import Situation, Size, StepFacts
from bot.route.risks.known import Known
from bot.route.risks.reading import Verb

logger = logging.getLogger("migration_bot")

AT_MOST = 2000
"""Tables that are asked for; a plan that touches more gets no sizes for the others."""

_POSTGRESQL = """
SELECT c.relname, c.relkind = 'p', c.reltuples, pg_total_relation_size(c.oid)
FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'm') AND pg_table_is_visible(c.oid) AND c.relname IN
"""
"""Its parameters are names, in brackets: an array takes the driver longer than all the rest."""
_PARTITIONED = """
SELECT c.relname, (SELECT sum(pg_total_relation_size(p.relid)) FROM pg_partition_tree(c.oid) p),
(SELECT sum(q.reltuples) FROM pg_partition_tree(c.oid) p JOIN pg_class q ON q.oid = p.relid
WHERE p.isleaf HAVING min(q.reltuples) >= 0)
FROM pg_class c
WHERE c.relname = ANY(%s) AND c.relkind = 'p' AND pg_table_is_visible(c.oid)
"""
_CHECKS = """
SELECT c.relname, k.convalidated, pg_get_constraintdef(k.oid), a.attname
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(k.conkey)
WHERE k.contype = 'c' AND c.relname = ANY(%s) AND pg_table_is_visible(c.oid)
"""
_SQLITE_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN"
_NOT_NULL = re.compile(r'^CHECK \(+"?([^"()]+?)"? IS NOT NULL\)+( NOT VALID)?$')


def situation(looking: Looking, steps: Sequence[StepFacts]) -> Situation:
    """The database as the rules need it to judge these steps; what cannot be read is unknown.

    Its sizes are asked for when the first of them is wanted, so while ``looking`` still looks."""
    connection = looking.connection
    reader = _READERS.get(connection.vendor, _Reader)(looking)
    names = sorted({rule.name for step in steps for one in step.operations for rule in one.rules})
    checks = reader.checks(_asked_for(steps)) if _asks_for_checks(steps) else []
    return Situation(
        vendor=connection.vendor,
        version=reader.version(),
        is_mariadb=bool(getattr(connection, "mysql_is_mariadb", False))
        if connection.vendor == "mysql"
        else False,
        lock_timeout=reader.lock_timeout(),
        name_limit=connection.ops.max_name_length(),
        sizes=_Sizes(reader, steps),
        names=frozenset(reader.names(names)) if names else frozenset(),
        checked_not_null=frozenset((c.table, c.column) for c in checks if c.not_null and c.valid),
        refuses_null=frozenset((c.table, c.column) for c in checks if c.not_null),
        in_checks=frozenset((c.table, c.column) for c in checks),
        known=reader.known(steps),
    )


def _asked_for(steps: Iterable[StepFacts]) -> list[str]:
    return sorted(tables_of(steps))[:AT_MOST]


def tables_of(steps: Iterable[StepFacts]) -> set[str]:
    """The tables that these steps name, those that they make among them."""
    found: set[str] = set()
    for step in steps:
        for one in step.operations:
            found.update((one.table, one.table_after), one.parents)
            for action in one.actions:
                found.add(action.table)
                if action.to and action.verb in _TO_TABLE:
                    found.add(action.to)
                if action.verb is Verb.CREATE_TABLE:
                    found.add(action.name)
            for column in (one.before, one.after):
                if column is not None:
                    found.update((column.references, column.through))
    return {name for name in found if name and not name.startswith("new__")}


def _asks_for_checks(steps: Iterable[StepFacts]) -> bool:
    asked = (Verb.SET_NOT_NULL, Verb.ALTER_TYPE)
    return any(not one.verbs.isdisjoint(asked) for step in steps for one in step.operations)


_TO_TABLE = {
    Verb.ADD_COLUMN,
    Verb.ADD_FOREIGN_KEY,
    Verb.ATTACH,
    Verb.CREATE_TABLE,
    Verb.INSERT,
    Verb.RENAME_TABLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A column that a CHECK reads. ``not_null`` is whether it says no more than IS NOT NULL."""

    table: str
    column: str
    valid: bool
    not_null: bool


class _Reader:
    """Nothing is known of a database that is none of the three."""

    def __init__(self, looking: Looking) -> None:
        self.looking = looking
        self.connection = looking.connection

    def version(self) -> tuple[int, ...]:
        try:
            return tuple(self.connection.get_database_version())
        except (DatabaseProblem, WriteRefused, NotImplementedError):
            self.looking.rest()
            return ()

    def lock_timeout(self) -> float:
        """Seconds that a statement of a run waits for a lock: ours, else the server's."""
        return get_settings().lock_timeout or self._servers_lock_timeout()

    def _servers_lock_timeout(self) -> float:
        return 0.0

    def sizes(self, tables: list[str]) -> dict[str, Size]:
        return {}

    def names(self, wanted: list[str]) -> set[str]:
        return set()

    def checks(self, tables: list[str]) -> list[Check]:
        return []

    def known(self, steps: Sequence[StepFacts]) -> Known:
        return Known()

    def rows(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The answer, or nothing when the database does not give one."""
        try:
            return self.looking.questions.ask(sql, params).rows()
        except (DatabaseProblem, WriteRefused) as error:
            logger.info("The catalogue did not answer: %s", error)
            return []


class _PostgreSQL(_Reader):
    def _servers_lock_timeout(self) -> float:
        rows = self.rows("SELECT setting FROM pg_settings WHERE name = %s", ["lock_timeout"])
        return float(rows[0][0]) / 1000 if rows else 0.0

    def sizes(self, tables: list[str]) -> dict[str, Size]:
        found: dict[str, Size] = {}
        partitioned = []
        marks = ", ".join(["%s"] * len(tables))
        for name, in_parts, rows, taken in self.rows(f"{_POSTGRESQL} ({marks})", tables):
            known = not in_parts and rows >= 0
            found[name] = Size(
                rows=int(rows) if known else None,
                bytes=None if taken is None else int(taken),
                analysed=known,
            )
            partitioned += [name] if in_parts else []
        if partitioned:
            for name, taken, rows in self.rows(_PARTITIONED, [partitioned]):
                found[name] = Size(
                    rows=None if rows is None else int(rows),
                    bytes=None if taken is None else int(taken),
                    analysed=rows is not None,
                )
        return found

    def names(self, wanted: list[str]) -> set[str]:
        cut = [name.encode()[:63].decode(errors="ignore") for name in wanted]
        sql = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relkind IN ('i', 'I', 'r')"
        return {name for (name,) in self.rows(f"{sql} AND pg_table_is_visible(oid)", [cut])}

    def checks(self, tables: list[str]) -> list[Check]:
        return [
            Check(
                table=table,
                column=column,
                valid=bool(valid),
                not_null=bool(_NOT_NULL.match(definition)),
            )
            for table, valid, definition, column in self.rows(_CHECKS, [tables])
        ]

    def known(self, steps: Sequence[StepFacts]) -> Known:
        return known(self.rows, steps, str(self.connection.timezone_name))


class _MySQL(_Reader):
    def _servers_lock_timeout(self) -> float:
        rows = self.rows("SELECT @@SESSION.lock_wait_timeout", [])
        seconds = float(rows[0][0]) if rows else 0.0
        return seconds if seconds <= 3600 else 0.0  # The server's own is a day or a year.

    def sizes(self, tables: list[str]) -> dict[str, Size]:
        marks = ", ".join(["%s"] * len(tables))
        sql = (
            "SELECT table_name, table_rows, data_length + index_length FROM"
            " information_schema.tables WHERE table_schema = DATABASE() AND table_name IN "
        )
        return {
            name: Size(
                rows=None if rows is None else int(rows),
                bytes=None if taken is None else int(taken),
            )
            for name, rows, taken in self.rows(f"{sql}({marks})", tables)
        }


class _SQLite(_Reader):
    def _servers_lock_timeout(self) -> float:
        """What Python's driver waits without being told: 5 s."""
        options = self.connection.settings_dict.get("OPTIONS", {})
        return float(options.get("timeout", 5.0))

    def sizes(self, tables: list[str]) -> dict[str, Size]:
        """Rows from the largest rowid, which an index finds at once; bytes of the whole file."""
        whole = self.rows(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", []
        )
        marks = ", ".join(["%s"] * len(tables))
        there = self.rows(
            f"{_SQLITE_TABLES} ({marks})",
            tables,
        )
        limit = int(whole[0][0]) if whole else None
        found = {}
        for (name,) in there:
            quoted = self.connection.ops.quote_name(name)
            rows = self.rows(f"SELECT max(rowid) FROM {quoted}", [])  # noqa: S608 quoted
            if rows:
                found[name] = Size(rows=max(0, int(rows[0][0] or 0)), at_most=True)
            elif limit is not None:  # WITHOUT ROWID: no larger than its file.
                found[name] = Size(bytes=limit, analysed=True)
        return found

    def names(self, wanted: list[str]) -> set[str]:
        marks = ", ".join(["%s"] * len(wanted))
        sql = "SELECT name FROM sqlite_master WHERE type IN ('index', 'table') AND name IN"
        return {name for (name,) in self.rows(f"{sql} ({marks})", wanted)}


class _Sizes(Mapping[str, Size]):
    """All of them are asked for at once, when the first is wanted. Most plans want none: what they
    do takes no longer for a large table, and to ask is the dearest question of a plan."""

    def __init__(self, reader: _Reader, steps: Sequence[StepFacts]) -> None:
        self._reader = reader
        self._steps = steps

    @cached_property
    def _found(self) -> dict[str, Size]:
        tables = _asked_for(self._steps)
        return self._reader.sizes(tables) if tables else {}

    def __getitem__(self, table: str) -> Size:
        return self._found[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


_READERS: dict[str, type[_Reader]] = {
    "postgresql": _PostgreSQL,
    "mysql": _MySQL,
    "sqlite": _SQLite,
}
