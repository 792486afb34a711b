"""Sessions beside the working one: a write that is kept open, and an eye on who waits for it.

CREATE INDEX CONCURRENTLY and its like wait for every write on their table that was there before
them, and hold their lock meanwhile. That is when it is read; then the write ends and they finish.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from bot.database.rehearsal.vendor import Deadline

PAUSE = 0.002
"""Seconds between two looks: such a command reaches its wait in a few milliseconds."""
PATIENCE = 5.0
"""Seconds after which the write ends though nobody was seen to wait for it."""

_WAITS = """
SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted
"""
_HOLDS = """
SELECT relation::bigint, mode FROM pg_locks
WHERE locktype = 'relation' AND granted AND pid = %s
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_NAMES = """
SELECT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY(%s::oid[]) AND c.relkind = 'r'
"""


@dataclass
class Seen:
    """The modes that the working session held on each relation while it waited."""

    held: dict[int, set[str]] = field(default_factory=dict)


class Beside:
    """Makes two sessions of its own to the scratch database for each use."""

    def __init__(self, connection: Any, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    @contextmanager
    def stalling(self, tables: list[int]) -> Iterator[Seen]:
        """Keep a write open on the tables with these oids until the working session is seen to
        wait, which may be never; what it held then is there at the end."""
        seen, done = Seen(), threading.Event()
        pid = self._connection.connection.info.backend_pid
        with closing(self._open()) as writing, closing(self._open()) as looking:
            with closing(writing.cursor()) as cursor:
                cursor.execute("BEGIN")
                cursor.execute(_NAMES, [tables])
                names = [name for (name,) in cursor.fetchall()]
                if names:
                    cursor.execute(f"LOCK TABLE {', '.join(names)} IN ROW EXCLUSIVE MODE")
            thread = threading.Thread(
                target=self._watch, args=(writing, looking, pid, seen, done), daemon=True
            )
            thread.start()
            try:
                yield seen
            finally:
                done.set()
                thread.join()

    def _watch(
        self, writing: Any, looking: Any, pid: int, seen: Seen, done: threading.Event
    ) -> None:
        wait = min(PATIENCE, self._deadline.left)
        passed = 0.0
        with closing(looking.cursor()) as cursor:
            while passed < wait and not done.wait(PAUSE):
                passed += PAUSE
                cursor.execute(_WAITS, [pid])
                if cursor.fetchone()[0]:
                    cursor.execute(_HOLDS, [pid])
                    for relation, mode in cursor.fetchall():
                        seen.held.setdefault(relation, set()).add(mode)
                    break
        with closing(writing.cursor()) as cursor:
            cursor.execute("ROLLBACK")

    def _open(self) -> Any:
        """A raw session in autocommit, with the same parameters and no wrapper of ours."""
        connection = self._connection
        raw = connection.get_new_connection(connection.get_connection_params())
        raw.autocommit = True
        return raw
