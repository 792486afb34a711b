"""Taking rows out of SQLite tables: without asking its foreign keys, and unseen by triggers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any


def empty_tables(raw: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Delete every row of these tables and of those that refer to them, however far away.

    Outside of a transaction. Triggers, which might refuse or write elsewhere, are away meanwhile.
    """
    wanted = _with_referring(raw, set(tables))
    if not wanted:
        return
    enforced = _rows(raw, "PRAGMA foreign_keys")[0][0]
    raw.execute("PRAGMA foreign_keys = OFF")
    raw.execute("BEGIN")
    try:
        triggers = [
            (name, sql)
            for name, table, sql in _rows(
                raw, "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
            )
            if table in wanted
        ]
        for name, _ in triggers:
            raw.execute(f"DROP TRIGGER {_quoted(name)}")
        for table in sorted(wanted):
            raw.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608 a name, quoted
        for _, sql in triggers:
            raw.execute(sql)
        raw.execute("COMMIT")
    except BaseException:
        raw.execute("ROLLBACK")
        raise
    finally:
        raw.execute(f"PRAGMA foreign_keys = {enforced}")


def _with_referring(raw: sqlite3.Connection, tables: set[str]) -> set[str]:
    """These tables that exist, and all whose foreign keys lead to them."""
    there = [name for (name,) in _rows(raw, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    leads_to = {
        name: {row[2] for row in _rows(raw, f"PRAGMA foreign_key_list({_quoted(name)})")}
        for name in there
    }
    found = tables & set(there)
    while True:
        more = {name for name, parents in leads_to.items() if parents & found} - found
        if not more:
            return found
        found |= more


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _rows(raw: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    with closing(raw.execute(sql)) as found:
        return found.fetchall()
