"""Conditions and expressions of constraints as SQL that asks about rows: without the names of
tables, and without parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.db.models.expressions import OrderBy
from django.db.models.sql.query import Query


@dataclass(frozen=True, slots=True)
class Compiled:
    """``columns`` are those that the SQL reads."""

    sql: str
    columns: tuple[str, ...]


def compile_on(connection: Any, model: Any, expression: Any) -> Compiled:
    """A condition or an expression over one model's own columns. Raises what Django raises."""
    query = Query(model=model, alias_cols=False)
    if getattr(expression, "conditional", False):
        resolved = query.build_where(expression)
    else:
        resolved = expression.resolve_expression(query, allow_joins=False)
    sql, params = query.get_compiler(connection=connection).compile(resolved)
    columns = tuple(dict.fromkeys(_columns_in(resolved)))
    return Compiled(_inlined(connection, sql, params), columns or _all_columns(model))


def literal(connection: Any, value: Any) -> str:
    """A value that is prepared for the database, as it writes it."""
    if connection.vendor == "postgresql":
        return str(connection.ops.compose_sql("%s", (value,)))
    editor = connection.SchemaEditorClass(connection, collect_sql=True, atomic=False)
    return str(editor.quote_value(value))


def bare(expression: Any) -> Any:
    """The expression itself, without how an index sorts or compares it."""
    while isinstance(expression, OrderBy) or type(expression).__name__ == "OpClass":
        expression = expression.get_source_expressions()[0]
    return F(expression) if isinstance(expression, str) else expression


def _inlined(connection: Any, sql: str, params: Iterable[Any]) -> str:
    if connection.vendor == "postgresql":
        return str(connection.ops.compose_sql(sql, tuple(params)))
    return str(sql % tuple(literal(connection, value) for value in params))


def _columns_in(node: Any) -> Iterator[str]:
    """Columns that a resolved expression reads."""
    target = getattr(node, "target", None)
    if target is not None and getattr(target, "column", None):
        yield target.column
        return
    below = getattr(node, "children", None)
    if below is None:
        below = node.get_source_expressions() if hasattr(node, "get_source_expressions") else ()
    for one in below:
        if one is not None:
            yield from _columns_in(one)


def _all_columns(model: Any) -> tuple[str, ...]:
    return tuple(field.column for field in model._meta.local_concrete_fields)
