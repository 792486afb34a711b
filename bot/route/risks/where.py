"""Which rows the WHERE of an UPDATE or DELETE leaves out, as far as its text says."""

from __future__ import annotations

import re

_WHERE = re.compile(r"\bWHERE\b", re.IGNORECASE)
_LIMIT = re.compile(r"\bLIMIT\b", re.IGNORECASE)
_FINDS_ALL = re.compile(
    r"(?:\S+\s+IS\s+(?:NOT\s+)?NULL|NOT\b.*|true|1\s*=\s*1|\S+\s*(?:<>|!=).*)", re.IGNORECASE
)
"""What a backfill says: it finds every row of a column that was just added."""
_NAME = r'"?[a-z_]\w*"?'
_JOIN = re.compile(rf"(?:{_NAME}\.)?{_NAME}\s*=\s*(?:{_NAME}\.)?{_NAME}", re.IGNORECASE)
_ID = rf'(?:{_NAME}\.)?"?id"?'
_KEY = re.compile(rf"""{_ID}\s*(?:=|\bIN\b)[(\s]*+(?![a-z_"`])""", re.IGNORECASE)
"""A value follows, not a name: the brackets and blanks before it are not given back."""
_RANGE = re.compile(rf"{_ID}\s*(?:BETWEEN\s+(\d+)\s+AND\s+|<=?\s*)(\d+)\b", re.IGNORECASE)
_FIRST = re.compile(
    rf"{_ID}\s+IN\s*\(\s*SELECT\b.*\bLIMIT\s+(\d+)\s*(?:FOR UPDATE(?: SKIP LOCKED)?)?\s*\)",
    re.IGNORECASE,
)
FEW = 100_000
"""Up to so many keys a batch is one that is not felt; ``words.LARGE_ROWS`` is as much."""


def narrows(sql: str, *, may_join: bool) -> bool:
    """Whether a WHERE or LIMIT leaves rows out. One that finds what is NULL, or only joins another
    table, may find them all."""
    condition = _condition(sql)
    if not condition:
        return _outside(_LIMIT, sql) is not None
    if _FINDS_ALL.fullmatch(condition):
        return False
    return not (may_join and _JOIN.fullmatch(condition))


def names_keys(sql: str) -> bool:
    """Whether a WHERE begins with values of ``id``, has no other way to find rows, and names few:
    a range is as wide as its numbers say."""
    condition = _condition(sql)
    if first := _FIRST.fullmatch(condition):
        return int(first[1]) < FEW
    if re.search(r"\bOR\b|\bSELECT\b", condition, re.IGNORECASE):
        return False
    if bounds := _RANGE.match(condition):
        return int(bounds[2]) - int(bounds[1] or 0) < FEW
    return bool(_KEY.match(condition))


def _condition(sql: str) -> str:
    """What follows the statement's own WHERE; empty without one. A SELECT in brackets has its own,
    which says nothing of the rows that are written."""
    found = _outside(_WHERE, sql)
    return "" if found is None else sql[found.end() :].strip()


def _outside(pattern: re.Pattern[str], sql: str) -> re.Match[str] | None:
    """The first place outside of brackets where it stands; ``sql`` has no literals in it."""
    for found in pattern.finditer(sql):
        before = re.sub(r'"[^"]*"|`[^`]*`', "", sql[: found.start()])
        if before.count("(") == before.count(")"):
            return found
    return None
