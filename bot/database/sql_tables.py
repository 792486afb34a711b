"""What a schema editor does to tables, entered in the catalogue for the steps that follow."""

from __future__ import annotations

from typing import Any

from django.db.backends.ddl_references import Columns
from django.db.models import CompositePrimaryKey

from bot.database.catalogue import Catalogue, constraint


class EntersInCatalogue:
    """Mixed into a backend's own editor: each change of a table is noted as it is made."""

    connection: Any
    catalogue: Catalogue

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
        # Django 6.1 would look for the old name from now on; the catalogue knows the new one.
        getattr(self, "collected_table_renames", {}).clear()
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
            self.bare(name),
            constraint(
                [field.column],
                foreign_key=(target, field.remote_field.field_name),
                index=self.connection.vendor == "mysql",
            ),
        )

    def enter_in_catalogue(self, sql: Any) -> None:
        """Learn what a statement does from its template and its parts."""
        me: Any = self
        template, parts = str(sql.template), sql.parts
        table = getattr(parts.get("table"), "table", None)
        if table is None:
            return
        if template == me.sql_rename_index:
            old, new = (self.bare(str(parts[part])) for part in ("old_name", "new_name"))
            self.catalogue.rename_constraint(table, old, new)
            return
        name = self.bare(str(parts.get("name", "PRIMARY")))
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

    def bare(self, name: str) -> str:
        quote = "`" if self.connection.vendor == "mysql" else '"'
        return name.strip(quote)


def _columns(parts: dict[str, Any]) -> list[str]:
    columns = parts.get("columns")
    return list(columns.columns) if isinstance(columns, Columns) else []


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
