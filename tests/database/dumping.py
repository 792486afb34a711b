"""All there is in a database, so that before and after can be compared."""

from __future__ import annotations

from typing import Any

from django.db import connections


def dump(database: str) -> dict[str, Any]:
    """Every table with its columns, its constraints and indexes, and its rows."""
    connection = connections[database]
    introspection, found = connection.introspection, {}
    with connection.cursor() as cursor:
        for table in introspection.table_names(cursor, include_views=True):
            columns = [tuple(one) for one in introspection.get_table_description(cursor, table)]
            constraints = introspection.get_constraints(cursor, table)
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = sorted(cursor.fetchall(), key=repr)
            found[table] = (columns, constraints, rows)
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
            found["sequences"] = cursor.fetchall()
            cursor.execute("SELECT extname FROM pg_extension ORDER BY 1")
            found["extensions"] = cursor.fetchall()
    return found
