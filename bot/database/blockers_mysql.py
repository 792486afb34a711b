"""Blockers on MariaDB and MySQL, as far as the server tells.

It knows who holds a row (``innodb_lock_waits``; on MySQL 8 ``data_lock_waits``). Who holds a table
only ``performance_schema.metadata_locks`` (MySQL 8) or the plugin ``metadata_lock_info`` (MariaDB)
can say; without them the open transactions and running statements of others are named with a
"perhaps". Each question may need a privilege that this user lacks; then the next one is asked.

InnoDB answers about its transactions from a cache that it renews only when nobody has read it for
0.1 s: ask no more often than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from bot.database.lock_mysql import lock_name
from bot.database.redacting import redacted
from bot.database.trouble import Trouble, trouble

_WAITS = """
SELECT state LIKE '%%metadata lock%%',
       EXISTS (SELECT 1 FROM information_schema.innodb_trx t
               WHERE t.trx_mysql_thread_id = p.id AND t.trx_state = 'LOCK WAIT')
FROM information_schema.processlist p WHERE id = %s
"""

_ROWS_MARIADB = """
SELECT DISTINCT b.trx_mysql_thread_id
FROM information_schema.innodb_lock_waits w
JOIN information_schema.innodb_trx b ON b.trx_id = w.blocking_trx_id
JOIN information_schema.innodb_trx r ON r.trx_id = w.requesting_trx_id
WHERE r.trx_mysql_thread_id = %s
"""

_ROWS_MYSQL = """
SELECT DISTINCT b.processlist_id
FROM performance_schema.data_lock_waits w
JOIN performance_schema.threads b ON b.thread_id = w.blocking_thread_id
JOIN performance_schema.threads r ON r.thread_id = w.requesting_thread_id
WHERE r.processlist_id = %s
"""

_TABLES_MYSQL = """
SELECT DISTINCT b.processlist_id
FROM performance_schema.metadata_locks mine
JOIN performance_schema.threads r ON r.thread_id = mine.owner_thread_id
JOIN performance_schema.metadata_locks theirs
  ON theirs.object_type = mine.object_type AND theirs.object_schema = mine.object_schema
 AND theirs.object_name = mine.object_name AND theirs.lock_status = 'GRANTED'
JOIN performance_schema.threads b ON b.thread_id = theirs.owner_thread_id
WHERE r.processlist_id = %s AND mine.lock_status = 'PENDING' AND b.thread_id <> r.thread_id
"""

_TABLES_MARIADB = """
SELECT DISTINCT m.thread_id, m.table_name
FROM information_schema.metadata_lock_info m
WHERE m.table_schema = DATABASE() AND m.lock_type = 'Table metadata lock'
  AND m.thread_id NOT IN (%s, CONNECTION_ID())
"""

_STATEMENT = "SELECT info FROM information_schema.processlist WHERE id = %s"

_OTHERS = """
SELECT p.id
FROM information_schema.processlist p
JOIN information_schema.innodb_trx t ON t.trx_mysql_thread_id = p.id
WHERE p.id NOT IN (%s, CONNECTION_ID())
UNION
SELECT p.id FROM information_schema.processlist p
WHERE p.db = DATABASE() AND p.command = 'Query' AND p.id NOT IN (%s, CONNECTION_ID())
"""

_OTHERS_UNPRIVILEGED = """
SELECT id FROM information_schema.processlist
WHERE db = DATABASE() AND id NOT IN (%s, CONNECTION_ID())
  AND id <> coalesce(IS_USED_LOCK(%s), 0)
