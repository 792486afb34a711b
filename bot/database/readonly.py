"""Looking at a database without being able to change it.

Two layers, because neither is enough. The session is read-only, so the server itself refuses; and
a guard in front of every cursor lets only reads through, because a server's read-only mode still
allows temporary tables, sequences or settings.

How the session is made read-only:

* PostgreSQL: the connection is not in autocommit, and its driver opens each transaction with
  ``BEGIN READ ONLY``. Nothing is set on the session, so nothing leaks to the next client behind
  PgBouncer's transaction pooling. (``SET SESSION`` would leak there, and PgBouncer refuses the
  startup parameter ``options`` unless it is told to ignore it.) Autocommit off, rather than
  ``atomic()``, also keeps ``in_atomic_block`` false, at which AddIndexConcurrently would raise.
* MariaDB, MySQL: ``SET SESSION TRANSACTION READ ONLY`` on a connection of our own.
* SQLite: ``PRAGMA query_only``. A private ``:memory:`` database has no second connection, so there
  only the guard stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.borrowing import borrowed
from bot.database.catalogue import remember_tables
from bot.database.guard import Guard
from bot.database.questions import Questions

MOMENT = 0.1
"""Seconds for which a transaction that only reads keeps nobody waiting worth mentioning."""


def read_only_copy(original: BaseDatabaseWrapper, guard: Guard | None = None) -> Any:
    """A connection of our own to the same database that can only read. The caller closes it.

    The caller's connection, its transaction (ATOMIC_REQUESTS) and its settings stay untouched.
    """
    guard = guard or Guard()
    copy: Any = original.copy()
    vendor = copy.vendor
    # A pool belongs to its alias: what is set on one of its connections would stay on it.
    copy.settings_dict.get("OPTIONS", {}).pop("pool", None)
    if vendor == "postgresql":
        copy.settings_dict["AUTOCOMMIT"] = False
        _after_connect(copy, _postgresql_read_only)
    elif vendor == "mysql":
        _after_init(copy, "SET SESSION TRANSACTION READ ONLY")
    elif vendor == "sqlite":
        if copy.is_in_memory_db() and "cache=shared" not in str(copy.settings_dict["NAME"]):
            original.ensure_connection()
            copy.connection = original.connection
        else:
            _after_init(copy, "PRAGMA query_only = ON")
    copy.execute_wrappers.append(guard)
    _sleep_while_connecting(copy, guard)
    return copy


def _sleep_while_connecting(copy: Any, guard: Guard) -> None:
    connect = copy.connect

    def connecting() -> None:
        guard.connecting = True
        try:
            connect()
        finally:
            guard.connecting = False

    copy.connect = connecting


def _postgresql_read_only(raw: Any) -> None:
    if hasattr(type(raw), "read_only"):  # psycopg 3
        raw.read_only = True
    else:  # psycopg2
        raw.readonly = True


def _after_connect(copy: Any, prepare: Callable[[Any], None]) -> None:
    connect = copy.get_new_connection

    def get_new_connection(parameters: Any) -> Any:
        raw = connect(parameters)
        prepare(raw)
        return raw

    copy.get_new_connection = get_new_connection


def _after_init(copy: Any, statement: str) -> None:
    init = copy.init_connection_state

    def init_connection_state() -> None:
        init()
        with copy.cursor() as cursor:
            cursor.execute(statement)

    copy.init_connection_state = init_connection_state


def let_go(copy: Any) -> None:
    """End the transaction that reading began, so that no lock is held while we compute.

    After a failed read PostgreSQL refuses everything until then, so this also mends it. Raises
    Django's OperationalError where the connection is lost.
    """
    if copy.vendor == "postgresql" and copy.connection is not None and not copy.in_atomic_block:
        with copy.wrap_database_errors:
            copy.connection.rollback()


class Looking:
    """While everything is read-only: the copy for the alias asked for, the guard before all."""

    def __init__(self, alias: str, copies: dict[str, Any], guard: Guard) -> None:
        self.connection = copies[alias]
        self.guard = guard
        self.questions = Questions(alias, guard, self.rest)
        self._copies = copies
        self._rested_at = time.monotonic()

    def rest(self) -> None:
        """Hold nothing on any server while we compute; mend what a failed read left."""
        for copy in self._copies.values():
            let_go(copy)
        self._rested_at = time.monotonic()

    def breathe(self) -> None:
        """Rest, unless it was a moment ago: each rest costs a way to the server and back."""
        if time.monotonic() - self._rested_at >= MOMENT:
            self.rest()


@contextmanager
def everything_read_only(alias: str) -> Iterator[Looking]:
    """For this thread, put a read-only copy in the place of every configured connection.

    A default or a migration module may query through any alias; whatever it asks goes through a
    copy. The copies connect only when they are used and are closed at the end; the one for
    ``alias`` borrows the connection it is a copy of, where that leaves no trace on it.
    """
    guard = Guard()
    before: dict[str, Any] = {name: connections[name] for name in connections}
    copies = {name: read_only_copy(original, guard) for name, original in before.items()}
    remember_tables(copies[alias])
    try:
        for name, copy in copies.items():
            connections[name] = copy
        with borrowed(before[alias], copies[alias]):
            yield Looking(alias, copies, guard)
    finally:
        for name, original in before.items():
            connections[name] = original
        for copy in copies.values():
            close_copy(copy)


def close_copy(copy: Any) -> None:
    """Close what ``read_only_copy`` made; a session that its original uses too stays open."""
    if copy.vendor == "sqlite" and copy.is_in_memory_db():
        if "cache=shared" in str(copy.settings_dict["NAME"]) and copy.connection is not None:
            copy.connection.close()
        copy.connection = None
        return
    copy.in_atomic_block = False
    copy.close()
