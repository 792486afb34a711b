"""A schema editor that sends nothing: it keeps the text of what Django would send, and says how
far that can be believed."""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.ddl_references import Columns
from django.db.backends.ddl_references import Statement as DdlStatement
from django.db.models import CompositePrimaryKey

from bot.database.catalogue import Catalogue, constraint
from bot.database.readonly import Guard
from bot.route.plan import Belief, Statement

DEFERRED = "Runs at the end of the migration."
"""Note of a statement that Django keeps back until the migration's other operations are done."""
_NAME = "The name {name} is looked up when it runs; this is the name Django or the server gives."
_DEFAULT = "A default is computed when it runs; the value shown is one of today."
_QUERIES = "A default asks the database when it runs; it may answer differently then."
_VALUE = "A value is shown as Python writes it."
_STEADY = (dict, list, tuple, set, str, int, float, bool, bytes)
"""Callables that give the same each time when they are called without arguments."""


class CollectingEditor:
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
            self._enter_in_catalogue(sql)

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
            name = self._bare(name)
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

    # What becomes of the tables

    def create_model(self, model: Any) -> None:
        table = model._meta.db_table
        self.catalogue.create(table)
        self._enter_inline(model, model._meta.local_fields)
        super().create_model(model)  # type: ignore[misc]

    def delete_model(self, model: Any, **kwargs: Any) -> None:
        super().delete_model(model, **kwargs)  # type: ignore[misc]
        self.catalogue.drop(model._meta.db_table)

    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        super().alter_db_table(model, old_db_table, new_db_table)  # type: ignore[misc]
        if old_db_table != new_db_table:
            self.catalogue.rename(old_db_table, new_db_table)

    def add_field(self, model: Any, field: Any) -> None:
        if self._has_column(field):
            self._enter_inline(model, [field], with_constraints=False)
        super().add_field(model, field)  # type: ignore[misc]

    def remove_field(self, model: Any, field: Any) -> None:
        super().remove_field(model, field)  # type: ignore[misc]
        if self._has_column(field):
            self.catalogue.drop_column(model._meta.db_table, field.column)

    def _has_column(self, field: Any) -> bool:
        return field.db_parameters(connection=self.connection)["type"] is not None

    def _rename_field_sql(self, table: str, old_field: Any, new_field: Any, new_type: Any) -> Any:
        self.catalogue.rename_column(table, old_field.column, new_field.column)
        return super()._rename_field_sql(table, old_field, new_field, new_type)  # type: ignore[misc]

    def _alter_field(self, model: Any, old_field: Any, new_field: Any, *args: Any) -> None:
        super()._alter_field(model, old_field, new_field, *args)  # type: ignore[misc]
        had, has = (f.db_parameters(self.connection)["check"] for f in (old_field, new_field))
        if self.connection.vendor == "mysql" and had and had != has:
            self.catalogue.drop_unnamed_checks(model._meta.db_table, new_field.column)

    def _enter_inline(self, model: Any, fields: Any, *, with_constraints: bool = True) -> None:
        """Constraints that a CREATE TABLE or ADD COLUMN makes without a statement of its own.

        Names are those the server gives (PostgreSQL's ChooseConstraintName, MySQL's index names).
        SQLite names none, and Django looks none of them up there.
        """
        table = model._meta.db_table
        vendor = self.connection.vendor
        if vendor == "sqlite":
            return
        for field in fields:
            if self._has_column(field):
                self._enter_column(table, field, vendor)
                if not with_constraints:
                    self._enter_inline_foreign_key(model, field)
        if not with_constraints:
            return
        if isinstance(model._meta.pk, CompositePrimaryKey):
            columns = [model._meta.get_field(n).column for n in model._meta.pk.field_names]
            self._enter_key(table, columns, vendor)
        for one in model._meta.constraints:
            columns = [model._meta.get_field(n).column for n in getattr(one, "fields", ())]
            self.catalogue.add(
                table,
                one.name,
                constraint(columns, unique=bool(columns), check=hasattr(one, "condition")),
            )

    def _enter_column(self, table: str, field: Any, vendor: str) -> None:
        column = field.column
        if field.primary_key:
            self._enter_key(table, [column], vendor)
        elif field.unique:
            name = object_name(table, column, "key") if vendor == "postgresql" else column
            index = vendor == "mysql"
            self.catalogue.add(table, name, constraint([column], unique=True, index=index))
        if field.db_parameters(connection=self.connection)["check"]:
            if vendor == "mysql":
                self.catalogue.add_unnamed_check(table, column)
            else:
                name = object_name(table, column, "check")
                self.catalogue.add(table, name, constraint([column], check=True))

    def _enter_key(self, table: str, columns: list[str], vendor: str) -> None:
        name = object_name(table, "", "pkey") if vendor == "postgresql" else "PRIMARY"
        key = constraint(columns, primary_key=True, unique=True, index=vendor == "mysql")
        self.catalogue.add(table, name, key)

    def _enter_inline_foreign_key(self, model: Any, field: Any) -> None:
        me: Any = self
        if not (field.remote_field and field.db_constraint and me.sql_create_column_inline_fk):
            return
        name = str(me._fk_constraint_name(model, field, "_fk_%(to_table)s_%(to_column)s"))
        target = field.remote_field.model._meta.db_table
        self.catalogue.add(
            model._meta.db_table,
            self._bare(name),
            constraint(
                [field.column],
                foreign_key=(target, field.remote_field.field_name),
                index=self.connection.vendor == "mysql",
            ),
        )

    def _enter_in_catalogue(self, sql: Any) -> None:
        """Learn what a statement does from its template and its parts."""
        me: Any = self
        template, parts = str(sql.template), sql.parts
        table = getattr(parts.get("table"), "table", None)
        if table is None:
            return
        if template == me.sql_rename_index:
            old, new = (self._bare(str(parts[part])) for part in ("old_name", "new_name"))
            self.catalogue.rename_constraint(table, old, new)
            return
        name = self._bare(str(parts.get("name", "PRIMARY")))
        words = template.upper()
        if template == me.sql_create_fk:
            to = (parts["to_table"].table, parts["to_column"].columns[0])
            index = self.connection.vendor == "mysql"
            added = constraint(list(parts["column"].columns), foreign_key=to, index=index)
        elif words.startswith("CREATE") and "INDEX" in words:
            added = constraint(_columns(parts), unique="UNIQUE" in words, index=True)
            if using := str(parts.get("using") or "").split():
                added["type"] = using[-1]
        elif template == me.sql_create_unique:
            added = constraint(_columns(parts), unique=True, index=me.connection.vendor == "mysql")
        elif template == me.sql_create_check:
            added = constraint([], check=True)
        elif template == me.sql_create_pk:
            added = constraint(_columns(parts), primary_key=True, unique=True)
        elif "DROP" in words:
            self.catalogue.remove(table, name)
            return
        else:
            return
        self.catalogue.add(table, name, added)

    def _bare(self, name: str) -> str:
        quote = "`" if self.connection.vendor == "mysql" else '"'
        return name.strip(quote)


def _with_values(text: str, values: list[str]) -> str:
    """As SQLite's cursor reads the text: a sign of per cent that is no placeholder stays."""
    left = iter(values)
    return re.sub("%%|%s", lambda found: "%" if found[0] == "%%" else next(left, "%s"), text)


def _columns(parts: dict[str, Any]) -> list[str]:
    columns = parts.get("columns")
    return list(columns.columns) if isinstance(columns, Columns) else []


def _is_auto(field: Any) -> bool:
    return field.get_internal_type() in {"AutoField", "BigAutoField", "SmallAutoField"}


def object_name(first: str, second: str, label: str, limit: int = 63) -> str:
    """The name PostgreSQL gives: makeObjectName in src/backend/commands/indexcmds.c.

    The longer of both names is cut until all fits into ``limit`` bytes.
    """
    one, two = first.strip('"').encode(), second.encode()
    room = limit - len(label) - 1 - (1 if two else 0)
    while len(one) + len(two) > room:
        if len(one) > len(two):
            one = one[:-1]
        else:
            two = two[:-1]
    parts = [one.decode(errors="ignore"), two.decode(errors="ignore"), label]
    return "_".join(part for part in parts if part)
