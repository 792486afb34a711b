"""How long a statement of a run may wait for a lock, and how long it may run.

The limits hold for the working connection of one alias, for the length of a run, and are put back
afterwards. A connection that a migration closes and opens anew gets them again.

| | waits for a lock | runs |
|---|---|---|
| PostgreSQL | ``lock_timeout`` | ``statement_timeout`` |
| MariaDB | ``lock_wait_timeout``, ``innodb_lock_wait_timeout`` | ``max_statement_time`` |
| MySQL | the same | ``max_execution_time``: SELECT alone, the server has no more |
| SQLite | ``PRAGMA busy_timeout`` | a progress handler that breaks it off |

On PostgreSQL ``client_connection_check_interval`` (14 and later) is set too: a statement whose
process was killed then ends within half a second and not when it is done.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.signals import connection_created

from bot.conf import get_settings
from bot.database import lock_postgresql
from bot.database.lock_postgresql import ask, behind_pooler
from bot.database.side import working_connection
from bot.database.trouble import Trouble, trouble, why_retry
from bot.route.refusals import LockImpossible

__all__ = ["Trouble", "apply_local", "limited", "trouble", "why_retry"]

CHECK_CLIENT = "500ms"
"""How soon PostgreSQL notices that the process which sent a statement is gone."""

_STEPS = 10_000
"""SQLite's virtual machine instructions between two looks at the clock: well under a millisecond
a look, some milliseconds of work between."""


@contextmanager
def limited(database: str) -> Iterator[None]:
    """The limits of the settings are in force on this thread's connection to ``database``.

    Behind a transaction pooler nothing is set here; see ``apply_local``. Raises UnknownDatabase.
    """
    connection = working_connection(database)
    settings = get_settings()
    limits = _Limits(connection, settings.lock_timeout, settings.statement_timeout)
    with limits.in_force():
        yield


def apply_local(schema_editor: BaseDatabaseSchemaEditor) -> None:
    """At the beginning of a migration: what can only be set inside its own transaction.

    It does something on PostgreSQL behind a pooler alone: the limits, no limit on idleness, and the
    work key of the lock, all for this transaction. Raises LockImpossible outside a transaction and
    LockHeld while an orphaned statement has the key.
    """
    connection = schema_editor.connection
    if connection.vendor != "postgresql" or not behind_pooler(connection):
        return
    if not connection.in_atomic_block:
        raise LockImpossible(
            database=connection.alias,
            because="it is reached through a pooler, and this migration runs outside a "
            "transaction, where no time limit and no lock of ours would hold",
            remedy="Give this alias the address of the server itself for migrations.",
        )
    settings = get_settings()
    wanted = _postgresql(settings.lock_timeout, settings.statement_timeout)
    wanted |= dict.fromkeys(lock_postgresql.IDLE_LIMITS, "0")
    _set_postgresql(connection, wanted, local=True)
    lock_postgresql.take_local(connection)


class _Limits:
    """One alias's limits: set, set again on a new connection, put back."""

    def __init__(
        self, connection: BaseDatabaseWrapper, lock_timeout: float, statement_timeout: float
    ) -> None:
        self._connection = connection
        self._lock = lock_timeout
        self._statement = statement_timeout
        self._before: dict[str, Any] = {}
        self._set: dict[str, Callable[[], None]] = {
            "postgresql": self._set_postgresql,
            "mysql": self._set_mysql,
            "sqlite": self._set_sqlite,
        }

    @contextmanager
    def in_force(self) -> Iterator[None]:
        connection = self._connection
        if connection.connection is not None:
            self._apply()
        connection_created.connect(self._created, dispatch_uid=("bot.limits", id(self)))
        try:
            if connection.vendor == "sqlite" and self._statement:
                with connection.execute_wrapper(self._break_off):
                    yield
            else:
                yield
        finally:
            connection_created.disconnect(dispatch_uid=("bot.limits", id(self)))
            self._put_back()

    def _created(self, *, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if connection is self._connection:
            self._apply()

    def _apply(self) -> None:
        if self._connection.vendor in self._set:
            self._set[self._connection.vendor]()

    def _set_postgresql(self) -> None:
        if behind_pooler(self._connection):
            return
        wanted = _postgresql(self._lock, self._statement)
        self._before = _set_postgresql(self._connection, wanted, local=False)

    def _set_mysql(self) -> None:
        wanted: dict[str, float] = {}
        if self._lock:
            whole = max(1, math.ceil(self._lock))
            wanted |= {"lock_wait_timeout": whole, "innodb_lock_wait_timeout": whole}
        if self._statement and self._connection.mysql_is_mariadb:  # type: ignore[attr-defined]
            wanted["max_statement_time"] = self._statement
        elif self._statement:
            wanted["max_execution_time"] = round(self._statement * 1000)
        self._before = {name: ask(self._connection, f"SELECT @@SESSION.{name}") for name in wanted}
        _set_mysql(self._connection, wanted)

    def _set_sqlite(self) -> None:
        if self._lock:
            self._before = {"busy_timeout": ask(self._connection, "PRAGMA busy_timeout")}
            ask(self._connection, f"PRAGMA busy_timeout = {round(self._lock * 1000)}")

    def _break_off(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        """SQLite has no such limit, but asks during a statement whether it may go on."""
        raw = self._connection.connection
        end = time.monotonic() + self._statement
        raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        try:
            return execute(sql, params, many, context)
        finally:
            raw.set_progress_handler(None, 0)

    def _put_back(self) -> None:
        before, self._before = self._before, {}
        connection = self._connection
        if connection.connection is None or not connection.is_usable():
            return
        if connection.vendor == "postgresql":
            _set_postgresql(connection, before, local=False)
        elif connection.vendor == "mysql":
            _set_mysql(connection, before)
        elif before:
            ask(connection, f"PRAGMA busy_timeout = {before['busy_timeout']}")


def _postgresql(lock_timeout: float, statement_timeout: float) -> dict[str, str]:
    wanted = {"client_connection_check_interval": CHECK_CLIENT}
    if lock_timeout:
        wanted["lock_timeout"] = f"{max(1, round(lock_timeout * 1000))}ms"
    if statement_timeout:
        wanted["statement_timeout"] = f"{max(1, round(statement_timeout * 1000))}ms"
    return wanted


def _set_postgresql(
    connection: BaseDatabaseWrapper, wanted: dict[str, str], *, local: bool
) -> dict[str, str]:
    """Set what the server knows, for this transaction or the session; what it was before."""
    with connection.cursor() as cursor:
        cursor.execute(
            # A server on an operating system that cannot notice a lost client refuses to be asked.
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"
            " AND (name <> 'client_connection_check_interval'"
            " OR version() ~* 'linux|darwin|apple|bsd|illumos|solaris')",
            [list(wanted)],
        )
        before = dict(cursor.fetchall())
        for name in before:
            cursor.execute("SELECT set_config(%s, %s, %s)", [name, wanted[name], local])
    return before


def _set_mysql(connection: BaseDatabaseWrapper, wanted: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        for name, value in wanted.items():
            cursor.execute(f"SET SESSION {name} = %s", [value])
