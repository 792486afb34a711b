"""PostgreSQL: advisory locks with two numbers, (0x6d626f74, 1) for main and (0x6d626f74, 2) for
work. PostgreSQL keeps them for each database apart, so the numbers are the same everywhere.

To see them: ``SELECT * FROM pg_locks WHERE locktype = 'advisory' AND classid = 1835167604``.

Behind a pooler that shares server connections between transactions (PgBouncer's transaction mode)
locks and settings of a session land on whichever server connection is at hand: they exclude nobody
and stay behind for strangers. There the main key is a lock of one transaction, which the lock
connection keeps open and empty (it has no snapshot, so it holds up neither vacuum nor CREATE INDEX
CONCURRENTLY), and the work key is taken inside each migration's own transaction (``take_local``).
The pool must grant three connections at once, one of them for looking who is in the way. Nothing is
set for longer than a transaction.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.side import ascii_words, side_connection, working_connection
from bot.route.refusals import DatabaseDown, LockHeld, LockImpossible, LockLost

logger = logging.getLogger(__name__)

CLASS = 0x6D626F74
"""The letters "mbot"; the first number of both keys."""
MAIN, WORK = 1, 2

_PREFIX = "migration_bot "

_PATIENCE = 20
"""Tenths of a second for a work key whose connection may just be ending."""

_HOLDER = """
SELECT l.pid, a.application_name, extract(epoch FROM now() - a.query_start)::bigint
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.classid = %s::bigint::oid AND l.objid = %s::bigint::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_MINE = f"SELECT count(*) FROM ({_HOLDER}) held WHERE pid = pg_backend_pid()"  # noqa: S608

IDLE_LIMITS = (
    "idle_in_transaction_session_timeout",
    "idle_session_timeout",
    "transaction_timeout",
)
"""Settings that would end a connection which is silent or in one transaction for long."""

_NO_IDLE_LIMITS = """
SELECT set_config(name, '0', %s) FROM pg_settings WHERE name = ANY(%s)
"""


def behind_pooler(connection: BaseDatabaseWrapper) -> bool:
    """Whether something stands between, which may share server connections between transactions.

    A server tells its process id when a connection starts (protocol message BackendKeyData). A
    pooler answers for itself there, before it has chosen a server connection. So an id that is not
    the one of the backend which carries out statements betrays it, in session mode too; what we do
    then is right in both modes.
    """
    connection.ensure_connection()
    told = connection.connection.info.backend_pid
    return bool(told != ask(connection, "SELECT pg_backend_pid()"))


def application_name(holder: str) -> str:
    """What the server shows for a connection of this holder; at most 63 ASCII characters."""
    return ascii_words(holder if holder.startswith("manage.py") else _PREFIX + holder)


