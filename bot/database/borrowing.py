"""Reading over a connection that is open already and idle, where that leaves no trace on it.

Opening one of our own takes PostgreSQL some 4 ms, a quarter of a plan of a few steps. Each
transaction that the driver begins on the borrowed one says ``READ ONLY`` itself and is rolled
back, so nothing is set on the session. Borrowed is only what reads as a new connection would: idle,
in autocommit, in nobody's transaction, without temporary tables, on the search path it began with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import Error as DatabaseProblem

_AS_NEW = """
SELECT pg_my_temp_schema() = 0
       AND NOT EXISTS (SELECT FROM pg_settings
                       WHERE name = 'search_path' AND setting IS DISTINCT FROM reset_val)
"""


@contextmanager
def borrowed(original: Any, copy: Any) -> Iterator[None]:
    """For its block, ``copy`` reads over the driver's connection of ``original``, if that may be
    lent; else it connects as ever. ``original`` must not be used meanwhile."""
    raw = original.connection if _may_be_lent(original) else None
    if raw is None:
        yield
        return
    raw.autocommit = False
    raw.read_only = True
    copy.connection = raw
    try:
        yield
    finally:
        if copy.connection is raw:
            copy.connection = None
        _give_back(original, raw)


def _may_be_lent(original: Any) -> bool:
    """Only psycopg 3 begins read-only transactions without asking the server for more."""
    raw = original.connection
    if original.vendor != "postgresql" or not hasattr(type(raw), "read_only"):
        return False
    is_idle = (
        original.pool is None
        and not original.allow_thread_sharing
        and not original.in_atomic_block
        and not original.errors_occurred
        and not raw.closed
        and raw.autocommit
        and raw.read_only is None
        and raw.info.transaction_status == raw.info.transaction_status.IDLE
    )
    return is_idle and _is_as_new(original)


def _is_as_new(original: Any) -> bool:
    """Asked past Django's cursors: nobody's log or count of queries should hold this one."""
    try:
        with original.wrap_database_errors:
            found = original.connection.execute(_AS_NEW).fetchone()
    except DatabaseProblem:
        return False
    return bool(found[0])


def _give_back(original: Any, raw: Any) -> None:
    """As it was; one that broke meanwhile, or was closed, is opened anew when it is needed."""
    try:
        with original.wrap_database_errors:
            raw.rollback()
            raw.read_only = None
            raw.autocommit = True
    except DatabaseProblem:
        original.close()
