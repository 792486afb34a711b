"""A schema editor that sends nothing: it keeps the text of what Django would send, and says how
far that can be believed."""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.ddl_references import Statement as DdlStatement

from bot.database.catalogue import Catalogue
from bot.database.guard import Guard
from bot.database.sql_tables import EntersInCatalogue, object_name
from bot.route.plan import Belief, Statement

DEFERRED = "Runs at the end of the migration."
"""Note of a statement that Django keeps back until the migration's other operations are done."""
_NAME = "The name {name} is looked up when it runs; this is the name Django or the server gives."
_DEFAULT = "A default is computed when it runs; the value shown is one of today."
_QUERIES = "A default asks the database when it runs; it may answer differently then."
_VALUE = "A value is shown as Python writes it."
_STEADY = (dict, list, tuple, set, str, int, float, bool, bytes)
"""Callables that give the same each time when they are called without arguments."""


class CollectingEditor(EntersInCatalogue):
    """Mixed into the backend's own editor. ``statements`` is what was collected so far."""

    connection: Any
    deferred_sql: list[Any]

    def __init__(self, connection: Any, catalogue: Catalogue, guard: Guard) -> None:
        # atomic: no transaction is entered; __enter__ is never called either, for SQLite's
        # switches off its constraint checks.
        super().__init__(connection, collect_sql=True, atomic=False)  # type: ignore[call-arg]
        self.deferred_sql = []
        self.catalogue = catalogue
        self.guard = guard
        self.statements: list[Statement] = []
        self.doubts: dict[str, str] = {}
        """Texts (names, values) that make a statement in which they stand less than exact."""
        self.doubt_all = ""
        self._ends_identity = False

    @classmethod
    def on(cls, connection: Any, catalogue: Catalogue, guard: Guard) -> Any:
        """An editor of the kind that ``connection`` uses."""
        kind = type("Collecting", (cls, connection.SchemaEditorClass), {})
        return kind(connection, catalogue, guard)

    # What is kept

    def execute(self, sql: Any, params: Any = ()) -> None:
        text, note = self._text(sql, params)
        if not note:
            note = self.doubt_all or next(
                (why for doubted, why in self.doubts.items() if doubted in text), ""
            )
        belief = Belief.PREDICTED if note else Belief.EXACT
        self.statements.append(Statement(sql=text, belief=belief, note=note))
        if isinstance(sql, DdlStatement):
            self.enter_in_catalogue(sql)

    def _text(self, sql: Any, params: Any) -> tuple[str, str]:
        text = str(sql)
        if params is None:
            return text, ""
        try:
            if self.connection.vendor == "postgresql":
                return str(self.connection.ops.compose_sql(text, params)), ""
            values = [self._quoted(value) for value in params]
            if self.connection.vendor == "sqlite":
                return _with_values(text, values), ""
            return text % tuple(values), ""
        except (TypeError, ValueError):
            return f"{text} {list(params)!r}" if params else text, _VALUE

    def _quoted(self, value: Any) -> str:
        quoted = self.quote_value(value)  # type: ignore[attr-defined]
        # MySQLdb gives bytes for what is no text, and Django leaves them so.
        return quoted.decode() if isinstance(quoted, bytes) else str(quoted)

    def begin(self) -> None:
        """A new operation begins: its doubts are its own."""
        self.doubts = {}
        self.doubt_all = ""

    # What is looked up

    def _constraint_names(self, model: Any, column_names: Any = None, **kwargs: Any) -> list[str]:
        table = model._meta.db_table
        names = list(super()._constraint_names(model, column_names, **kwargs))  # type: ignore[misc]
        if not names and (self.catalogue.opaque or not self.catalogue.is_known(table)):
            names = self._names_by_rule(model, column_names, kwargs)
        for name in names:
            if not self.catalogue.is_real(table, name):
                self.doubts[name] = _NAME.format(name=name)
        return names

    def _names_by_rule(self, model: Any, columns: Any, kwargs: dict[str, Any]) -> list[str]:
        """What Django's own naming gives where there is nothing to look at."""
        me: Any = self
        table = model._meta.db_table
        fields = [f for f in model._meta.local_fields if f.column in (columns or ())]
        name = ""
        if kwargs.get("foreign_key") and fields and getattr(fields[0], "db_constraint", False):
            name = str(me._fk_constraint_name(model, fields[0], "_fk_%(to_table)s_%(to_column)s"))
            name = self.bare(name)
        elif kwargs.get("primary_key") and self.connection.vendor == "postgresql":
            name = object_name(table, "", "pkey")
        elif kwargs.get("check") and columns:
            name = object_name(table, "_".join(columns), "check")
        elif kwargs.get("unique") and columns:
            name = str(me._unique_constraint_name(table, list(columns), quote=False))
        elif kwargs.get("index") and columns:
            suffix = "_idx" if len(columns) > 1 else ""
            name = me._create_index_name(table, list(columns), suffix=suffix)
        excluded = kwargs.get("exclude") or ()
        return [name] if name and name not in excluded else []

    def _get_sequence_name(self, table: str, column: str) -> str | None:
        """PostgreSQL's sequence behind a column (only its editor asks)."""
        if made_as := self.catalogue.made_as(table):
            name = object_name(made_as, self.catalogue.made_as_column(table, column), "seq")
            self.doubts[name] = _NAME.format(name=name)
            return None if self._ends_identity else name
        now = self.catalogue.name_now(table)
        column = self.catalogue.made_as_column(table, column)
        if self._ends_identity and self._is_identity(now, column):
            return None  # DROP IDENTITY, which comes before, takes its sequence away.
        return super()._get_sequence_name(now, column)  # type: ignore[misc,no-any-return]

    def _is_identity(self, table: str, column: str) -> bool:
        with self.connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM pg_attribute a JOIN pg_class c ON a.attrelid = c.oid"
                " WHERE c.relname = %s AND a.attname = %s AND a.attidentity <> ''"
                " AND pg_table_is_visible(c.oid)",
                [table, column],
            )
            return cursor.fetchone() is not None

    def _alter_column_type_sql(self, model: Any, old_field: Any, new_field: Any, *args: Any) -> Any:
        self._ends_identity = _is_auto(old_field) and not _is_auto(new_field)
        return super()._alter_column_type_sql(  # type: ignore[misc]
            model, old_field, new_field, *args
        )

    def effective_default(self, field: Any) -> Any:
        reads = self.guard.reads
        value = super().effective_default(field)  # type: ignore[misc]
        volatile = callable(field.default) and field.has_default() and field.default not in _STEADY
        volatile = volatile or getattr(field, "auto_now", False)
        volatile = volatile or getattr(field, "auto_now_add", False)
        if volatile and value is not None:
            self._doubt_value(value, _QUERIES if self.guard.reads > reads else _DEFAULT)
        return value

    def _doubt_value(self, value: Any, why: str) -> None:
        try:
            text = self._quoted(value).strip("'")
        except Exception:  # noqa: BLE001 a driver may not know the type
            text = ""
        if len(text) > 1:
            self.doubts[text] = why
        else:
            self.doubt_all = why


def _with_values(text: str, values: list[str]) -> str:
    """As SQLite's cursor reads the text: a sign of per cent that is no placeholder stays."""
    left = iter(values)
    return re.sub("%%|%s", lambda found: "%" if found[0] == "%%" else next(left, "%s"), text)


def _is_auto(field: Any) -> bool:
    return field.get_internal_type() in {"AutoField", "BigAutoField", "SmallAutoField"}
