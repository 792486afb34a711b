"""What an error of a database driver means, where the statement itself is not to blame."""

from __future__ import annotations

from enum import StrEnum

from bot.conf import get_settings


class Trouble(StrEnum):
    """Why a statement failed, where it was not the statement itself."""

    LOCK = "It waited too long for a lock."
    DEADLOCK = "It and another transaction waited for each other, and the database ended it."
    STATEMENT_TIMEOUT = "It ran longer than a statement may."
    CANCELLED = "Somebody cancelled it."
    CONNECTION_LOST = "The connection to the database was lost."


_POSTGRESQL = {
    "55P03": Trouble.LOCK,
    "40P01": Trouble.DEADLOCK,
    "40001": Trouble.DEADLOCK,
    "57014": Trouble.CANCELLED,
    "57P01": Trouble.CONNECTION_LOST,
    "57P02": Trouble.CONNECTION_LOST,
    "57P03": Trouble.CONNECTION_LOST,
    "57P05": Trouble.CONNECTION_LOST,
    "25P03": Trouble.CONNECTION_LOST,
}
"""PostgreSQL's error codes (its manual, appendix A); classes 08 and no code at all are lost too."""

_MYSQL = {
    1205: Trouble.LOCK,
    1213: Trouble.DEADLOCK,
    1969: Trouble.STATEMENT_TIMEOUT,
    3024: Trouble.STATEMENT_TIMEOUT,
    1317: Trouble.CANCELLED,
    1927: Trouble.CONNECTION_LOST,
    2006: Trouble.CONNECTION_LOST,
    2013: Trouble.CONNECTION_LOST,
    2055: Trouble.CONNECTION_LOST,
    4031: Trouble.CONNECTION_LOST,
}
"""Error numbers of MariaDB and MySQL; 1969 is MariaDB's alone, 3024 and 4031 are MySQL's."""

_SQLITE = {5: Trouble.LOCK, 6: Trouble.LOCK, 9: Trouble.STATEMENT_TIMEOUT}
"""SQLITE_BUSY, SQLITE_LOCKED, SQLITE_INTERRUPT: the primary codes, in the lowest 8 bits."""


def trouble(error: BaseException | None) -> Trouble | None:
    """What kind of trouble ``error``, or something it was raised from, is; None for any other.

    PostgreSQL has one code for a cancel and a statement timeout: while a statement timeout is set
    it counts as that, unless the message speaks of a user.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = _of_driver(error)
        if found is not None:
            return found
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return None


def why_retry(error: BaseException) -> str:
    """Why ``error`` may be gone at another try, as a sentence; empty when it would come back.

    It says nothing about whether another try is safe: that depends on what the step left behind.
    """
    found = trouble(error)
    return str(found) if found in (Trouble.LOCK, Trouble.DEADLOCK) else ""


def _of_driver(error: BaseException) -> Trouble | None:
    module = type(error).__module__.partition(".")[0]
    if module in ("psycopg", "psycopg2"):
        return _of_postgresql(error)
    if module in ("MySQLdb", "pymysql"):
        return _MYSQL.get(error.args[0]) if error.args else None
    if module == "sqlite3":
        return _SQLITE.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    return None


def _of_postgresql(error: BaseException) -> Trouble | None:
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if code is None:
        # The driver itself found the connection broken; other errors of it have other classes.
        lost = type(error).__name__ == "OperationalError"
        return Trouble.CONNECTION_LOST if lost else None
    if code == "57014" and "user" not in str(error) and get_settings().statement_timeout:
        return Trouble.STATEMENT_TIMEOUT
    if code == "57014" and "statement timeout" in str(error):
        return Trouble.STATEMENT_TIMEOUT
    return _POSTGRESQL.get(code) or (Trouble.CONNECTION_LOST if code[:2] == "08" else None)
