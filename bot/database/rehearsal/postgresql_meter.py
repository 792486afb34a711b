"""PostgreSQL: what a statement did, read from its own catalogue right after it.

Locks are those of our own session in pg_locks that were not held before the statement; a table that
is written anew gets another relfilenode (so does TRUNCATE, which copies nothing); reads of whole
tables count in the statistics of the transaction (``pg_stat_get_xact_numscans``, which are not
delayed as pg_stat_user_tables is). A statement outside of a transaction is given one of its own,
which it has anyway. One that refuses that (CONCURRENTLY) is read by a second session while it waits
for a third one's write to end.

Relations are known by their oid, so a table keeps the name it had before the plan.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import Error as DatabaseProblem

from bot.database.rehearsal.postgresql_beside import Beside
from bot.database.rehearsal.vendor import Measured
from bot.database.statements import first_word, leaves_traces
from bot.route.findings import Evidence
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.vendors.postgresql import BUILDING, CHANGING, CHECKING, REWRITING

LOCKS = {
    "AccessShareLock": Lock.NONE,
    "RowShareLock": Lock.NONE,
    "RowExclusiveLock": Lock.ROWS,
    "ShareUpdateExclusiveLock": Lock.ONLINE,
    "ShareLock": Lock.SHARE,
    "ShareRowExclusiveLock": Lock.SHARE_ROW,
    "ExclusiveLock": Lock.SHARE_ROW,
    "AccessExclusiveLock": Lock.ALL,
}
"""EXCLUSIVE lets others read, as SHARE ROW EXCLUSIVE does."""

NO_TRANSACTION = "25001"
"""SQLSTATE active_sql_transaction: it cannot run inside a transaction block."""

_TABLES = """
SELECT c.oid::bigint, c.relname::text, c.relfilenode::bigint FROM pg_class c
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND c.relnamespace NOT IN (SELECT oid FROM pg_namespace
      WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
"""
_HELD = """
SELECT relation::bigint, mode FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid = pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_COUNTS = """
SELECT o::bigint, pg_stat_get_xact_numscans(o), pg_stat_get_xact_tuples_inserted(o),
    pg_stat_get_xact_tuples_updated(o) + pg_stat_get_xact_tuples_deleted(o)
FROM unnest(%s::oid[]) o
"""
_FILES = "SELECT oid::bigint, relfilenode::bigint FROM pg_class WHERE oid = ANY(%s::oid[])"
_INDEXES = """
SELECT i.indexrelid::bigint, i.indrelid::bigint, c.relfilenode::bigint
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY(%s::oid[])
"""
_KEYS = """
SELECT oid::bigint, conrelid::bigint, confrelid::bigint, convalidated FROM pg_constraint
WHERE contype = 'f' AND (conrelid = ANY(%s::oid[]) OR confrelid = ANY(%s::oid[]))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """A foreign key: the oids of its table and of the one it points to."""

    child: int
    parent: int
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """What the session holds and has counted, and how tables, indexes and keys are."""

    held: dict[int, frozenset[str]] = field(default_factory=dict)
    counts: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    files: dict[int, int] = field(default_factory=dict)
    indexes: dict[int, tuple[int, int]] = field(default_factory=dict)
    keys: dict[int, _Key] = field(default_factory=dict)


class PostgreSQLMeter:
    """See ``bot.database.rehearsal.vendor.Meter``."""

    def __init__(self, connection: Any, beside: Beside) -> None:
        self._connection = connection
        self._beside = beside
        self._names: dict[int, str] = {}

    def begin(self) -> None:
        self._names = {oid: name for oid, name, _ in self._rows(_TABLES)}

    def measure(self, send: Callable[[], Any], sql: str) -> Measured:
        if self._connection.in_atomic_block or not self._connection.get_autocommit():
            return self._inside(send, sql)
        if leaves_traces(sql):
            return self._alongside(send, sql)
        try:
            with self._transaction():
                return self._inside(send, sql)
        except DatabaseProblem as error:
            if getattr(error.__cause__, "sqlstate", None) != NO_TRANSACTION:
                raise
        return self._alongside(send, sql)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """The transaction that a single statement has anyway, held until we have looked."""
        connection = self._connection
        connection.set_autocommit(False)
        try:
            yield
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            connection.set_autocommit(True)

    def _inside(self, send: Callable[[], Any], sql: str) -> Measured:
        before = self._look()
        begun = time.perf_counter()
        result = send()
        taken = time.perf_counter() - begun
        after = self._look()
        return Measured(
            result=result,
            effects=tuple(_Reading(self._names, before, after, sql).effects()),
            milliseconds=round(taken * 1000),
        )

    def _alongside(self, send: Callable[[], Any], sql: str) -> Measured:
        """It holds its lock while it waits for a write that another session keeps open."""
        before = self._look()
        begun = time.perf_counter()
        with self._beside.stalling(list(self._names)) as seen:
            result = send()
        taken = time.perf_counter() - begun
        after = self._look()
        held = {oid: frozenset(modes) for oid, modes in seen.held.items() if oid in self._names}
        moment = _Moment(
            held=held,
            counts=before.counts,
            files=after.files,
            indexes=after.indexes,
            keys=after.keys,
        )
        return Measured(
            result=result,
            effects=tuple(_Reading(self._names, before, moment, sql).effects()),
            milliseconds=round(taken * 1000),
            blind=not seen.held,
        )

    def _look(self) -> _Moment:
        known = list(self._names)
        held: dict[int, set[str]] = {}
        for relation, mode in self._rows(_HELD):
            if relation in self._names:
                held.setdefault(relation, set()).add(mode)
        return _Moment(
            held={oid: frozenset(modes) for oid, modes in held.items()},
            counts={oid: (a, b, c) for oid, a, b, c in self._rows(_COUNTS, [known])},
            files=dict(self._rows(_FILES, [known])),
            indexes={o: (table, file) for o, table, file in self._rows(_INDEXES, [known])},
            keys={
                oid: _Key(child=child, parent=parent, valid=valid)
                for oid, child, parent, valid in self._rows(_KEYS, [known, known])
            },
        )

    def _rows(self, sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Past Django's cursors, so that nobody counts these as statements of the plan."""
        with closing(self._connection.connection.cursor()) as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())


