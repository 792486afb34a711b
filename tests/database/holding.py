"""Who holds the lock of a database, for tests that only look."""

from __future__ import annotations

import contextlib
import fcntl

from bot.database import lock, lock_postgresql, lock_sqlite
from bot.database.lock_mysql import MysqlKeys
from bot.database.lock_postgresql import MAIN, WORK, PostgresqlKeys, application_name
from bot.database.lock_sqlite import SqliteKeys

LOOKER = "is it held?"
"""What the server shows for the connection of who looks."""


def is_held(database: str) -> str | None:
    """The holder's words, or None. Also an orphaned statement of a dead holder counts as one.

    It takes nothing, so it never makes anybody else's attempt fail on PostgreSQL and MariaDB; on
    SQLite the other side tries again for a moment. Raises what taking the lock raises.
    """
    keys = lock._keys(database)
    if isinstance(keys, PostgresqlKeys):
        return _on_postgresql(keys)
    if isinstance(keys, MysqlKeys):
        return _on_mysql(keys)
    assert isinstance(keys, SqliteKeys)
    return _on_sqlite(keys)


def _on_postgresql(keys: PostgresqlKeys) -> str | None:
    with contextlib.closing(keys._open(application_name(LOOKER))) as side:
        if main := lock_postgresql._held(side, MAIN):
            return lock_postgresql._main(main)
        orphan = lock_postgresql._held(side, WORK)
        return lock_postgresql._orphan(orphan) if orphan else None


def _on_mysql(keys: MysqlKeys) -> str | None:
    with contextlib.closing(keys._open(LOOKER)) as side, side.cursor() as cursor:
        used = {}
        for key in ("main", "work"):
            cursor.execute("SELECT IS_USED_LOCK(%s)", [keys._key(key)])
            (used[key],) = cursor.fetchone()
        if used["main"]:
            return keys._who(side, "main")
        return keys._orphan(side) if used["work"] else None


def _on_sqlite(keys: SqliteKeys) -> str | None:
    if keys._path is None or not keys._path.exists():
        return None
    with keys._path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock_sqlite._words(file.fileno())
    return None
