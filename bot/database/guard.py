"""What stands in front of every cursor while a plan is made, and lets only reads through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from bot.rows import joined


class WriteRefused(RuntimeError):
    """Something tried to change a database while a plan was being made."""


_QUOTED = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | --[^\n]*\n? | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
_UNSURE = re.compile(
    r"""\\ | \$\w*\$ | /\*! | /\*(?:(?!\*/).)*/\* | \# | --\S | \r(?!\n) | \[[^\]]*['"`]""",
    re.VERBOSE | re.DOTALL,
)
"""Where servers differ about what is quoted and what is a comment: a backslash may escape a quote.
PostgreSQL has dollar quotes and comments in comments, and ends a comment at a carriage return.
MySQL has ``#``, runs what is in ``/*!``, and takes ``--`` for a comment only before a space. SQLite
has square brackets."""
_FIRST_WORDS = {
    "SELECT",
    "WITH",
    "VALUES",
    "TABLE",
    "SHOW",
    "DESCRIBE",
    "DESC",
    "EXPLAIN",
    "PRAGMA",
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
}
_WRITING = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|REPLACE\s+INTO|INTO|ANALYZE|ANALYSE|CREATE|ALTER|DROP|TRUNCATE"
    r"|GRANT|REVOKE|LOCK|NEXTVAL|SETVAL|SET_CONFIG|GET_LOCK|LOAD_FILE|DBLINK\w*|LO_\w+"
    r"|PG_(?:TRY_)?ADVISORY\w*|PG_TERMINATE_BACKEND|PG_CANCEL_BACKEND|PG_NOTIFY"
    r"|PG_SLEEP|SLEEP|BENCHMARK|LOAD_EXTENSION)\b",
    re.IGNORECASE,
)
_PRAGMAS = {
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "foreign_keys",
    "query_only",
    "database_list",
    "collation_list",
}


@lru_cache(maxsize=128)
def is_read(sql: str) -> bool:
    """Whether the guard lets this text through. What it does not know, it refuses."""
    # Where we cannot tell what is quoted, nothing is.
    bare = sql if _UNSURE.search(sql) else _QUOTED.sub(" q ", sql)
    bare = bare.strip().rstrip(";").strip()
    if ";" in bare:
        return False
    if bare.upper() in ("BEGIN", "COMMIT"):  # An atomic() around reads, as SQLite's backend has it.
        return True
    first = re.match(r"\(*\s*([A-Za-z]+)", bare)
    if first is None or first[1].upper() not in _FIRST_WORDS:
        return False
    if first[1].upper() == "PRAGMA":
        pragma = re.match(r"PRAGMA\s+(?:\w+\.)?(\w+)([^=]*)$", bare, re.IGNORECASE)
        return pragma is not None and pragma[1].lower() in _PRAGMAS
    return _WRITING.search(bare) is None


class Guard:
    """An execute wrapper that refuses what is not a read, and counts what it let through."""

    def __init__(self) -> None:
        self.reads = 0
        self.connecting = False
        """While a connection is made, Django and the project set it up; that must go through."""
        self._checked = ""

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if self.connecting:
            return execute(sql, params, many, context)
        text = str(sql)
        if many or not (text == self._checked or is_read(text)):
            raise WriteRefused(f"it tried to change the database: {text[:200]}")
        self.reads += 1
        return execute(sql, params, many, context)

    @contextmanager
    def several(self, texts: Sequence[str]) -> Iterator[None]:
        """Let these through as one text, where each of them is a read. Raises WriteRefused."""
        for text in texts:
            if not is_read(text):
                raise WriteRefused(f"it tried to change the database: {text[:200]}")
        self._checked = joined(texts)
        try:
            yield
        finally:
            self._checked = ""
