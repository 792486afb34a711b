"""Every value in the database before and after, to see what was lost or cut."""

from __future__ import annotations

import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import connections

from tests.labelled.ground import ALIAS

_COLUMNS = """
SELECT c.oid, c.relname, a.attnum, a.attname
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0
AND NOT a.attisdropped AND c.relname <> 'django_migrations' ORDER BY 1, 3
"""

Values = dict[tuple[int, int, Any], Any]
"""What is not NULL, by the table's oid, the column's number and the first column's value: names
may change, these do not."""


def values() -> Values:
    found: Values = {}
    with connections[ALIAS].cursor() as cursor:
        cursor.execute(_COLUMNS)
        tables: dict[tuple[int, str], list[tuple[int, str]]] = {}
        for oid, table, number, column in cursor.fetchall():
            tables.setdefault((oid, table), []).append((number, column))
        for (oid, table), columns in tables.items():
            listed = ", ".join(f'"{column}"' for _, column in columns)
            cursor.execute(f'SELECT {listed} FROM "{table}"')
            for row in cursor.fetchall():
                for (number, _), value in zip(columns, row, strict=True):
                    if value is not None:
                        found[oid, number, row[0]] = _plain(value)
    return found


def of_before(now: Values, before: Values) -> Values:
    """Of ``now`` what stands where there was a value before."""
    return {key: value for key, value in now.items() if key in before}


def changed(before: Values, after: Values) -> list[str]:
    """What is gone or is another value afterwards."""
    gone = []
    for key, value in before.items():
        if key not in after:
            gone.append(f"{value!r} is gone")
        elif after[key] != value:
            gone.append(f"{value!r} became {after[key]!r}")
    return gone


def _plain(value: Any) -> Any:
    """Numbers alike, and dates, however they are stored."""
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC)
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.UTC)
    if isinstance(value, bool | int | float | Decimal):
        return Decimal(value)
    if isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value
