"""How the things of a model should stand in a catalogue, told from Django's own state of it.

Names are as the server has them: cut to 63 bytes on PostgreSQL, in lower case where the server does
not tell the cases apart. A type is in the server's own words as far as we know them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db.models import CheckConstraint, ForeignKey, UniqueConstraint
from django.db.models.fields import AutoFieldMixin

from bot.route.traces import Kind, Look, Thing

Shape = dict[Thing, Look]

VALID = {"valid": "valid"}
INVALID = {"valid": "invalid"}

_POSTGRESQL = {
    "bigserial": "bigint",
    "bool": "boolean",
    "serial": "integer",
    "smallserial": "smallint",
    "time": "time without time zone",
    "timestamp": "timestamp without time zone",
    "varchar": "character varying",
    "char": "character",
    "decimal": "numeric",
}
_MYSQL = {
    "bool": "tinyint",
    "boolean": "tinyint",
    "double precision": "double",
    "integer": "int",
    "json": "longtext",
    "numeric": "decimal",
}
_MYSQL_WIDTH = re.compile(r"\b(tinyint|smallint|mediumint|int|bigint)\(\d+\)")
_BASE = re.compile(r"(?P<base>[a-z][a-z ]*[a-z0-9]|[a-z]\w*)(?P<rest>.*)")


class Unprobeable(Exception):
    """Why a model's things cannot be looked for, in words."""


def column_look(
    *, type_: str, null: bool, default: bool, numbered: bool | None, comment: str | None
) -> dict[str, str]:
    """The aspects of a column, in words that are the same for what is expected and what is seen.

    None stands for what cannot be known there.
    """
    look = {
        "type": type_,
        "null": "nullable" if null else "not null",
        "default": f"{'with' if default else 'without'} a default in the database",
    }
    if numbered is not None:
        look["numbers"] = f"{'' if numbered else 'not '}numbered by the database"
    if comment is not None:
        look["comment"] = f"commented {comment!r}"
    return look


def is_key(field: Any) -> bool:
    """Whether it is a foreign key."""
    return isinstance(field, ForeignKey)


def _key_of(field: Any) -> Any:
    """The field that a foreign key refers to in the end."""
    while is_key(field):
        field = field.target_field
    return field


