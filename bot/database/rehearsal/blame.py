"""Failures that say nothing of the migration: the scratch database was lost, full or narrower."""

from __future__ import annotations

from bot.database.errors import first_line
from bot.database.rehearsal.conflicts import chain, mysql_number, sqlstate
from bot.database.rehearsal.vendor import OutOfBounds
from bot.database.trouble import Trouble, trouble

_BROKEN_OFF = (Trouble.CONNECTION_LOST, Trouble.CANCELLED)
_NO_ROOM = ("53", "58", "XX")
_NO_ROOM_NUMBERS = {3, 23, 24, 28, 1021, 1023, 1026, 1030, 1037, 1041, 1114, 1135}
_NO_ROOM_SQLITE = {7, 8, 10, 13, 14}
_NO_RIGHT, _NO_RIGHT_SQLITE = "42501", 23
_NO_RIGHT_NUMBERS = {1044, 1045, 1095, 1142, 1143, 1227, 1370, 1410, 1419}
_NO_ROLE = "42704"
"""SQLSTATEs and their classes (PostgreSQL's manual, appendix A), numbers of MySQL's and MariaDB's
errors, and primary codes of SQLite's (NOMEM, READONLY, IOERR, FULL, CANTOPEN; AUTH)."""


def not_its_fault(error: BaseException) -> str:
    """Why ``error`` tells nothing of the migration itself, as a sentence; empty when it does."""
    for one in chain(error):
        if isinstance(one, OutOfBounds):
            return str(one)
    found = trouble(error)
    if found in _BROKEN_OFF:
        return f"It could not be rehearsed to the end. {found}"
    said = first_line(error).rstrip(".")
    state, number, code = sqlstate(error), mysql_number(error), _sqlite_code(error)
    if state.startswith(_NO_ROOM) or number in _NO_ROOM_NUMBERS or code in _NO_ROOM_SQLITE:
        return f"The scratch database could not go on ({said}), which says nothing of the target."
    if state == _NO_RIGHT or number in _NO_RIGHT_NUMBERS or code == _NO_RIGHT_SQLITE:
        return f"It asks for rights that a rehearsal does not have ({said})."
    if state == _NO_ROLE and 'role "' in said:
        return f"It names a role that is not there in a rehearsal ({said})."
    return ""


def _sqlite_code(error: BaseException) -> int | None:
    codes = (getattr(one, "sqlite_errorcode", None) for one in chain(error))
    return next((code & 0xFF for code in codes if code is not None), None)
