"""Statements that reach further than one database: they are not run in a rehearsal.

A rehearsal takes nobody's approval, and its server may be one that others use. What holds are the
rights of the user who rehearses; this is for the day that somebody gave that user too many. It
reads texts, so SQL that puts its words together only as it runs gets past it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot.database.rehearsal.vendor import OutOfBounds

_LITERAL = re.compile(r"'(?:[^']|'')*'")
_IDENTIFIER = re.compile(r'"(?:[^"]|"")*"')
_COMMENT = re.compile(r"/\*(?!M?!).*?\*/|--[^\n]*", re.DOTALL)
_DYNAMIC = re.compile(r"\b(?:DO|EXECUTE|PREPARE|FUNCTION|PROCEDURE|TRIGGER)\b|[@\\]", re.IGNORECASE)
"""Where a text may be run that stands in a literal, or a backslash hides where one ends."""

_POSTGRESQL = (
    (
        r"\b(?:CREATE|ALTER|DROP)\s+(?:DATABASE|ROLE|USER|GROUP|TABLESPACE|SUBSCRIPTION|SERVER"
        r"|FOREIGN\s+DATA\s+WRAPPER)\b"
    ),
    r"\bALTER\s+SYSTEM\b",
    r"\b(?:REASSIGN|DROP)\s+OWNED\b",
    r"\bSESSION\s+AUTHORIZATION\b",
    r"\b(?:GRANT|REVOKE)\b[^;]*\bON\s+(?:DATABASE|TABLESPACE|PARAMETER)\b",
    r"\b(?:GRANT|REVOKE)\b(?![^;]*\bON\b)",
    r"\bCOPY\b[^;]*\b(?:TO|FROM)\s*(?:PROGRAM\b|E?'|\$)",
    r"\bLANGUAGE\s+['\"]?(?:c|internal|plpython\w*|plperlu|pltclu)\b",
    (
        r"\b(?:pg_(?:terminate_backend|cancel_backend|reload_conf|promote|switch_wal|rotate_logfile"
        r"|read_\w+|write_\w+|file_\w+|ls_\w+|\w*replication_slot\w*)|lo_import|lo_export"
        r"|dblink\w*)\s*\("
    ),
)
_MYSQL = (
    (
        r"\b(?:CREATE(?:\s+OR\s+REPLACE)?|ALTER|DROP|RENAME)\s+(?:DATABASE|SCHEMA|USER|ROLE|SERVER"
        r"|TABLESPACE)\b"
    ),
    r"\b(?:GRANT|REVOKE)\b",
    r"\bSET\b[^;]*(?:\b(?:GLOBAL|PERSIST|PERSIST_ONLY)(?=\s+\w)|@@(?:GLOBAL|PERSIST\w*)\b)",
    r"\bSET\s+(?:PASSWORD|DEFAULT\s+ROLE)\b",
    r"\bINTO\s+(?:OUTFILE|DUMPFILE)\b",
    r"\bLOAD_FILE\s*\(",
    r"\bLOAD\s+(?:DATA|XML)\b",
    r"\bSONAME\b",
    (
        r"(?:\A|[;'\"])\s*(?:SHUTDOWN|KILL|FLUSH|RESET|PURGE|CHANGE|STOP|START\s+(?:SLAVE|REPLICA)"
        r"|INSTALL|UNINSTALL)\b"
    ),
)
_OF_VENDORS = {"postgresql": _POSTGRESQL, "mysql": _MYSQL}


class Bounds:
    """An execute wrapper that runs no statement of these kinds."""

    def __init__(self, vendor: str) -> None:
        self._mysql = vendor == "mysql"
        self._beyond = _compiled(_OF_VENDORS[vendor])

    def __call__(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        if words := self.beyond(str(sql)):
            raise OutOfBounds(
                f"A rehearsal does not run {words}: it reaches further than one database."
            )
        return execute(sql, params, many, context)

    def beyond(self, sql: str) -> str:
        """The words in it that reach further, as a person would write them; empty for none."""
        bare = sql
        if not _DYNAMIC.search(sql):
            bare = _LITERAL.sub("''", bare)
            bare = bare if self._mysql else _IDENTIFIER.sub('""', bare)
        found = self._beyond.search(_COMMENT.sub(" ", bare))
        return " ".join(found[0].strip(" ;'\"(").split())[:60] if found else ""


def _compiled(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE | re.DOTALL)
