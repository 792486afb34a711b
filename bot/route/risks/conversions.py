"""Which values a change of type refuses, and which it cuts without a word, as SQL that finds them.

Measured on PostgreSQL 15 and MariaDB 10.11, as ``ALTER COLUMN … TYPE`` and ``MODIFY`` treat each
value. SQLite keeps any value in any column, so there is nothing to ask.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.route.risks import types
from bot.route.risks.types import Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Values for which ``bad`` is true are refused, or cut where ``cuts``. ``what`` says of them
    what follows "values": ``values of t.c [are longer than 20 characters]``; ``lost`` what is cut.
    Without ``bad`` nobody can ask, and ``why_not`` says why."""

    bad: str = ""
    what: str = ""
    cuts: bool = False
    lost: str = ""
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What decides how values are converted. ``strict`` is MySQL's strict mode, without which it
    cuts what it would else refuse; ``casts`` whether the statement has a USING (PostgreSQL)."""

    vendor: str
    version: tuple[int, ...] = ()
    strict: bool = True
    casts: bool = False

    @property
    def is_mysql(self) -> bool:
        return self.vendor == "mysql"


def conversions(before: str, after: str, *, column: str, server: Server) -> Iterator[Conversion]:
    """What to ask about ``column`` (quoted) when its type changes; nothing where all values fit."""
    old, new = types.read(before), types.read(after)
    if server.vendor == "sqlite" or types.fits(before, after):
        return
    known = _READERS.get((old.family, new.family))
    found = list(known(old, new, column, server)) if known else [_nobody_knows(before, after)]
    for one in found:
        if server.is_mysql and not server.strict and one.bad and not one.cuts:
            yield Conversion(bad=one.bad, what=one.what, cuts=True, lost="what does not fit")
        else:
            yield one


def _nobody_knows(before: str, after: str) -> Conversion:
    return Conversion(why_not=f"nobody here knows which values of {before} are none of {after}")


# Text


def _to_shorter_text(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    """Both forgive spaces at the end, but MariaDB does not where a varchar is shortened."""
    if new.length is None:
        return
    if old.family != "text":
        cast = f"CAST({column} AS CHAR)" if server.is_mysql else f"({column})::text"
    elif server.is_mysql and old.word == "varchar":
        cast = column
    else:
        cast = f"rtrim({column})" if server.is_mysql else f"rtrim(({column})::text)"
    cuts = server.vendor == "postgresql" and server.casts
    yield Conversion(
        bad=f"char_length({cast}) > {new.length}",
        what=f"longer than {new.length} {'character' if new.length == 1 else 'characters'}",
        cuts=cuts,
        lost="what is longer" if cuts else "",
    )


_SPACE = "[[:space:]]*"
_INTEGER = f"^{_SPACE}[-+]?[0-9]+{_SPACE}$"
_DECIMAL = r"[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]+)?"
_INFINITY = "[-+]?[iI][nN][fF]([iI][nN][iI][tT][yY])?"
_NUMBER = f"^{_SPACE}{_DECIMAL}{_SPACE}$"
_PATTERNS = {
    "integer": _INTEGER,
    "decimal": f"^{_SPACE}({_DECIMAL}|[nN][aA][nN]){_SPACE}$",
    "float": f"^{_SPACE}({_DECIMAL}|[nN][aA][nN]|{_INFINITY}){_SPACE}$",
    "boolean": "^ *(t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|1|0) *$",
    "uuid": "^[{]?([0-9a-f]{4}-?){7}[0-9a-f]{4}[}]?$",
}
"""What PostgreSQL before 16 reads as each of these; from 16 on it can be asked itself."""


def _from_text(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    words = f"not {_ARTICLES.get(new.family, new.word)}"
    if server.is_mysql:
        yield from _from_text_on_mysql(new, column, words)
        return
    text = f"({column})::text"
    if server.version >= (16,):
        yield Conversion(bad=f"NOT pg_input_is_valid({text}, '{_spelled(new)}')", what=words)
        numeric = f"pg_input_is_valid({text}, 'numeric')"
    elif new.family in _PATTERNS:
        low = f"lower({text})" if new.family in ("boolean", "uuid") else text
        matches = f"{low} ~ '{_PATTERNS[new.family]}'"
        bad = f"NOT ({matches})"
        if new.family in ("integer", "decimal") and (outside := _outside(new, f"{text}::numeric")):
            bad = f"CASE WHEN {matches} THEN {outside} ELSE true END"
            words = f"{words} that fits"
        yield Conversion(bad=bad, what=words)
        numeric = f"{text} ~ '{_NUMBER}'"
    else:
        yield Conversion(
            why_not=f"before version 16 PostgreSQL cannot be asked what is {words[4:]}"
        )
        return
    if new.family == "decimal" and new.digits is not None:
        cut = f"{text}::numeric <> round({text}::numeric, {new.scale})"
        yield _rounded(f"CASE WHEN {numeric} THEN {cut} ELSE false END", new)


def _from_text_on_mysql(new: Type, column: str, words: str) -> Iterator[Conversion]:
    if new.family == "integer":
        outside = _outside(new, f"CAST({column} AS DECIMAL(65,0))")
        bad = f"CASE WHEN {column} REGEXP '{_INTEGER}' THEN {outside} ELSE TRUE END"
        yield Conversion(bad=bad, what=f"{words} that fits")
    elif new.family == "decimal" and new.digits is not None:
        number = f"CAST({column} AS DECIMAL(65,30))"
        outside = _outside(new, number)
        matches = f"{column} REGEXP '{_NUMBER}'"
        bad = f"CASE WHEN {matches} THEN {outside} ELSE TRUE END"
        yield Conversion(bad=bad, what=f"{words} that fits")
        cut = f"{number} <> round({number}, {new.scale})"
        yield _rounded(f"CASE WHEN {matches} THEN {cut} ELSE FALSE END", new)
    elif new.family == "float":
        yield Conversion(bad=f"NOT ({column} REGEXP '{_NUMBER}')", what=words)
    elif new.family == "json":
        yield Conversion(bad=f"NOT json_valid({column})", what=words)
    else:
        yield Conversion(why_not=f"this server cannot be asked what is {words[4:]}")


_ARTICLES = {
    "integer": "a whole number",
    "decimal": "a number",
    "float": "a number",
    "boolean": "true or false",
    "date": "a date",
    "time": "a time",
    "datetime": "a moment",
    "uuid": "a UUID",
    "jsonb": "JSON",
    "json": "JSON",
}


def _spelled(one: Type) -> str:
    """The type as PostgreSQL writes it, without what is no part of the type itself."""
    if one.digits is not None:
        return f"numeric({one.digits},{one.scale})"
    return {"serial": "integer", "bigserial": "bigint", "smallserial": "smallint"}.get(
        one.word, one.word
    )


# Numbers


def _bounds(one: Type) -> tuple[int, int]:
    bits = 8 * one.width
    return (0, 2**bits - 1) if one.unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _outside(new: Type, number: str) -> str:
    """SQL that is true of a number which the type has no room for; empty where there is none."""
    if new.family == "integer":
        low, high = _bounds(new)
        return f"round({number}) NOT BETWEEN {low} AND {high}"
    if new.digits is None:
        return ""
    return f"abs(round({number}, {new.scale})) >= 1{'0' * (new.digits - new.scale)}"


def _to_integer(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    low, high = _bounds(new)
    bad = f"{column} NOT BETWEEN {low} AND {high}"
    if old.family != "integer":
        bad = _outside(new, column)
    yield Conversion(bad=bad, what=f"outside of {low} to {high}")
    if old.family == "float" or (old.family == "decimal" and (old.digits is None or old.scale)):
        yield Conversion(
            bad=f"{column} <> round({column})",
            what="no whole number",
            cuts=True,
            lost="what stands after the decimal point",
        )


def _to_decimal(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    if new.digits is None:
        return
    number = f"({column})::numeric" if server.vendor == "postgresql" else column
    bad = _outside(new, number)
    if server.vendor == "postgresql" and old.family != "integer":
        bad = f"({number} <> 'NaN' AND {bad})"
    room = new.digits - new.scale
    places = "digit" if room == 1 else "digits"
    yield Conversion(bad=bad, what=f"of more than {room} {places} before the decimal point")
    if old.family != "integer" and (old.digits is None or new.scale < old.scale):
        yield _rounded(f"{number} <> round({number}, {new.scale})", new)


def _rounded(bad: str, new: Type) -> Conversion:
    places = "decimal place" if new.scale == 1 else "decimal places"
    return Conversion(
        bad=bad,
        what=f"of more than {new.scale} {places}",
        cuts=True,
        lost="the digits beyond",
    )


def _to_float(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    """Through text: PostgreSQL's own cast of a float to numeric rounds to 15 digits."""
    if old.family == "integer" and old.width < 8:
        return
    if server.is_mysql:
        yield Conversion(why_not="this server cannot be asked which digits a float cannot hold")
        return
    yield Conversion(
        bad=f"({column})::double precision::text::numeric <> ({column})::numeric",
        what="of more digits than a float holds",
        cuts=True,
        lost="the digits beyond",
    )


