"""What the working connection sends during a step: counted, and the statement that failed kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connections

READS = ("SELECT", "SHOW", "EXPLAIN", "SET", "RESET", "PRAGMA", "USE")
MARKS = ("BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "END")
DDL = ("CREATE", "ALTER", "DROP", "COMMENT", "RENAME", "REINDEX", "TRUNCATE")
LIMIT = 20_000
"""Characters kept of a statement."""

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()+", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedStatement:
    """A statement and what it raised. ``sql`` holds no values but those that DDL needs."""

    database: str
    sql: str
    error: BaseException
    in_transaction: bool


class Statements:
    """Counts what is written, for each database, and keeps the last statement that failed."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.failed: FailedStatement | None = None
        self.written = 0
        self.written_elsewhere = 0

    def forget(self) -> None:
        """A new step begins."""
        self.failed, self.written, self.written_elsewhere = None, 0, 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch every connection of this thread for as long as this lasts."""
        with ExitStack() as stack:
            for alias in connections:
                stack.enter_context(connections[alias].execute_wrapper(self._execute))
            yield

    def failure_behind(self, error: BaseException) -> FailedStatement | None:
        """The statement that raised ``error``, or something ``error`` was raised from."""
        seen: set[int] = set()
        at: BaseException | None = error
        while at is not None and id(at) not in seen:
            if self.failed is not None and self.failed.error is at:
                return self.failed
            seen.add(id(at))
            at = at.__cause__ or at.__context__
        return None

    def _execute(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        connection = context["connection"]
        try:
            result = execute(sql, params, many, context)
        except BaseException as error:
            self.failed = FailedStatement(
                database=connection.alias,
                sql=shown(str(sql), params),
                error=error,
                in_transaction=connection.in_atomic_block,
            )
            raise
        if is_write(str(sql)):
            if connection.alias == self.database:
                self.written += 1
            else:
                self.written_elsewhere += 1
        return result


def first_word(sql: str) -> str:
    """The statement's first word in capitals, after comments and brackets."""
    words = _COMMENTS.sub("", sql)[:20].split(maxsplit=1)
    return words[0].upper().rstrip(";") if words else ""


def is_write(sql: str) -> bool:
    """Whether it may leave something behind. What is not known to be harmless may.

    Of several statements in one text only the first is read: Django sends ``SET CONSTRAINTS …;
    ALTER TABLE …`` so.
    """
    return first_word(sql) not in (*READS, *MARKS, "") or ";" in sql.rstrip("; \n")


def leaves_traces(sql: str) -> bool:
    """Whether it leaves something behind even when it fails (an invalid index, for one)."""
    return bool(re.search(r"\bCONCURRENTLY\b", sql, re.IGNORECASE))


def shown(sql: str, params: Any) -> str:
    """The text for people. Parameters only of DDL, where they are defaults; never those of rows."""
    if params and first_word(sql) in DDL and isinstance(params, (list, tuple)):
        sql = f"{sql}  -- with {', '.join(repr(value) for value in params)}"
    return sql if len(sql) <= LIMIT else sql[: LIMIT - 3] + "..."
