"""Blockers on PostgreSQL: ``pg_blocking_pids`` and what ``pg_stat_activity`` tells of them."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.lock_postgresql import CLASS, WORK, behind_pooler
from bot.database.redacting import redacted

_BLOCKING = """
SELECT b.pid, a.application_name, a.usename, host(a.client_addr), a.state,
       extract(epoch FROM clock_timestamp() - a.xact_start)::bigint, left(a.query, 1000),
       a.wait_event_type = 'Lock', a.backend_type
FROM unnest(pg_blocking_pids(coalesce(%s, (
  SELECT min(pid) FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND objsubid = 2
    AND classid = %s::bigint::oid AND objid = %s::bigint::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)))) AS b(pid)
LEFT JOIN pg_stat_activity a ON a.pid = b.pid
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
ORDER BY a.wait_event_type = 'Lock' NULLS FIRST, 6 DESC NULLS LAST, 1
LIMIT 20
"""


class PostgresqlLook:
    """Who blocks ``working``, asked over ``side``."""

    def __init__(self, working: BaseDatabaseWrapper, side: BaseDatabaseWrapper) -> None:
        self._working = working
        self._side = side
        self._pooled: bool | None = None

    def __call__(self) -> tuple[str, ...]:
        if self._pooled is None:
            self._pooled = behind_pooler(self._side)
        raw = self._working.connection
        if raw is None:
            return ()
        # Behind a pooler the process is another in each transaction; it holds the work key there.
        backend = None if self._pooled else raw.info.backend_pid
        with self._side.cursor() as cursor:
            cursor.execute(_BLOCKING, [backend, CLASS, WORK])
            return tuple(_words(row) for row in cursor.fetchall())


def _words(row: tuple[Any, ...]) -> str:
    pid, name, user, address, state, seconds, query, waits, kind = row
    if not pid:
        return "a prepared transaction (see pg_prepared_xacts)"
    if state is None and kind not in (None, "client backend"):
        return f"{kind} (process {pid})"
    who = f"{name or 'a connection'} of {user or 'an unknown user'}"
    who += f"@{address}" if address else ""
    parts = [f"{who} (backend {pid})"]
    if state is None:
        return f"{parts[0]}, which this user may not look into"
    doing = "idle in a transaction" if state.startswith("idle in transaction") else state
    parts.append(doing + (f" for {seconds} s" if seconds is not None else ""))
    if waits:
        parts.append("waiting for a lock itself")
    if query:
        verb = "last statement" if state.startswith("idle") else "statement"
        parts.append(f"{verb}: {redacted(query)}")
    return ", ".join(parts)