"""

_DETAILS = """
SELECT p.id, p.user, p.host, p.command, p.time, p.state, p.info
FROM information_schema.processlist p WHERE p.id IN ({marks}) ORDER BY p.time DESC, p.id LIMIT 20
"""

_OPEN_SINCE = """
SELECT trx_mysql_thread_id, timestampdiff(SECOND, trx_started, now())
FROM information_schema.innodb_trx
"""


class MysqlLook:
    """Who blocks ``working``, asked over ``side``."""

    def __init__(self, working: BaseDatabaseWrapper, side: BaseDatabaseWrapper) -> None:
        self._working = working
        self._side = side
        self._mine = 0
        if working.connection is not None:
            self._opened(connection=working)
        connection_created.connect(self._opened)

    def _opened(self, *, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        """Its number is asked for in its own thread: the driver lets no other touch it."""
        if connection is self._working:
            self._mine = connection.connection.thread_id()

    def __call__(self) -> tuple[str, ...]:
        mine = self._mine
        if not mine:
            return ()
        for_table, for_row = self._waits(mine)
        if for_row:
            rows = _ROWS_MARIADB if self._is_mariadb else _ROWS_MYSQL
            if found := self._try(rows, [mine]):
                return self._words(ids(found))
        elif not for_table:
            return ()
        if found := self._holders_of_table(mine):
            return self._words(ids(found))
        others = self._try(_OTHERS, [mine, mine])
        if not others:  # Not allowed, or InnoDB's list is old.
            lock = lock_name(str(self._side.settings_dict["NAME"]), "main")
            others = self._try(_OTHERS_UNPRIVILEGED, [mine, lock])
        return tuple(f"perhaps {words}" for words in self._words(ids(others or [])))

    @property
    def _is_mariadb(self) -> bool:
        return bool(self._side.mysql_is_mariadb)  # type: ignore[attr-defined]

    def _waits(self, mine: int) -> tuple[bool, bool]:
        """Whether our statement waits for a table, and whether for a row."""
        found = self._try(_WAITS, [mine])
        if found is None:  # Without the privilege PROCESS only our own user's threads are seen.
            state = "SELECT state LIKE '%%lock%%', 0 FROM information_schema.processlist"
            found = self._try(f"{state} WHERE id = %s", [mine])
        return (bool(found[0][0]), bool(found[0][1])) if found else (False, False)

    def _holders_of_table(self, mine: int) -> list[tuple[Any, ...]]:
        if not self._is_mariadb:
            return self._try(_TABLES_MYSQL, [mine]) or []
        held = self._try(_TABLES_MARIADB, [mine]) or []
        statement = self._try(_STATEMENT, [mine])
        text = str(statement[0][0] or "").lower() if statement else ""
        # It does not say which table is waited for; one that our statement names.
        return [row for row in held if str(row[1]).lower() in text]

    def _words(self, numbers: list[int]) -> tuple[str, ...]:
        if not numbers:
            return ()
        marks = ", ".join(["%s"] * len(numbers))
        details = self._try(_DETAILS.format(marks=marks), numbers) or []
        since = dict(self._try(_OPEN_SINCE, []) or [])
        return tuple(_describe(row, since.get(row[0])) for row in details)

    def _try(self, sql: str, params: Sequence[int | str]) -> list[tuple[Any, ...]] | None:
        """The rows, or None where the server has no such table or does not let us ask."""
        try:
            with self._side.cursor() as cursor:
                cursor.execute(sql, params)
                return list(cursor.fetchall())
        except DatabaseError as error:
            if isinstance(error, OperationalError) and trouble(error) is Trouble.CONNECTION_LOST:
                raise
            return None


def ids(rows: Iterable[tuple[Any, ...]]) -> list[int]:
    """The connection numbers in the first column, each once."""
    return list(dict.fromkeys(int(row[0]) for row in rows))


def _describe(row: tuple[Any, ...], open_for: int | None) -> str:
    number, user, host, command, seconds, state, info = row
    who = f"{user}@{str(host).partition(':')[0]} (connection {number})"
    idle = command == "Sleep"
    if idle and open_for is not None:
        parts = [who, f"idle in a transaction for {open_for} s"]
    elif idle:
        parts = [who, f"idle for {seconds} s"]
    else:
        parts = [who, f"active for {seconds} s"]
    if state and "lock" in str(state).lower() and not idle:
        parts.append("waiting for a lock itself")
    if info and not idle:
        parts.append(f"statement: {redacted(str(info), mysql=True)}")
    return ", ".join(parts)
