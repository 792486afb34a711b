"""A statement of somebody else, fit to be shown: without its values, and short."""

from __future__ import annotations

import re

_SINGLE = r"[a-zA-Z]?'(?:[^'\\]|''|\\.)*(?:'|\Z)"
"""'...', also cut off in the middle."""
_DOUBLE = r'"(?:[^"\\]|""|\\.)*(?:"|\Z)'
_BACK = r"`[^`]*(?:`|\Z)"
_DOLLAR = r"(?P<tag>\$\w*\$).*?(?:(?P=tag)|\Z)"
"""$$...$$, of PostgreSQL."""
_COMMENT = r"/\*.*?(?:\*/|\Z)|--[^\n]*"
_NUMBER = r"(?<![\w.$])-?\d[\w.]*"

_STANDARD = re.compile(
    f"(?P<name>{_DOUBLE}|{_BACK})|{_DOLLAR}|{_SINGLE}|{_COMMENT}|{_NUMBER}", re.DOTALL
)
_MYSQL = re.compile(
    f"(?P<name>{_BACK})|{_DOUBLE}|{_SINGLE}|{_COMMENT}|#[^\n]*|{_NUMBER}", re.DOTALL
)


def redacted(sql: str, *, limit: int = 120, mysql: bool = False) -> str:
    """``sql`` on one line with each value and comment as ``?``, at most ``limit`` characters.

    Quoted names stay. ``mysql``: there double quotes may hold a value.
    """
    pattern = _MYSQL if mysql else _STANDARD
    line = " ".join(pattern.sub(lambda found: found["name"] or "?", sql).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
