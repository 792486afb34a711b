"""What a case really does, measured on PostgreSQL without any of the judges.

Locks come from ``pg_locks`` after each statement, work from the rows that the statement read and
wrote as ``pg_stat_xact_user_tables`` counts them and from new files of tables that are not empty.
Values are read before and after. The running release is tried with the models of the state that
the plan starts from.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import Error, connections
from django.db.migrations.exceptions import IrreversibleError
from django.db.migrations.loader import MigrationLoader

from tests.database.migrating import forget_migrations
from tests.labelled.case import Case, Data, Lock, Release, Undo
from tests.labelled.ground import ALIAS, Ground, Standing
from tests.labelled.probing import broken
from tests.labelled.shop import ROWS
from tests.labelled.values import changed, of_before, values

_TABLES = """
SELECT oid, relfilenode, pg_relation_size(oid) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
AND relname <> 'django_migrations'
"""
_LOCKED = """
SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation' AND granted
AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""
_COUNTED = """
SELECT relid, seq_tup_read + coalesce(idx_tup_fetch, 0), n_tup_upd + n_tup_del
FROM pg_stat_xact_user_tables
"""
_ALONE = re.compile(r"\bCONCURRENTLY\b|^\s*VACUUM\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """None is what this ground could not show; ``told`` says what was seen, for people."""

    lock: Lock | None
    release: Release | None
    data: Data
    undo: Undo | None
    failed: bool
    told: tuple[str, ...] = ()


@dataclass
class Watch:
    """Sees each statement of a run. ``lock`` is the worst so far on tables of before."""

    old: frozenset[int] = frozenset()
    lock: Lock = Lock.NONE
    told: list[str] = field(default_factory=list)
    _transaction: int = 0
    _written: dict[int, int] = field(default_factory=dict)

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        connection = context["connection"]
        raw = connection.connection
        if connection.in_atomic_block:
            return self._watched(raw, execute, sql, params, many, context)
        if _ALONE.search(str(sql)):  # It runs in transactions of its own and holds nothing after.
            return execute(sql, params, many, context)
        raw.execute("BEGIN")
        try:
            result = self._watched(raw, execute, sql, params, many, context)
        except Error:
            raw.execute("ROLLBACK")
            raise
        raw.execute("COMMIT")
        return result

    def _watched(
        self, raw: Any, execute: Any, sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        before, files = self._counted(raw), self._files(raw)
        result = execute(sql, params, many, context)
        now = raw.execute("SELECT txid_current()").fetchone()[0]
        if now != self._transaction:
            self._transaction, self._written = now, {}
        locked = {oid for (oid,) in raw.execute(_LOCKED).fetchall()} & self.old
        read = 0
        for oid, (rows, written) in self._counted(raw).items():
            had = before.get(oid, (0, 0))
            read = max(read, rows - had[0])
            self._written[oid] = self._written.get(oid, 0) + written - had[1]
        rewritten = any(
            filed != files[oid][0] and size
            for oid, (filed, size) in self._files(raw).items()
            if oid in files
        )
        grows = rewritten or read >= ROWS
        if (locked and grows) or any(n >= ROWS for n in self._written.values()):
            self.lock = Lock.GROWS
            self.told.append(f"grows: {sql}")
        elif locked:
            self.told.append(f"brief: {sql}")
            if self.lock is Lock.NONE:
                self.lock = Lock.BRIEF
        return result

    def _counted(self, raw: Any) -> dict[int, tuple[int, int]]:
        rows = raw.execute(_COUNTED).fetchall()
        return {oid: (read, written) for oid, read, written in rows if oid in self.old}

    def _files(self, raw: Any) -> dict[int, tuple[int, int]]:
        rows = raw.execute(_TABLES).fetchall()
        return {oid: (filed, size) for oid, filed, size in rows if oid in self.old}


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Everything that goes over the connection is measured inside; indexes are used where they
    can be, as on a large table."""
    connection = connections[ALIAS]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(_TABLES)
        watch = Watch(old=frozenset(row[0] for row in cursor.fetchall()))
    with connection.execute_wrapper(watch):
        yield watch


def measure(ground: Ground, case: Case) -> Measured:
    """Carry the case out and back, and once more with rows that spoil it; what happened."""
    with ground.standing(case) as standing:
        found = _carried_out(standing)
    if case.spoil:
        with ground.standing(case) as standing:
            standing.execute(case.spoil)
            spoiled = _data(standing)
        if found.data is Data.KEPT:
            found = replace(found, data=spoiled)
    return found


def _carried_out(standing: Standing) -> Measured:
    running = running_release(standing)
    before = values()
    writes = standing.case.writes
    was_broken = broken(running, writes)
    error: Exception | None = None
    with watching() as watch:
        try:
            standing.run()
        except (Error, IrreversibleError) as problem:
            error = problem
    if error is not None:
        refused = isinstance(error, IrreversibleError) or "cannot be" in str(error)
        return Measured(
            lock=None,
            release=None,
            data=Data.KEPT if refused else Data.MAY_FAIL,
            undo=Undo.IMPOSSIBLE if isinstance(error, IrreversibleError) else None,
            failed=True,
            told=(f"failed: {error}",),
        )
    after = values()
    lost = changed(before, after)
    now_broken = broken(running, writes)
    breaks = {name: why for name, why in now_broken.items() if name not in was_broken}
    undo, because = Undo.WORKS, ""
    if not standing.case.back:
        undo, because = _undone(standing, before)
    told = [*watch.told, *(f"breaks: {name} {why}" for name, why in breaks.items()), *lost[:3]]
    return Measured(
        lock=watch.lock,
        release=Release.BREAKS if breaks else Release.WORKS,
        data=Data.LOST if lost else Data.KEPT,
        undo=undo,
        failed=False,
        told=(*told, because),
    )


def _undone(standing: Standing, before: Any) -> tuple[Undo, str]:
    if standing.case.since:
        standing.execute(standing.case.since)
    now = of_before(values(), before)
    try:
        standing.go_back()
    except IrreversibleError as error:
        return Undo.IMPOSSIBLE, str(error)
    except Error as error:
        return Undo.FAILS, f"undo: {error}"
    cut = changed(now, values())
    return (Undo.FAILS, f"undo: {cut[0]}") if cut else (Undo.WORKS, "")


def _data(standing: Standing) -> Data:
    before = values()
    try:
        standing.run()
    except Error:
        return Data.MAY_FAIL
    return Data.LOST if changed(before, values()) else Data.KEPT


def running_release(standing: Standing) -> Any:
    """The models of the state that the plan starts from."""
    forget_migrations()
    loader = MigrationLoader(connections[ALIAS])
    return loader.project_state(("shop", standing.start)).apps