class _Reading:
    """What happened between two moments, as effects on the tables of before the plan."""

    def __init__(self, names: dict[int, str], before: _Moment, after: _Moment, sql: str) -> None:
        self.names = names
        self.before = before
        self.after = after
        self.word = first_word(sql)
        self.truncates = self.word == "TRUNCATE" or bool(re.search(r"(?i)\bTRUNCATE\b", sql))
        new = {o: k for o, k in after.keys.items() if o not in before.keys}
        gone = {o: k for o, k in before.keys.items() if o not in after.keys}
        self.made = new
        self.validated = {
            o: k
            for o, k in after.keys.items()
            if k.valid and not (o in before.keys and before.keys[o].valid)
        }
        self.dropped = gone

    def effects(self) -> Iterator[Effect]:
        for oid, modes in sorted(self.after.held.items(), key=lambda one: self.names[one[0]]):
            new = modes - self.before.held.get(oid, frozenset())
            lock = max((LOCKS.get(mode, Lock.ALL) for mode in new), default=Lock.NONE)
            strongest = max((LOCKS.get(mode, Lock.ALL) for mode in modes), default=Lock.NONE)
            works = list(self._works(oid))
            if not works and lock is not Lock.NONE:
                works = [(Work.NONE, self._brief(oid), "")]
            for work, words, over in works:
                raised = work is not Work.NONE and strongest > lock
                yield Effect(
                    table=self.names[oid],
                    lock=strongest if work is not Work.NONE else lock,
                    work=work,
                    words=words,
                    over=over,
                    evidence=Evidence.MEASURED,
                    raised=raised,
                )

    def _works(self, oid: int) -> Iterator[tuple[Work, str, str]]:
        """The works that grow with the table's rows, with what they are called."""
        scans, inserted, changed = (
            now - was
            for now, was in zip(
                self.after.counts.get(oid, (0, 0, 0)),
                self.before.counts.get(oid, (0, 0, 0)),
                strict=True,
            )
        )
        if self._rewritten(oid):
            yield Work.REWRITE, REWRITING, ""
            return
        if self.truncates:
            return
        built = self._built(oid)
        if built:
            yield Work.INDEX, BUILDING, ""
        if self.word in ("UPDATE", "DELETE", "INSERT", "MERGE", "WITH") or changed or inserted:
            if changed > 0 or inserted > 0:
                yield Work.ROWS, "its rows are written", ""
            return
        for key in self.validated.values():
            if key.parent == oid and key.child != oid:
                if self._scans(key.child) > 0:
                    child = self.names[key.child]
                    yield Work.SCAN, f"a foreign key of {child} to it is made", child
                return
        if scans > built and not self._is_compared_with(oid):
            yield Work.SCAN, CHECKING, ""

    def _scans(self, oid: int) -> int:
        none = (0, 0, 0)
        return self.after.counts.get(oid, none)[0] - self.before.counts.get(oid, none)[0]

    def _is_compared_with(self, oid: int) -> bool:
        """Whether rows of a table that the plan makes are compared with its: it has hardly any."""
        return any(k.parent == oid and k.child not in self.names for k in self.validated.values())

    def _rewritten(self, oid: int) -> bool:
        before, after = self.before.files.get(oid), self.after.files.get(oid)
        return not self.truncates and None not in (before, after) and before != after

    def _built(self, oid: int) -> int:
        """How many indexes of the table were filled. One that keeps its file is the same as before,
        though ALTER TYPE gives it another oid; that of a table in parts has no file."""
        files = {file for table, file in self.before.indexes.values() if table == oid}
        return sum(
            table == oid and bool(file) and file not in files
            for table, file in self.after.indexes.values()
        )

    def _brief(self, oid: int) -> str:
        if oid not in self.after.files:
            return "it is dropped"
        if any(key.parent == oid and key.child != oid for key in self.made.values()):
            return "a foreign key to it is made"
        if any(key.parent == oid and key.child != oid for key in self.dropped.values()):
            return "a foreign key to it is dropped"
        if any(
            t == oid and i not in self.after.indexes for i, (t, _) in self.before.indexes.items()
        ):
            return "an index is dropped"
        if self.word in ("UPDATE", "DELETE", "INSERT"):
            return "rows are written"
        return CHANGING