def _to_boolean(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    if server.is_mysql:
        yield Conversion(bad=f"{column} NOT BETWEEN -128 AND 127", what="outside of -128 to 127")
    elif old.width == 4:
        yield Conversion(
            bad=f"{column} NOT IN (0, 1)", what="neither 0 nor 1", cuts=True, lost="the number"
        )
    else:
        yield Conversion(bad=f"{column} IS NOT NULL", what="there at all (PostgreSQL has no cast)")


# Times


def _to_date(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    of_day = f"time({column})" if server.is_mysql else f"({column})::time"
    yield Conversion(
        bad=f"{of_day} <> '00:00:00'", what="not at midnight", cuts=True, lost="the time of day"
    )


def _to_time(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    yield Conversion(bad=f"{column} IS NOT NULL", what="on a date", cuts=True, lost="the date")


def _nothing(old: Type, new: Type, column: str, server: Server) -> Iterator[Conversion]:
    return iter(())


_NUMBERS = ("integer", "decimal", "float")
_READERS = {
    ("text", "text"): _to_shorter_text,
    **{(one, "text"): _to_shorter_text for one in (*_NUMBERS, "boolean", "date", "datetime",
       "time", "uuid")},
    **{("text", one): _from_text for one in _ARTICLES},
    **{(one, "integer"): _to_integer for one in _NUMBERS},
    **{(one, "decimal"): _to_decimal for one in _NUMBERS},
    ("integer", "float"): _to_float,
    ("decimal", "float"): _to_float,
    ("integer", "boolean"): _to_boolean,
    ("boolean", "integer"): _nothing,
    ("datetime", "date"): _to_date,
    ("datetime", "time"): _to_time,
    ("date", "datetime"): _nothing,
}  # fmt: skip
