"""SQLite's schema: copied to a scratch file, and read so that two can be compared."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from bot.database.rehearsal.sqlite_clauses import clauses, one_line
from bot.database.rehearsal.vendor import Schema

WORDS = "the target's own definitions (sqlite_master)"

_DEFINITIONS = (
    "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
)
_KINDS = ("virtual", "table", "index", "view", "trigger")
"""In this order: a virtual table brings tables of its own along."""


def copy_definitions(target: Any, scratch: sqlite3.Connection) -> tuple[str, ...]:
    """Make everything that ``target``, a connection of Django's, has, but no row. Returns notes."""
    with target.cursor() as cursor:
        cursor.execute(_DEFINITIONS)
        found = [(_kind(kind, sql), name, sql) for kind, name, sql in cursor.fetchall()]
    with closing(target.connection.execute("PRAGMA encoding")) as asked:
        scratch.execute(f"PRAGMA encoding = '{asked.fetchone()[0]}'")
    notes = []
    scratch.execute("BEGIN")
    for kind, name, sql in sorted(found, key=lambda one: _KINDS.index(one[0])):
        try:
            scratch.execute(sql)
        except sqlite3.Error as error:
            if kind == "table" and _is_there(scratch, name):
                continue
            notes.append(f"The {kind} {name} was left out ({error}).")
    scratch.execute("COMMIT")
    return tuple(notes)


def _kind(kind: str, sql: str) -> str:
    return "virtual" if one_line(sql[:40]).upper().startswith("CREATE VIRTUAL") else kind


def _is_there(scratch: sqlite3.Connection, name: str) -> bool:
    with closing(scratch.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name])) as found:
        return found.fetchone() is not None


def read_schema(raw: sqlite3.Connection) -> Schema:
    """Everything in the file. Of a table each column and rule by itself, in no order, and without
    what Django's way of making a table anew changes in the text."""
    found: dict[str, str] = {}
    with closing(raw.execute(_DEFINITIONS)) as asked:
        rows = asked.fetchall()
    for kind, name, sql in rows:
        parts = clauses(sql) if kind == "table" else None
        if parts is None:
            found[f"{kind} {name}"] = one_line(sql)
            continue
        found[f"table {name}"] = parts.options
        for column, definition in parts.columns.items():
            found[f"column {name}.{column}"] = definition
        for rule in parts.rules:
            found[f"rule of {name}: {rule}"] = rule
    return found
