"""Statements that hide what they write: behind WITH, MERGE, or a SELECT that locks rows."""

from __future__ import annotations

import re

_CTE = re.compile(
    r"\s*(?:WITH\s+(?:RECURSIVE\s+)?|,\s*)\"?([\w$]+)\"?\s*(?:\([^)]*\)\s*)?AS\s*"
    r"(?:(?:NOT\s+)?MATERIALIZED\s*)?\(",
    re.IGNORECASE,
)
_MERGE = re.compile(
    r"MERGE\s+INTO\s+(?:ONLY\s+)?(?P<into>\S+)\s.*?\bUSING\s+(?:ONLY\s+)?(?P<using>\(|\S+)",
    re.IGNORECASE,
)
_LOCKS_ROWS = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+UPDATE|UPDATE|KEY\s+SHARE|SHARE)\b", re.IGNORECASE)


def locks_rows(sql: str) -> bool:
    """Whether a SELECT keeps the rows that it finds locked."""
    return bool(_LOCKS_ROWS.search(sql))


def parts_of_with(sql: str) -> tuple[list[str], list[str]]:
    """The names that WITH gives, and its queries with the one that it introduces as the last."""
    names: list[str] = []
    parts: list[str] = []
    place = 0
    while found := _CTE.match(sql, place):
        end = _closing(sql, found.end())
        names.append(found[1])
        parts.append(sql[found.end() : end].strip())
        place = end + 1
    return names, [*parts, sql[place:].strip()]


def parts_of_merge(sql: str) -> list[str]:
    """What MERGE does, as the UPDATE, DELETE and INSERT that would do the same."""
    found = _MERGE.match(sql)
    if found is None:
        return []
    into, using = found["into"], found["using"]
    doing = re.findall(r"\bTHEN\s+(UPDATE|DELETE|INSERT)\b", sql, re.IGNORECASE)
    source = "" if using == "(" else f"SELECT FROM {using}"
    words = {"UPDATE": "UPDATE {} SET", "DELETE": "DELETE FROM {}", "INSERT": "INSERT INTO {} {}"}
    return [words[one.upper()].format(into, source) for one in dict.fromkeys(doing)]


def _closing(sql: str, start: int) -> int:
    """Where the bracket closes that was opened before ``start``."""
    depth = 1
    for place in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if not depth:
            return place
    return len(sql)
