"""MariaDB's and MySQL's schema: copied to a scratch database, emptied, and read to be compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from django.db import Error as DatabaseProblem

from bot.database.rehearsal.vendor import NotRehearsed, Schema

_OWN_STORAGE = ("INNODB", "MYISAM", "ARIA", "MEMORY", "ROCKSDB", "TOKUDB", "CSV", "ARCHIVE")
"""Engines that keep the rows themselves. Others (FEDERATED, CONNECT, SPIDER) lead to the tables of
somebody else, and a rehearsal would write there."""
_TABLES = (
    "SELECT table_name, coalesce(engine, '') FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')"
    " ORDER BY table_name"
)
_LEFT_OUT = {
    "view": "SELECT table_name FROM information_schema.views WHERE table_schema = DATABASE()",
    "trigger": (
        "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
    ),
    "sequence": (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        " AND table_type = 'SEQUENCE'"
    ),
    "routine": (
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()"
    ),
}
_PARENTS = (
    "SELECT table_name, referenced_table_name FROM information_schema.key_column_usage"
    " WHERE table_schema = DATABASE() AND referenced_table_name IS NOT NULL"
)
_COUNTER = re.compile(r"\sAUTO_INCREMENT=\d+")
_PLACES = re.compile(r"\s(?:DATA|INDEX) DIRECTORY='(?:[^']|'')*'|\s/\*![0-9]* TABLESPACE [^*]*\*/")
_ELSEWHERE = re.compile(
    r",\n\s*CONSTRAINT (`(?:[^`]|``)+`) FOREIGN KEY [^\n]* REFERENCES (`(?:[^`]|``)+`\.`[^\n]*?)"
    r"(?=,?\n)"
)
_FOREIGN = re.compile(r"CONSTRAINT `(?:[^`]|``)+` FOREIGN KEY (\([^)]*\))")
_INDEX = re.compile(r"KEY `(?:[^`]|``)+` (\([^)]*\))")
_LINE = re.compile(r"\s*`((?:[^`]|``)+)` (.*)")


def copy_definitions(target: Any, scratch: Any) -> tuple[str, ...]:
    """Make every table that ``target``, a connection of Django's, has, but no row and no counter.

    ``scratch`` is a connection of Django's too. Returns notes.
    """
    notes = []
    target.ensure_connection()
    # The driver's own cursor: the guard takes SHOW CREATE for a write. The session is read-only.
    with closing(target.connection.cursor()) as cursor:
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        made = {}
        for table, engine in tables:
            if engine.upper() not in _OWN_STORAGE:
                notes.append(f"The table {table} was left out: its rows are elsewhere ({engine}).")
                continue
            cursor.execute(f"SHOW CREATE TABLE {scratch.ops.quote_name(table)}")
            made[table] = cursor.fetchone()[1]
        for kind, query in _LEFT_OUT.items():
            cursor.execute(query)
            if names := sorted(name for (name,) in cursor.fetchall()):
                notes.append(_left_out(kind, names))
    with _unchecked(scratch.connection), scratch.cursor() as cursor:
        for table, sql in made.items():
            here, note = _for_here(table, sql)
            notes += note
            try:
                cursor.execute(here)
            except (DatabaseProblem, NotRehearsed) as error:
                notes.append(f"The table {table} was left out ({error}).")
    return tuple(notes)


def _left_out(kind: str, names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    few = f"The {kind} {shown} was" if len(names) == 1 else f"{len(names)} {kind}s ({shown}) were"
    return f"{few} left out: what it does besides is not measured."


def _for_here(table: str, sql: str) -> tuple[str, list[str]]:
    """The statement without counters, places on disk and keys to other databases, and what is to
    be said of that."""
    notes = [
        f"The foreign key {found[1].strip('`')} of {table} was left out: it leads to another"
        " database."
        for found in _ELSEWHERE.finditer(sql)
    ]
    return _PLACES.sub("", _COUNTER.sub("", _ELSEWHERE.sub("", sql))), notes


@contextmanager
def _unchecked(raw: Any) -> Iterator[None]:
    """Foreign keys are not checked meanwhile: tables come and rows go in any order."""
    with closing(raw.cursor()) as cursor:
        cursor.execute("SELECT @@SESSION.foreign_key_checks")
        (before,) = cursor.fetchone()
        cursor.execute("SET SESSION foreign_key_checks = 0")
        try:
            yield
        finally:
            cursor.execute("SET SESSION foreign_key_checks = %s", [before])


def empty_tables(raw: Any, tables: Iterable[str]) -> None:
    """Delete every row of these tables and of those that refer to them, however far away."""
    wanted = set(tables)
    with closing(raw.cursor()) as cursor:
        cursor.execute(_TABLES)
        there = {table for table, _ in cursor.fetchall()}
        cursor.execute(_PARENTS)
        keys = cursor.fetchall()
        wanted &= there
        while more := {child for child, parent in keys if parent in wanted} - wanted:
            wanted |= more
        with _unchecked(raw):
            for table in sorted(wanted):
                cursor.execute(f"DELETE FROM {_quoted(table)}")  # noqa: S608 a name, quoted


def read_schema(raw: Any) -> Schema:
    """Every table: its columns in no order, its keys and rules, its options; and its triggers."""
    found: dict[str, str] = {}
    with closing(raw.cursor()) as cursor:
        cursor.execute(_TABLES)
        for table, _ in cursor.fetchall():
            cursor.execute(f"SHOW CREATE TABLE {_quoted(table)}")
            found |= _parts(table, cursor.fetchone()[1])
        for kind, query in _LEFT_OUT.items():
            cursor.execute(query)
            found |= {f"{kind} {name}": "" for (name,) in cursor.fetchall()}
    return found


def _parts(table: str, sql: str) -> Schema:
    """Foreign keys without their names, nor those of their indexes: Django gives the same one
    another name when it makes it anew."""
    lines = [line.strip().rstrip(",") for line in _COUNTER.sub("", sql).splitlines()[1:]]
    of_keys = {found[1] for found in map(_FOREIGN.match, lines) if found}
    found = {}
    for line in lines:
        if column := _LINE.fullmatch(line):
            found[f"column {table}.{column[1]}"] = column[2]
        elif line.startswith(")"):
            found[f"table {table}"] = line.lstrip(") ")
        else:
            rule = _FOREIGN.sub(r"FOREIGN KEY \1", line)
            index = _INDEX.fullmatch(line)
            if index and index[1] in of_keys:
                rule = f"KEY {index[1]}"
            found[f"rule of {table}: {rule}"] = rule
    return found


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
