"""What the rules ask PostgreSQL's catalogue about what a plan's own SQL names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.route.risks.definitions import default_of, functions_of
from bot.route.risks.facts import StepFacts
from bot.route.risks.known import Known
from bot.route.risks.reading import Action, Verb
from bot.route.risks.types import is_known

_WORD = re.compile(r'(?:"?[\w$]+"?\.)?"?([\w$]+)"?')

Ask = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
"""A query and its parameters; nothing when the database does not answer."""

_PARTITIONED = """
SELECT c.relname, coalesce(d.relname, '') FROM pg_partitioned_table p
JOIN pg_class c ON c.oid = p.partrelid LEFT JOIN pg_class d ON d.oid = p.partdefid
WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid)
"""
_CHECKED = """
WITH RECURSIVE checked AS (
SELECT t.oid FROM pg_type t WHERE t.typtype = 'd'
AND (t.typnotnull OR EXISTS (SELECT 1 FROM pg_constraint k WHERE k.contypid = t.oid))
UNION SELECT t.oid FROM pg_type t JOIN checked c ON t.typbasetype = c.oid WHERE t.typtype = 'd')
SELECT t.typname FROM pg_type t JOIN checked c ON c.oid = t.oid WHERE t.typname = ANY(%s)
"""
_DOMAINS = """
SELECT t.typname, c.relname FROM pg_type t LEFT JOIN pg_attribute a ON a.atttypid = t.oid
AND NOT a.attisdropped AND a.attnum > 0 LEFT JOIN pg_class c ON c.oid = a.attrelid
AND c.relkind IN ('r', 'p') WHERE t.typtype = 'd' AND t.typname = ANY(%s)
"""
_STEADY = """
SELECT proname FROM pg_proc WHERE proname = ANY(%s) GROUP BY 1 HAVING bool_and(provolatile <> 'v')
"""
_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, EXISTS (
SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid
AND (a.attnum = ANY(i.indkey) OR i.indexprs IS NOT NULL))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = ANY(%s)
AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid)
"""
_INDEXES = """
SELECT i.relname, t.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_class t ON t.oid = x.indrelid WHERE i.relname = ANY(%s) AND pg_table_is_visible(i.oid)
"""
_TAKEN_ALONG = """
WITH gone AS (
SELECT t.typname AS name, t.oid FROM pg_type t WHERE t.typname = ANY(%s)
UNION SELECT e.extname, d.objid FROM pg_extension e JOIN pg_depend d ON d.refobjid = e.oid
AND d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_type'::regclass
WHERE e.extname = ANY(%s)
UNION SELECT n.nspname, t.oid FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid
WHERE n.nspname = ANY(%s))
SELECT g.name, c.relname, a.attname FROM gone g JOIN pg_type t ON t.oid = g.oid
JOIN pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
UNION SELECT n.nspname, n.nspname || '.' || c.relname, '' FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p')
"""


def known(ask: Ask, steps: Sequence[StepFacts], time_zone: str) -> Known:
    """Asks only about what these steps name; most plans name none of it."""
    read: dict[Verb, list[Action]] = {}
    for step in steps:
        for one in step.operations:
            for action in one.actions:
                read.setdefault(action.verb, []).append(action)
    in_sql = [] if read.keys().isdisjoint(_ALTERS_COLUMN) else _changed_in_sql(steps)
    columns = ask(_COLUMNS, [in_sql]) if in_sql else []
    domains = _names(read, Verb.CHECK_DOMAIN)
    used: dict[str, list[str]] = {}
    for domain, table in ask(_DOMAINS, [domains]) if domains else ():
        used.setdefault(domain, []).extend([table] if table else [])
    taken: dict[str, list[tuple[str, str]]] = {}
    if names := _names(read, Verb.DROP_ALL_OF):
        for name, table, column in ask(_TAKEN_ALONG, [names] * 4):
            taken.setdefault(name, []).append((table, column))
    return Known(
        default_partitions=_pairs(ask, _PARTITIONED, _parents(read)),
        checked_domains=_set(ask, _CHECKED, _strange_types(read)),
        domain_tables={name: tuple(tables) for name, tables in used.items()},
        index_tables=_pairs(ask, _INDEXES, _indexes(steps) if Verb.DROP_INDEX in read else []),
        steady_functions=_set(ask, _STEADY, _called(read)),
        types={(table, column): kind for table, column, kind, *_ in columns},
        indexed=frozenset((table, column) for table, column, *_, index in columns if index),
        no_null=frozenset((table, column) for table, column, _, must, _ in columns if must),
        takes_along={name: tuple(along) for name, along in taken.items()},
        utc=time_zone.upper() == "UTC",
    )


_Read = Mapping[Verb, Sequence[Action]]
_ALTERS_COLUMN = (Verb.ALTER_TYPE, Verb.DROP_DEFAULT)


def _names(read: _Read, verb: Verb) -> list[str]:
    return sorted({one.name for one in read.get(verb, ())})


def _parents(read: _Read) -> list[str]:
    """Tables that are partitioned, if the plan is right, and those that an index is built on."""
    found = {one.name for one in read.get(Verb.CREATE_TABLE, ())}
    found |= {one.to for one in read.get(Verb.ATTACH, ())}
    only = (one for one in read.get(Verb.CREATE_INDEX, ()) if " on only " in one.rest)
    return sorted((found | {one.table for one in only}) - {""})


def _strange_types(read: _Read) -> list[str]:
    """The types of added columns that are none of the database's own."""
    found = {_first_word(one.rest) for one in read.get(Verb.ADD_COLUMN, ())}
    return sorted(word for word in found if word and not is_known(word))


def _first_word(rest: str) -> str:
    found = _WORD.match(rest)
    return found[1] if found else ""


def _called(read: _Read) -> list[str]:
    """The functions in defaults of added columns of which nobody here knows what they are."""
    defaults = (default_of(one.rest) for one in read.get(Verb.ADD_COLUMN, ()))
    return sorted({name.split(".")[-1] for one in defaults for name in functions_of(one)})


def _changed_in_sql(steps: Iterable[StepFacts]) -> list[str]:
    """Tables of which SQL by hand changes a column's type, or takes a default away."""
    return sorted(
        {
            action.table
            for step in steps
            for one in step.operations
            if one.before is None and one.after is None  # Of Django's own fields it is known.
            for action in one.actions
            if action.verb in _ALTERS_COLUMN
        }
    )


def _indexes(steps: Iterable[StepFacts]) -> list[str]:
    """Those that SQL by hand drops; of its own Django knows the table."""
    return sorted(
        {
            action.name
            for step in steps
            for one in step.operations
            if not one.table
            for action in one.actions
            if action.verb is Verb.DROP_INDEX
        }
    )


def _set(ask: Ask, query: str, names: list[str]) -> frozenset[str]:
    return frozenset(row[0] for row in ask(query, [names])) if names else frozenset()


def _pairs(ask: Ask, query: str, names: list[str]) -> dict[str, str]:
    return {row[0]: row[1] for row in ask(query, [names])} if names else {}