class Shaper:
    """Tells shapes for one connection, of which it sends nothing that writes."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._editor = connection.schema_editor(collect_sql=True)

    def name(self, text: str) -> str:
        """A name as the server keeps it."""
        text = text.strip('"`')
        if self.connection.vendor == "postgresql":
            return text.encode()[:63].decode(errors="ignore")
        return text.casefold()

    def type_name(self, text: str) -> str:
        """A type in the server's own words."""
        text = re.sub(r",\s+", ",", " ".join(text.lower().split()))
        if self.connection.vendor == "mysql":
            text = _MYSQL_WIDTH.sub(r"\1", text).removesuffix(" auto_increment")
        known = {"postgresql": _POSTGRESQL, "mysql": _MYSQL}.get(self.connection.vendor, {})
        match = _BASE.fullmatch(re.sub(r"\[\d+\]", "[]", text))
        if match is None:
            return text
        base, rest = match["base"], match["rest"]
        first, _, more = base.partition(" ")
        base = known.get(base) or " ".join(filter(None, (known.get(first, first), more)))
        return f"{base}{rest}"

    def of_model(self, model: Any) -> Shape:
        """The things of a model's table and of the tables of its many-to-many fields; none where
        Django makes no table of it. Raises Unprobeable."""
        options = model._meta
        if not options.can_migrate(self.connection):
            return {}
        if '"' in options.db_table.strip('"') or "." in options.db_table:
            raise Unprobeable(f"the table's name {options.db_table} is more than a name")
        table = self.name(options.db_table)
        shape: Shape = {Thing(kind=Kind.TABLE, table=table): self._table_look(options)}
        if self.connection.vendor == "sqlite":
            shape[Thing(kind=Kind.COPY, table=f"new__{table}")] = None
        for field in options.local_concrete_fields:
            shape.update(self._of_field(model, table, field))
        for fields in options.unique_together:
            columns = [self.name(options.get_field(field).column) for field in fields]
            shape[Thing(kind=Kind.UNIQUE, table=table, name=", ".join(columns))] = {}
        shape.update(self._named(options, table))
        for field in options.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                shape.update(self.of_model(field.remote_field.through))
        return shape

    def _table_look(self, options: Any) -> Look:
        if not self.connection.features.supports_comments:
            return {}
        return {"comment": f"commented {options.db_table_comment or ''!r}"}

    def _of_field(self, model: Any, table: str, field: Any) -> Iterator[tuple[Thing, Look]]:
        column = self.name(field.column)
        yield Thing(kind=Kind.COLUMN, table=table, name=column), self._column(field)
        if field.unique and not field.primary_key:
            yield Thing(kind=Kind.UNIQUE, table=table, name=column), {}
        if self.connection.vendor == "mysql" and is_key(field):
            if field.db_index or field.db_constraint:
                yield Thing(kind=Kind.KEY_INDEX, table=table, name=column), {}
        elif self._editor._field_should_be_indexed(model, field):
            yield Thing(kind=Kind.AUTO_INDEX, table=table, name=column), {}
        if self.connection.vendor == "postgresql" and self._editor._create_like_index_sql(
            model, field
        ):
            yield Thing(kind=Kind.LIKE_INDEX, table=table, name=column), {}
        if field.db_parameters(self.connection).get("check"):
            yield Thing(kind=Kind.CHECK, table=table, name=column), {}
        if is_key(field) and field.db_constraint:
            to = field.target_field
            place = f"{self.name(to.model._meta.db_table)}.{self.name(to.column)}"
            look = {"to": f"to {place}"}
            yield Thing(kind=Kind.FOREIGN_KEY, table=table, name=column), look

    def _column(self, field: Any) -> Look:
        parameters = field.db_parameters(self.connection)
        comments = self.connection.features.supports_comments
        look = column_look(
            type_=self.type_name(parameters["type"]),
            null=field.null,
            default=field.has_db_default(),
            numbered=isinstance(field, AutoFieldMixin),
            comment=(field.db_comment or "") if comments else None,
        )
        if field.generated:
            del look["null"], look["default"]
            look["~expression"] = str(field.generated_sql(self.connection))
        if self.connection.vendor == "sqlite" and is_key(field):
            # SQLite's editor leaves the columns that refer to a key whose type keeps its name.
            look["type"] = self.type_name(_key_of(field).db_type(self.connection))
        look["~default"] = repr(field.db_default) if field.has_db_default() else ""
        look["~collation"] = str(parameters.get("collation") or "")
        look["~primary key"] = str(field.primary_key)
        return look

    def _named(self, options: Any, table: str) -> Iterator[tuple[Thing, Look]]:
        features = self.connection.features
        for index in options.indexes:
            if index.contains_expressions and not features.supports_expression_indexes:
                continue
            yield Thing(kind=Kind.INDEX, table=table, name=self.name(index.name)), VALID
        for constraint in options.constraints:
            if self._is_supported(constraint):
                name = self.name(constraint.name)
                yield Thing(kind=Kind.CONSTRAINT, table=table, name=name), VALID

    def _is_supported(self, constraint: Any) -> bool:
        if isinstance(constraint, CheckConstraint):
            return bool(self.connection.features.supports_table_check_constraints)
        unique: Any = constraint if isinstance(constraint, UniqueConstraint) else None
        if unique is not None:
            return bool(
                self._editor._unique_supported(
                    condition=unique.condition,
                    deferrable=unique.deferrable,
                    include=unique.include,
                    expressions=unique.expressions,
                    nulls_distinct=unique.nulls_distinct,
                )
            )
        return True
