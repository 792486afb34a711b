"""An error of somebody's migration, told so that it can be shown: without values of rows."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LIMIT = 20_000
"""Characters kept of a traceback: its end, where the error is."""
ROWS = ("22", "23")
"""Classes of SQLSTATE whose details quote values: data exceptions and broken constraints."""
LEFT_OUT = "(left out, since it quotes values of rows)"

OUT = "(left out)"

_QUOTED = re.compile(r"""["'`«»„“”‘’‹›「].*["'`«»„“”‘’‹›」]""", re.DOTALL)
"""From the first quotation mark to the last, in whatever language the server speaks."""

_MYSQL_QUOTES = frozenset({1062, 1292, 1300, 1366, 1367, 1411, 1525, 1526, 1586, 3156})
"""Messages with a value in them, of MySQL and MariaDB (their lists of server error messages).
1264, 1265 and 1406 name the column alone."""
_IN_MESSAGE = re.compile(
    r"""^([^']*)'.*'(\ for\ key\ '[^']*'
        | \ for\ column\ (?:[`'][^`']*[`']\.?)+\ at\ row\ \d+
        | \ for\ function\ \w+
        )$""",
    re.DOTALL | re.VERBOSE,
)
"""A value in quotation marks, whatever it holds, and the names that follow it, which stay."""

_DJANGO = (
    re.compile(r"(with primary key ').*?(' has an invalid foreign key)", re.DOTALL),
    re.compile(r"(contains a value ').*?(' that does not have a corresponding value)", re.DOTALL),
)
"""Django's own check of foreign keys on SQLite and MySQL (``check_constraints``)."""

_FUNCTION = re.compile(r"<function ([^<> ]+) at 0x[0-9a-fA-F]+>")
"""How Python shows a function, and so Django an operation that runs one: its address is noise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``error`` is what it says, ``error_type`` its class, ``traceback`` where it came from."""

    error: str
    error_type: str
    traceback: str


def tell(error: BaseException) -> Told:
    """``error`` in words. Where the database quotes a row, the quotation is left out."""
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return Told(
        error=_FUNCTION.sub(r"\1", without_rows(str(error), error)).strip() or kind.__name__,
        error_type=f"{module}{kind.__qualname__}",
        traceback=without_rows("".join(traceback.format_exception(error)), error)[-LIMIT:],
    )


def first_line(error: BaseException) -> str:
    """What it says in one line; drivers add details and where it is in further ones."""
    lines = [line for line in tell(error).error.splitlines() if line.strip() and line != LEFT_OUT]
    return lines[0].strip() if lines else type(error).__name__


def without_rows(text: str, error: BaseException) -> str:
    """``text`` without what a database quotes of rows in the errors behind ``error``.

    What a migration's own Python puts into an error's words cannot be told from its words.
    """
    for each in _chain(error):
        for quoting, told in (*_postgresql(each), *_mysql(each)):
            text = text.replace(quoting, told) if quoting else text
    for pattern in _DJANGO:
        text = pattern.sub(rf"\1{OUT}\2", text)
    return text


def _postgresql(error: BaseException) -> Iterator[tuple[str, str]]:
    """Details and context (libpq's PQresultErrorField), the line of the statement, in which values
    stand, and in data exceptions what the message itself quotes."""
    diagnosis: Any = getattr(error, "diag", None)
    state = str(getattr(diagnosis, "sqlstate", None) or "")
    if not state.startswith(ROWS):
        return
    said = str(diagnosis.message_primary or "")
    told = _QUOTED.sub(OUT, said) if state.startswith("22") else said
    more = any((diagnosis.message_detail, diagnosis.context, diagnosis.statement_position))
    yield str(error), f"{told}\n{LEFT_OUT}" if more else told
    yield str(diagnosis.message_detail or ""), LEFT_OUT
    yield str(diagnosis.context or ""), LEFT_OUT
    if told != said:
        yield said, told


def _mysql(error: BaseException) -> Iterator[tuple[str, str]]:
    """The drivers' errors have two arguments, the server's number and its message."""
    match error.args:
        case (int() as number, str() as said) if number in _MYSQL_QUOTES:
            told = _IN_MESSAGE.sub(rf"\1{OUT}\2", said)
            if told == said:
                told = _QUOTED.sub(OUT, said)
            yield str(error), str((number, told))
            yield said, told


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in found:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
