"""What an error says about rows: whether other values would not have met it."""

from __future__ import annotations

from bot.database.trouble import Trouble, trouble

_RULES = {"23503", "23505", "23514", "23P01"}
_ABSENT = {"23502"}
_DATA = ("22", "23")
_RULE_NUMBERS = {1062, 1169, 1216, 1217, 1451, 1452, 3819, 4025}
_ABSENT_NUMBERS = {1048, 1138, 1263, 1364}
_DATA_NUMBERS = {1264, 1265, 1292, 1366, 1406, 1411, 1690}
_MYSQL_DRIVERS = ("MySQLdb", "pymysql")
_SQLITE_RULES = (
    "CHECK constraint failed",
    "UNIQUE constraint failed",
    "FOREIGN KEY",
    "has an invalid foreign key",  # Django's own words, where it checks them itself.
)
"""Codes: PostgreSQL's manual, appendix A; the lists of MySQL's and MariaDB's error numbers."""


def breaks_a_rule(error: BaseException) -> bool:
    """A unique constraint, a check or a foreign key refused it: with other values it may pass."""
    state = sqlstate(error)
    if state:
        return state in _RULES
    number = mysql_number(error)
    if number is not None:
        return number in _RULE_NUMBERS
    return any(words in text for text in _texts(error) for words in _SQLITE_RULES)


def is_about_rows(error: BaseException) -> bool:
    """Whether the rows that are there made it fail, and not the statement alone."""
    if trouble(error) in (Trouble.LOCK, Trouble.STATEMENT_TIMEOUT, Trouble.CONNECTION_LOST):
        return False
    state = sqlstate(error)
    if state:
        return state.startswith(_DATA)
    number = mysql_number(error)
    if number is not None:
        return number in _RULE_NUMBERS | _ABSENT_NUMBERS | _DATA_NUMBERS
    return (
        any(
            words in text
            for text in _texts(error)
            for words in (*_SQLITE_RULES, "NOT NULL constraint")
        )
        or type(error).__name__ == "IntegrityError"
    )


def fails_with_any_row(error: BaseException) -> bool:
    """Where plain rows make it fail too: whether any would (a value that is missing, or one that is
    the same for all)."""
    state = sqlstate(error)
    if state:
        return state in _ABSENT | {"23505"}
    number = mysql_number(error)
    if number is not None:
        return number in _ABSENT_NUMBERS | {1062}
    return any(
        words in text
        for text in _texts(error)
        for words in ("NOT NULL constraint failed", "UNIQUE constraint failed")
    )


def chain(error: BaseException) -> list[BaseException]:
    """The error and all that it was raised from."""
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return found


def sqlstate(error: BaseException) -> str:
    """PostgreSQL's. MySQL's, which PyMySQL tells too, are too coarse: 01000 for a value cut off."""
    for one in chain(error):
        if type(one).__module__.partition(".")[0] in _MYSQL_DRIVERS:
            continue
        state = getattr(one, "sqlstate", None) or getattr(one, "pgcode", None)
        if state:
            return str(state)
    return ""


def mysql_number(error: BaseException) -> int | None:
    """The number of MySQL's or MariaDB's own error; None where there is none."""
    for one in chain(error):
        if type(one).__module__.partition(".")[0] in _MYSQL_DRIVERS and one.args:
            return one.args[0] if isinstance(one.args[0], int) else None
    return None


def _texts(error: BaseException) -> list[str]:
    return [str(one) for one in chain(error)]
