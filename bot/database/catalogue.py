"""Which constraints and indexes a table will have by the time a step reaches it.

Django finds many names by asking the database, which knows nothing yet of what earlier steps of a
plan will do. The catalogue answers instead: what the database says about a table now, with what
the plan did to it since.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.db.models import Index

Constraint = dict[str, Any]
"""As DatabaseIntrospection.get_constraints describes one."""
Change = Callable[[dict[str, Constraint]], None]


def constraint(columns: list[str], **facts: Any) -> Constraint:
    """A constraint that has only the ``facts`` named."""
    return {
        "columns": columns,
        "primary_key": False,
        "unique": False,
        "foreign_key": None,
        "check": False,
        "index": False,
        "type": Index.suffix if facts.get("index") else None,
        **facts,
    }


@dataclass
class _Table:
    now: str | None
    """Its name in the database now; None when the plan makes it."""
    made_as: str = ""
    """The name under which the plan makes it; what the server named after it keeps that."""
    changes: list[Change] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    """Renamed columns: what they are called by then, and before."""


def remember_tables(connection: Any) -> None:
    """Have a connection that nobody else uses ask once only which tables there are."""
    introspection = connection.introspection
    ask = type(introspection).table_names
    known: dict[bool, list[str]] = {}

    def table_names(cursor: Any = None, include_views: bool = False) -> list[str]:
        if include_views not in known:
            known[include_views] = ask(introspection, cursor, include_views)
        return list(known[include_views])

    introspection.table_names = table_names


class Catalogue:
    """Constraints by table, through a whole plan."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # The class's own: another catalogue may be installed on the connection already.
        introspection = connection.introspection
        self._ask = partial(type(introspection).get_constraints, introspection)
        self._tables: dict[str, _Table | None] = {}
        self._asked: dict[str, dict[str, Constraint]] = {}
        self._names: set[str] | None = None
        self._undo: list[tuple[str, _Table | None, bool]] = []
        self.opaque = False
        """Whether Python or SQL of its own runs earlier in the plan: then nothing is sure."""

    def install(self) -> None:
        """Answer for the connection's introspection, which is all that Django asks."""
        self._connection.introspection.get_constraints = self.get_constraints

    def get_constraints(self, cursor: Any, table: str) -> dict[str, Constraint]:
        """In the place of DatabaseIntrospection.get_constraints."""
        entry = self._tables.get(table) if table in self._tables else _Table(now=table)
        if entry is None:
            return {}
        found = copy.deepcopy(self._real(cursor, entry.now)) if entry.now else {}
        for change in entry.changes:
            change(found)
        return found

    def is_known(self, table: str) -> bool:
        """Whether the table is there now or the plan makes it; not when hidden code must."""
        if table in self._tables:
            entry = self._tables[table]
            return entry is not None and (entry.now is None or self._exists(entry.now))
        return self._exists(table)

    def made_as(self, table: str) -> str:
        """The name under which the plan makes this table; empty when it is there already."""
        entry = self._tables.get(table)
        return entry.made_as if entry is not None else ""

    def made_as_column(self, table: str, column: str) -> str:
        """What the column was called before the plan renamed it."""
        entry = self._tables.get(table)
        return entry.columns.get(column, column) if entry is not None else column

    def name_now(self, table: str) -> str:
        """What the database calls the table now."""
        entry = self._tables.get(table)
        return entry.now if entry is not None and entry.now else table

    def is_real(self, table: str, name: str) -> bool:
        """Whether the database itself has this constraint now, by this name."""
        entry = self._tables.get(table) if table in self._tables else _Table(now=table)
        if entry is None or entry.now is None or self.opaque:
            return False
        return name in self._asked.get(entry.now, {})

    def _real(self, cursor: Any, table: str) -> dict[str, Constraint]:
        if table not in self._asked:
            self._asked[table] = self._ask(cursor, table) if self._exists(table) else {}
        return self._asked[table]

    def _exists(self, table: str) -> bool:
        if self._names is None:
            with self._connection.cursor() as cursor:
                names = self._connection.introspection.table_names(cursor)
            self._names = {self._fold(name) for name in names}
        return self._fold(table.strip('"')) in self._names

    def _fold(self, name: str) -> str:
        folds = self._connection.features.ignores_table_name_case
        return name.casefold() if folds else name

    # What the plan does

    def create(self, table: str) -> None:
        self._put(table, _Table(now=None, made_as=table))

    def drop(self, table: str) -> None:
        self._put(table, None)

    def rename(self, old: str, new: str) -> None:
        entry = self._entry(old)
        self._put(old, None)
        self._put(new, entry)

    def add(self, table: str, name: str, added: Constraint) -> None:
        def change(found: dict[str, Constraint]) -> None:
            self._yield_foreign_key_indexes(found, added)
            found[name] = copy.deepcopy(added)

        self._change(table, change)

    def remove(self, table: str, name: str) -> None:
        def change(found: dict[str, Constraint]) -> None:
            gone = found.pop(name, None)
            # MySQL keeps the index that came with a foreign key.
            if gone and gone["foreign_key"] and gone["index"] and self._is_mysql:
                found[name] = {**gone, "foreign_key": None, "generated": True}

        self._change(table, change)

    def rename_constraint(self, table: str, old: str, new: str) -> None:
        def change(found: dict[str, Constraint]) -> None:
            if old in found:
                found[new] = found.pop(old)

        self._change(table, change)

    def rename_column(self, table: str, old: str, new: str) -> None:
        def change(found: dict[str, Constraint]) -> None:
            for one in found.values():
                one["columns"] = [new if column == old else column for column in one["columns"]]

        self._change(table, change)
        entry = self._entry(table)
        columns = {**entry.columns, new: entry.columns.get(old, old)}
        self._put(table, replace(entry, columns=columns))

    def drop_column(self, table: str, column: str) -> None:
        def change(found: dict[str, Constraint]) -> None:
            for name, one in list(found.items()):
                if column in one["columns"]:
                    one["columns"] = [c for c in one["columns"] if c != column]
                    if not self._is_mysql or not one["columns"]:
                        del found[name]

        self._change(table, change)

    def drop_unnamed_checks(self, table: str, column: str) -> None:
        """MariaDB forgets a column's own check when the column is modified."""

        def change(found: dict[str, Constraint]) -> None:
            for name, one in list(found.items()):
                if one["check"] and one["columns"] == [column] and name.startswith("__unnamed"):
                    del found[name]

        self._change(table, change)

    def add_unnamed_check(self, table: str, column: str) -> None:
        """MariaDB names a column's own check after the column; Django numbers those."""

        def change(found: dict[str, Constraint]) -> None:
            number = 1
            while f"__unnamed_constraint_{number}__" in found:
                number += 1
            found[f"__unnamed_constraint_{number}__"] = constraint([column], check=True)

        self._change(table, change)

    @property
    def _is_mysql(self) -> bool:
        return bool(self._connection.vendor == "mysql")

    def _yield_foreign_key_indexes(self, found: dict[str, Constraint], added: Constraint) -> None:
        """MySQL drops the index it made for a foreign key once another index serves it, also
        when the foreign key itself is gone."""
        if not (self._is_mysql and added["index"] and added["columns"]):
            return
        if added["foreign_key"]:
            added["index"] = not any(
                one["index"] and one["columns"][:1] == added["columns"] for one in found.values()
            )
            return
        for name, one in list(found.items()):
            if one["index"] and one["columns"] == added["columns"][:1]:
                if one["foreign_key"]:
                    one["index"] = False
                elif one.get("generated"):
                    del found[name]

    # Taking back what an attempt did

    def mark(self) -> int:
        return len(self._undo)

    def back_to(self, mark: int) -> None:
        while len(self._undo) > mark:
            table, entry, was_there = self._undo.pop()
            if was_there:
                self._tables[table] = entry
            else:
                self._tables.pop(table, None)

    def forget_undo(self) -> None:
        self._undo.clear()

    def _entry(self, table: str) -> _Table:
        entry = self._tables.get(table) if table in self._tables else _Table(now=table)
        return entry or _Table(now=None)

    def _change(self, table: str, change: Change) -> None:
        entry = self._entry(table)
        self._put(table, replace(entry, changes=[*entry.changes, change]))

    def _put(self, table: str, entry: _Table | None) -> None:
        self._undo.append((table, self._tables.get(table), table in self._tables))
        self._tables[table] = entry
