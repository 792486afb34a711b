"""PostgreSQL's schema as the catalogue describes it, to be compared: names and definitions, in no
order. Where a column stands in its table is left out: a column that is dropped and made again comes
last, and nobody is the worse for it. So are the names of foreign keys, which Django makes up anew
when it makes one again."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from bot.database.rehearsal.vendor import Schema

_OURS = (
    "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    " AND n.nspname NOT LIKE 'pg_temp%%' AND n.nspname NOT LIKE 'pg_toast_temp%%'"
)
_QUERIES = {
    "relation": """
SELECT format('%%s.%%s', n.nspname, c.relname), concat_ws(' ', c.relkind, c.relpersistence,
    obj_description(c.oid, 'pg_class'), array_to_string(c.reloptions, ','),
    CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE OURS AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')""",
    "column": """
SELECT format('%%s.%%s.%%s', n.nspname, c.relname, a.attname), concat_ws(' ',
    format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
    'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity, ''),
    nullif(a.attgenerated, ''),
    CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END,
    col_description(c.oid, a.attnum))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE OURS AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraint": """
SELECT format('%%s.%%s.%%s', n.nspname, c.relname, CASE WHEN k.contype = 'f'
    THEN pg_get_constraintdef(k.oid) ELSE k.conname END),
    pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OURS AND k.contype <> 'n'""",
    "index": """
SELECT format('%%s.%%s', n.nspname, c.relname), concat_ws(' ', pg_get_indexdef(i.indexrelid),
    CASE WHEN NOT i.indisvalid THEN 'INVALID' END)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OURS""",
    "trigger": """
SELECT format('%%s.%%s.%%s', n.nspname, c.relname, g.tgname), pg_get_triggerdef(g.oid)
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE OURS AND NOT g.tgisinternal""",
    "function": """
SELECT p.oid::regprocedure::text, md5(p.prosrc) FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace WHERE OURS AND NOT EXISTS (
    SELECT 1 FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')""",
    "type": """
SELECT format('%%s.%%s', n.nspname, t.typname), concat_ws(' ', t.typtype,
    (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e
        WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE OURS AND t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (
    SELECT 1 FROM pg_depend e WHERE e.objid = t.oid AND e.deptype = 'e')""",
    "extension": "SELECT extname::text, extversion FROM pg_extension",
}


def read_schema(connection: Any) -> Schema:
    """All there is outside of PostgreSQL's own schemas."""
    found = {}
    with closing(connection.connection.cursor()) as cursor:
        for kind, query in _QUERIES.items():
            cursor.execute(query.replace("OURS", _OURS), [])
            for name, definition in cursor.fetchall():
                found[f"{kind} {name}"] = definition
    return found