class PostgresqlKeys:
    """See ``bot.database.lock.Keys``."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._side: BaseDatabaseWrapper | None = None
        self._holder = ""
        self.pooled = False

    def take_main(self, holder: str) -> None:
        self._holder = application_name(holder)
        side = self._open(self._holder)
        try:
            self.pooled = behind_pooler(side) or self._shares_a_backend(side)
            if self.pooled:
                side.set_autocommit(False)
            ask(side, _NO_IDLE_LIMITS, [self.pooled, list(IDLE_LIMITS)])
            scope = "xact_" if self.pooled else ""
            if not ask(side, f"SELECT pg_try_advisory_{scope}lock(%s, %s)", [CLASS, MAIN]):
                raise LockHeld(database=self._database, holder=_main(_held(side, MAIN)))
            if self.pooled:
                self._refuse_orphans(side)
            self._confirm(side)
        except BaseException:
            close(side)
            raise
        self._side = side

    def take_work(self, working: BaseDatabaseWrapper) -> None:
        if self.pooled:
            return  # take_local does it, in each migration's transaction
        assert self._side is not None
        for _ in range(_PATIENCE):
            if ask(working, "SELECT pg_try_advisory_lock(%s, %s)", [CLASS, WORK]):
                ask(working, "SELECT set_config('application_name', %s, false)", [self._holder])
                return
            ask(self._side, "SELECT pg_sleep(0.1)")
        raise LockHeld(database=self._database, holder=_orphan(_held(self._side, WORK)))

    def check(self) -> None:
        assert self._side is not None
        try:
            self._confirm(self._side)
        except (Error, LockImpossible) as error:
            raise LockLost(database=self._database, because=str(error).strip()) from error

    def release_work(self, working: BaseDatabaseWrapper) -> None:
        if self.pooled or working.connection is None:
            return
        try:
            ask(working, "SELECT pg_advisory_unlock(%s, %s)", [CLASS, WORK])
            ask(working, "RESET application_name")
        except Error:
            # A broken connection holds nothing for long. One inside a broken transaction would keep
            # the key for as long as it is used, so it goes.
            logger.warning("the work key of %s goes with its connection", self._database)
            if not working.in_atomic_block:
                close(working)

    def release_main(self) -> None:
        side, self._side = self._side, None
        if side is None:
            return
        try:
            # Said before hanging up: the server ends a session only some time after its client.
            if self.pooled:
                side.rollback()
            else:
                ask(side, "SELECT pg_advisory_unlock(%s, %s)", [CLASS, MAIN])
        except Error:
            logger.warning("the lock connection of %s was gone already", self._database)
        close(side)

    def _open(self, words: str) -> BaseDatabaseWrapper:
        side = side_connection(self._database, words)
        try:
            side.ensure_connection()
        except Error as error:
            raise DatabaseDown(database=self._database, detail=str(error).strip()) from error
        return side

    def _shares_a_backend(self, side: BaseDatabaseWrapper) -> bool:
        """For a pooler that passes the server's id on: two idle connections, one backend."""
        mine = ask(side, "SELECT pg_backend_pid()")
        return bool(mine == ask(working_connection(self._database), "SELECT pg_backend_pid()"))

    def _refuse_orphans(self, side: BaseDatabaseWrapper) -> None:
        for _ in range(_PATIENCE):
            row = _held(side, WORK)
            if row is None:
                return
            ask(side, "SELECT pg_sleep(0.1)")
        raise LockHeld(database=self._database, holder=_orphan(row))

    def _confirm(self, side: BaseDatabaseWrapper) -> None:
        if not ask(side, _MINE, [CLASS, MAIN]):
            raise LockImpossible(
                database=self._database,
                because="the connection does not keep its lock",
                remedy="Give this alias the address of the server itself and not of a pooler.",
            )


def take_local(working: BaseDatabaseWrapper) -> None:
    """The work key for the transaction that ``working`` is in; it ends with the transaction.

    Raises LockHeld when an orphan has it.
    """
    if not ask(working, "SELECT pg_try_advisory_xact_lock(%s, %s)", [CLASS, WORK]):
        raise LockHeld(database=working.alias, holder=_orphan(_held(working, WORK)))


def ask(connection: BaseDatabaseWrapper, sql: str, params: list[Any] | None = None) -> Any:
    """The first value of the first row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def close(connection: BaseDatabaseWrapper) -> None:
    """Close it, also when the server has gone."""
    try:
        connection.close()
    except Error:
        logger.warning("a connection did not close cleanly", exc_info=True)


Row = tuple[int, str | None, int | None]


def _held(connection: BaseDatabaseWrapper, key: int) -> Row | None:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDER, [CLASS, key])
        row: Row | None = cursor.fetchone()
    return row


def _main(row: Row | None) -> str:
    if row is None:
        return "another process that has just ended"
    pid, name, _ = row
    return (name or "").removeprefix(_PREFIX) or f"another process (backend {pid})"


def _orphan(row: Row | None) -> str:
    if row is None:
        return "a statement that has just ended"
    pid, name, seconds = row
    whose = (name or "").removeprefix(_PREFIX) or "a run or migrate"
    age = f", for {seconds} s now" if seconds is not None else ""
    return f"a statement that {whose} left behind (backend {pid}{age})"
