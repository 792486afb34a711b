"""Plain INSERTs and SELECTs of a few rows, without what Django does around them.

For what is written and asked while Slack waits. A row brings its own key; its signals are not sent
and its relations are not looked at. What goes together takes one way to PostgreSQL and back: it
makes one transaction of all the statements that come in one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import connections, models, transaction

Query = tuple[str, Sequence[Any]]
"""A statement and its parameters."""

_TEXTS = (models.CharField, models.TextField)


def insert(*groups: Sequence[models.Model], using: str) -> None:
    """Write all of them or none. The rows of a group are of one model; an empty group is none."""
    connection = connections[using]
    queries = [_insertion(rows, connection) for rows in groups if rows]
    if len(queries) > 1 and _takes_several(connection) and not connection.in_atomic_block:
        queries = [_together(queries)]
    if len(queries) > 1:
        with transaction.atomic(using=using):
            _execute(connection, queries)
    else:
        _execute(connection, queries)  # Outside a transaction it commits by itself.
    for row in (row for rows in groups for row in rows):
        row._state.adding, row._state.db = False, using


def select(*queries: Query, using: str) -> list[list[tuple[Any, ...]]]:
    """The rows of each of these queries."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if len(queries) > 1 and _takes_several(connection) and _gives_several():
            cursor.execute(*_together(queries))
            found = [cursor.fetchall()]
            while cursor.nextset():
                found.append(cursor.fetchall())
            return found
        found = []
        for query in queries:
            cursor.execute(*query)
            found.append(cursor.fetchall())
        return found


def _execute(connection: Any, queries: Sequence[Query]) -> None:
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(*query)


def _together(queries: Sequence[Query]) -> Query:
    parameters = [each for _, given in queries for each in given]
    return joined([sql for sql, _ in queries]), parameters


def joined(statements: Sequence[str]) -> str:
    """Several statements as one text, which is how they are sent in one message."""
    return "; ".join(statements)


def _takes_several(connection: Any) -> bool:
    """Whether several statements may come in one text: only where the client fills them in. Whoever
    chose a kind of cursor may have chosen one that leaves it to the server."""
    return (
        connection.vendor == "postgresql"
        and not connection.features.uses_server_side_binding
        and "cursor_factory" not in connection.settings_dict["OPTIONS"]
    )


def _gives_several() -> bool:
    """Whether PostgreSQL's driver gives the rows of each of several statements."""
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return bool(is_psycopg3)


def _insertion(rows: Sequence[models.Model], connection: Any) -> Query:
    head, columns = _head(type(rows[0]), connection.alias, connection.vendor)
    groups: list[str] = []
    parameters: list[Any] = []
    for row in rows:
        marks = []
        for column in columns:
            value = column.pre_save(row, add=True)
            # Much of a new row is nothing yet, and each parameter costs its adaption.
            if value is None:
                marks.append("NULL")
            elif value == "" and isinstance(column, _TEXTS):
                marks.append("''")
            else:
                marks.append("%s")
                parameters.append(column.get_db_prep_save(value, connection))
        groups.append(f"({', '.join(marks)})")
    return head + ", ".join(groups), parameters


@lru_cache(maxsize=32)
def _head(model: Any, using: str, vendor: str) -> tuple[str, list[Any]]:
    """``INSERT INTO … VALUES`` in this vendor's quotation marks, and the columns in its order."""
    name = connections[using].ops.quote_name
    columns = list(model._meta.local_concrete_fields)
    names = ", ".join(name(column.column) for column in columns)
    table = name(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ", columns  # noqa: S608 - our names
