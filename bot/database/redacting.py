"""A statement of somebody else, fit to be shown: without its values, and short."""

from __future__ import annotations

import re

_VALUES = re.compile(
    r"""
      (?P<dollar>\$\w*\$).*?(?:(?P=dollar)|\Z)       # $$ ... $$, of PostgreSQL
    | [a-zA-Z]?'(?:[^'\\]|''|\\.)*(?:'|\Z)           # '...', also cut off in the middle
    | /\*.*?(?:\*/|\Z) | --[^\n]*                    # comments
    | (?<![\w"`$.])-?\d[\w.]*                        # numbers
    """,
    re.VERBOSE | re.DOTALL,
)


def redacted(sql: str, limit: int = 120) -> str:
    """``sql`` on one line with every value and comment as ``?``, at most ``limit`` characters.

    Names in double quotes and backquotes stay, though in MySQL double quotes may hold a value:
    give such text to ``redacted_mysql``.
    """
    return _short(_VALUES.sub("?", sql), limit)


def redacted_mysql(sql: str, limit: int = 120) -> str:
    """As ``redacted``, where double quotes hold values."""
    return redacted(re.sub(r'"(?:[^"\\]|""|\\.)*(?:"|\Z)', "'?'", sql, flags=re.DOTALL), limit)


def _short(text: str, limit: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 3] + "..."
