"""MariaDB and MySQL: what a statement did, from the most online way in which the server did it.

A server tells nobody which locks a statement held that has ended, and DDL ends its own transaction.
But ALGORITHM and LOCK say what others can do meanwhile (``mysql_ways``). Of statements that change
rows the server says how many it found.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from django.db import Error as DatabaseProblem

from bot.database.rehearsal.mysql_ways import (
    MARIADB,
    MYSQL,
    Way,
    asking,
    builds_index,
    only_drops,
    takes_ways,
)
from bot.database.rehearsal.vendor import Deadline, Measured, TimeIsUp
from bot.route.findings import Evidence
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.reading import Action, Verb, actions
from bot.route.risks.vendors.mysql import BUILDING, CHANGING, COPYING

DROPPING = "it is dropped"
BESIDE = "the table is made anew beside it"
CHECKING = "its rows are checked"
WRITING = "its rows are written"
_LOCKS = {"": Lock.ALL, "NONE": Lock.ONLINE, "SHARED": Lock.SHARE, "EXCLUSIVE": Lock.ALL}
_AT_ONCE = {Verb.DROP_TABLE, Verb.RENAME_TABLE, Verb.TRUNCATE, Verb.LOCK}
_ROW_VERBS = {Verb.INSERT, Verb.UPDATE, Verb.DELETE}
_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
    " AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
)


class MySQLMeter:
    """See ``bot.database.rehearsal.vendor.Meter``."""

    def __init__(self, connection: Any, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._all: frozenset[str] = frozenset()
        self._known: dict[str, str] = {}
        self._sent: set[str] = set()

    def begin(self) -> None:
        self._all = frozenset(self._tables())
        self._known = {name: name for name in self._all}

    def measure(self, send: Callable[[], Any], sql: str) -> Measured:
        self._connection.ensure_connection()
        known = dict(self._known)
        found = [self._in_its_case(action) for action in actions(sql)]
        counts = {
            action.table: self._count(action.table)
            for action in found
            if action.verb in _ROW_VERBS and action.table in known
        }
        ways: tuple[Way, ...] = ()
        if takes_ways(sql):
            ways = MARIADB if self._connection.mysql_is_mariadb else MYSQL
        raw = self._connection.connection
        begun = time.perf_counter()
        try:
            if ways:
                with asking(raw, sql, ways) as chosen:
                    result = send()
            else:
                chosen, result = [], send()
        except DatabaseProblem as error:
            if not self._deadline.left:
                raise TimeIsUp() from error
            raise
        taken = time.perf_counter() - begun
        effects = (
            self._altered(found, chosen[0], sql, known)
            if chosen
            else self._others(found, result, counts, sql, known)
        )
        measured = Measured(
            result=result,
            effects=tuple(_once(effects)),
            milliseconds=round(taken * 1000),
            blind=not chosen and (bool(ways) or not _is_understood(found)),
        )
        self._follow(found)
        self._sent.add(sql)
        return measured

    def _altered(
        self, found: list[Action], way: Way, sql: str, known: dict[str, str]
    ) -> Iterator[Effect]:
        lock, work, words = _cost(way, sql, is_mariadb=self._connection.mysql_is_mariadb)
        words = f"{words} ({way}, the most online way accepted)"
        tables = {action.table for action in found} & known.keys()
        for table in sorted(tables):
            yield _effect(known[table], lock, work, words)

    def _others(
        self,
        found: list[Action],
        result: Any,
        counts: dict[str, int],
        sql: str,
        known: dict[str, str],
    ) -> Iterator[Effect]:
        """Statements that have one way only, and those that change rows."""
        for action in found:
            if action.table not in known:
                continue
            table = known[action.table]
            if action.verb in _AT_ONCE:
                words = DROPPING if action.verb is Verb.DROP_TABLE else CHANGING
                yield _effect(table, Lock.ALL, Work.NONE, words)
            elif action.verb is Verb.INSERT:
                work = Work.ROWS if action.to or _SELECT.search(sql) else Work.NONE
                yield _effect(table, Lock.ROWS, work, "rows are written")
            elif action.verb in _ROW_VERBS:
                whole = isinstance(result, int) and 0 < counts[action.table] <= result
                every = whole or not action.narrowed or sql in self._sent
                work = Work.ROWS if every else Work.NONE
                yield _effect(table, Lock.ROWS, work, WRITING)

    def _follow(self, found: list[Action]) -> None:
        """Names as they are after the statement; a table that comes back is the one of before."""
        for action in found:
            if action.verb is Verb.RENAME_TABLE and action.table in self._known:
                self._known[action.to] = self._known.pop(action.table)
            elif action.verb is Verb.DROP_TABLE:
                self._known.pop(action.table, None)
            elif action.verb is Verb.CREATE_TABLE:
                missing = self._all - set(self._known.values())
                if action.table in missing:
                    self._known[action.table] = action.table

    def _in_its_case(self, action: Action) -> Action:
        """With the table as we know it, where SQL by hand writes capitals as it likes."""
        if action.table in self._known:
            return action
        alike = [name for name in self._known if name.lower() == action.table.lower()]
        return replace(action, table=alike[0]) if len(alike) == 1 else action

    def _tables(self) -> list[str]:
        return [name for (name,) in self._rows(_TABLES)]

    def _count(self, table: str) -> int:
        quoted = self._connection.ops.quote_name(table)
        sql = f"SELECT COUNT(*) FROM {quoted}"  # noqa: S608 a name of the catalogue, quoted
        return int(self._rows(sql)[0][0])

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Past Django's cursors, so that nobody counts these as statements of the plan."""
        self._connection.ensure_connection()
        with closing(self._connection.connection.cursor()) as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())


_SELECT = re.compile(r"\bSELECT\b", re.IGNORECASE)


def _is_understood(found: list[Action]) -> bool:
    return all(action.verb is not Verb.UNKNOWN for action in found)


def _cost(way: Way, sql: str, *, is_mariadb: bool) -> tuple[Lock, Work, str]:
    """What others wait for, and what grows with the table, when a change is made in this way."""
    lock = _LOCKS[way.lock]
    if way.algorithm == "INSTANT":
        return Lock.ALL, Work.NONE, CHANGING
    if way.algorithm == "COPY":
        return lock, Work.REWRITE, COPYING
    rebuilds = way.algorithm == "INPLACE" and is_mariadb  # It would have taken NOCOPY else.
    if not rebuilds and only_drops(sql):
        return Lock.ALL, Work.NONE, CHANGING
    if not rebuilds and builds_index(sql):
        return lock, Work.INDEX, BUILDING
    if way.algorithm == "NOCOPY":
        return lock, Work.SCAN, CHECKING
    return lock, Work.REWRITE, BESIDE


def _effect(table: str, lock: Lock, work: Work, words: str) -> Effect:
    return Effect(table=table, lock=lock, work=work, words=words, evidence=Evidence.MEASURED)


def _once(effects: Iterator[Effect]) -> list[Effect]:
    return list(dict.fromkeys(effects))
