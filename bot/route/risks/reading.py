"""Reads as much of a DDL or DML statement as the rules need. What it does not know it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

from bot.route.risks import queries, where
from bot.route.risks.clauses import NAME as _NAME
from bot.route.risks.clauses import TABLE as _TABLE
from bot.route.risks.clauses import read_clause, split, unquoted
from bot.route.risks.verbs import Action, Verb

__all__ = ["Action", "Verb", "actions", "bare", "is_write", "split", "statements", "unquoted"]


_Maker = Callable[[re.Match[str], str], Iterator["Action"]]
_HIDE = re.compile(r"--[^\n]*|/\*.*?\*/|[eE]?'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_HARMLESS = re.compile(
    r"(?:SET|RESET|SHOW|SELECT|BEGIN|START TRANSACTION|COMMIT|SAVEPOINT|RELEASE|PRAGMA|ANALYZE"
    r"|CREATE EXTENSION|CREATE COLLATION|CREATE (?:TEMP(?:ORARY)? )?SEQUENCE|ALTER SEQUENCE"
    r"|DROP SEQUENCE|CREATE TYPE|CREATE SCHEMA|CREATE (?:FUNCTION|PROCEDURE)|NOTIFY)\b",
    re.IGNORECASE,
)
"""A new function is called by nobody; one that is replaced may be."""
_READS_ONLY = {
    "count", "max", "min", "sum", "avg", "coalesce", "now", "lower", "upper", "exists", "in",
    "select", "where", "and", "or", "not", "any", "all", "as", "on", "from",
}  # fmt: skip
"""Functions that only read, and words that a bracket may follow."""
_CALLED = re.compile(r"([A-Za-z_][\w.]*)\s*\(")


def bare(sql: str) -> str:
    """The statement on one line, without comments, and with empty literals for all literals."""
    hidden = _HIDE.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "''", sql)
    return " ".join(hidden.split()).rstrip("; ")


def statements(sql: str) -> list[str]:
    """A text with several statements, taken apart, each as ``bare`` has it."""
    hidden = _HIDE.sub(lambda found: " " if found[0][:2] in ("--", "/*") else "''", sql)
    parts = [" ".join(part.split()) for part in hidden.split(";")]
    return [part for part in parts if part]


@lru_cache(maxsize=2048)  # Plans of a project are made again and again.
def actions(sql: str) -> tuple[Action, ...]:
    """What a text does, in order; nothing for an empty one."""
    if "\\'" in sql:  # Whether that ends a literal depends on the server: nothing is sure.
        return (Action(verb=Verb.UNKNOWN, rest=sql.lower()),)
    return tuple(action for one in statements(sql) for action in _one(one))


def is_write(statement: str) -> bool:
    """Whether one statement may leave something behind."""
    made = re.match(r"CREATE\s+(?:FUNCTION|PROCEDURE)\b", statement, re.IGNORECASE)
    return bool(made) or any(action.verb is not Verb.HARMLESS for action in _one(statement))


def _one(sql: str) -> list[Action]:
    first = sql.split(None, 1)[0].upper()
    if first == "WITH":
        return _with(*queries.parts_of_with(sql))
    if first == "MERGE" and (doing := queries.parts_of_merge(sql)):
        return [action for part in doing for action in _one(part)]
    if first == "SELECT" and queries.locks_rows(sql) and (source := _FROM.search(sql)):
        return list(_simple(Verb.LOCK_ROWS)(source, sql))
    for pattern, make in _READERS.get(first, ()):
        if found := pattern.match(sql):
            return list(make(found, sql))
    if _HARMLESS.match(sql):
        # A function that a SELECT calls may do anything.
        called = {name.lower() for name in _CALLED.findall(sql)}
        if "setval" in called and "max" in called:  # As high as the keys that are there.
            called -= {"setval", "pg_get_serial_sequence"}
        called -= _READS_ONLY
        acts = sql[:6].upper() == "SELECT" and (called or re.search(r"\binto\b", sql.lower()))
        return [Action(verb=Verb.UNKNOWN if acts else Verb.HARMLESS, rest=sql.lower())]
    return [Action(verb=Verb.UNKNOWN, rest=sql.lower())]


def _with(names: list[str], parts: list[str]) -> list[Action]:
    """What the queries of a WITH do. Where one of them takes a few rows, the others do too."""
    few = any(re.search(r"\bLIMIT\b", part, re.IGNORECASE) for part in parts[:-1])
    found = [action for part in parts if part for action in _one(part)]
    acts = [one for one in found if one.verb is not Verb.HARMLESS] or found[-1:]
    return [
        replace(one, narrowed=one.narrowed or few, to="" if one.to in names else one.to)
        for one in acts
    ]


def _create_table(found: re.Match[str], sql: str) -> Iterator[Action]:
    rest = sql[found.end() :]
    taken = re.match(r"\s*(?:\(.*\)\s*)?AS\s+SELECT\b", rest, re.IGNORECASE)
    source = _FROM.search(rest) if taken else None
    parent = re.match(rf"\s+PARTITION\s+OF\s+{_TABLE}", rest, re.IGNORECASE)
    yield Action(
        verb=Verb.CREATE_TABLE,
        table=unquoted(found[1]),
        name=unquoted(parent[1]) if parent else "",
        rest=sql.lower(),
        to="" if not taken else unquoted(source[1]) if source else "?",
    )


def _drop_table(found: re.Match[str], sql: str) -> Iterator[Action]:
    for part in split(sql[found.end() :]):
        if name := re.match(_TABLE, part):
            yield Action(verb=Verb.DROP_TABLE, table=unquoted(name[1]))


def _create_index(found: re.Match[str], sql: str) -> Iterator[Action]:
    yield Action(
        verb=Verb.CREATE_INDEX,
        table=unquoted(found["table"]),
        name=unquoted(found["name"] or ""),
        rest=sql.lower(),
        concurrently=bool(found["concurrently"]),
    )


def _whole(verb: Verb) -> _Maker:
    def make(found: re.Match[str], sql: str) -> Iterator[Action]:
        named = found.groupdict()
        yield Action(
            verb=verb,
            table=unquoted(named["table"]),
            rest=sql.lower(),
            concurrently=bool(named.get("concurrently")),
        )

    return make


def _of_name(verb: Verb) -> _Maker:
    def make(found: re.Match[str], sql: str) -> Iterator[Action]:
        for name in split(found["names"]):
            yield Action(
                verb=verb,
                name=unquoted(name),
                rest=sql.lower(),
                not_valid=bool(re.search(r"\bNOT\s+VALID\b", sql, re.IGNORECASE)),
            )

    return make


def _drop_index(found: re.Match[str], sql: str) -> Iterator[Action]:
    yield Action(
        verb=Verb.DROP_INDEX,
        table=unquoted(found["table"] or ""),
        name=unquoted(found["name"]),
        concurrently=bool(found["concurrently"]),
    )


def _rename_table(found: re.Match[str], sql: str) -> Iterator[Action]:
    yield Action(verb=Verb.RENAME_TABLE, table=unquoted(found[1]), to=unquoted(found[2]))


def _simple(verb: Verb) -> _Maker:
    def make(found: re.Match[str], sql: str) -> Iterator[Action]:
        narrowed = where.narrows(sql, may_join=verb is Verb.UPDATE)
        table = unquoted(found[1]) if found.re.groups else ""
        to = _FROM.search(sql)
        yield Action(
            verb=verb,
            table=table,
            rest=sql.lower(),
            narrowed=narrowed,
            by_key=narrowed and where.names_keys(sql),
            to=unquoted(to[1]) if to and verb is Verb.INSERT else "",
        )

    return make


_FROM = re.compile(rf"\b(?:FROM|JOIN)\s+{_TABLE}", re.IGNORECASE)


def _alter(found: re.Match[str], sql: str) -> Iterator[Action]:
    table = unquoted(found[1])
    for clause in split(sql[found.end() :]):
        yield read_clause(table, clause)


_NAMES = rf"(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)"
_ALTER_DOMAIN = (
    rf"ALTER\s+DOMAIN\s+(?:{_NAME}\.)?(?P<names>{_NAME})\s+"
    r"(?:ADD\b|SET\s+NOT\s+NULL\b|VALIDATE\b)"
)
_CREATE_INDEX = (
    r"CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX\s+(?P<concurrently>CONCURRENTLY\s+)?"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?(?:(?!ON\s)(?P<name>{_NAME})\s+)?ON\s+(?:ONLY\s+)?"
    rf"(?:{_NAME}\.)?(?P<table>{_NAME})"
)
_DROP_INDEX = (
    r"DROP\s+INDEX\s+(?P<concurrently>CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?"
    rf"(?:{_NAME}\.)?(?P<name>{_NAME})(?:\s+ON\s+(?P<table>{_NAME}))?"
)
_WHOLE = rf"(?!(?:VERBOSE|ANALYZE|FREEZE)\b)(?:{_NAME}\.)?(?P<table>{_NAME})"
_REINDEX = rf"REINDEX\s+(?:\([^)]*\)\s*)?TABLE\s+(?P<concurrently>CONCURRENTLY\s+)?{_WHOLE}"
_REFRESH = rf"REFRESH\s+MATERIALIZED\s+VIEW\s+(?P<concurrently>CONCURRENTLY\s+)?{_WHOLE}"
_VACUUM_FULL = rf"VACUUM\s+(?:\([^)]*\bFULL\b[^)]*\)|FULL)\s+(?:VERBOSE\s+|ANALYZE\s+)*{_WHOLE}"
_VACUUM = (
    r"VACUUM\s+(?:\([^)]*\)\s*)?(?!FULL\b)(?:VERBOSE\s+|ANALYZE\s+|FREEZE\s+)*"
    rf"{_WHOLE}"
)
_PATTERNS = [
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (rf"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}", _create_table),
        (r"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?", _drop_table),
        (rf"CREATE\s+VIEW\s+{_TABLE}", _simple(Verb.CREATE_VIEW)),
        (rf"DROP\s+(?:MATERIALIZED\s+)?VIEW\s+(?:IF\s+EXISTS\s+)?{_TABLE}",
         _simple(Verb.DROP_VIEW)),
        (_REFRESH, _whole(Verb.REFRESH)),
        (rf"CREATE\s+STATISTICS\s.*?\bFROM\s+{_TABLE}", _simple(Verb.TUNE)),
        (rf"CREATE\s+DOMAIN\s+(?:{_NAME}\.)?(?P<names>{_NAME})", _of_name(Verb.CREATE_DOMAIN)),
        (_ALTER_DOMAIN, _of_name(Verb.CHECK_DOMAIN)),
        (rf"ALTER\s+TYPE\s+(?:{_NAME}\.)?(?P<names>{_NAME})\s+ADD\s+VALUE\b",
         _of_name(Verb.ADD_VALUE)),
        (rf"ALTER\s+TYPE\s+(?:{_NAME}\.)?(?P<names>{_NAME})\s+RENAME\s+VALUE\b",
         _of_name(Verb.RENAME_VALUE)),
        (rf"DROP\s+(?:TYPE|DOMAIN|EXTENSION|SCHEMA)\s+(?:IF\s+EXISTS\s+)?{_NAMES}\s+CASCADE$",
         _of_name(Verb.DROP_ALL_OF)),
        (_CREATE_INDEX, _create_index),
        (_DROP_INDEX, _drop_index),
        (rf"RENAME\s+TABLE\s+{_TABLE}\s+TO\s+{_TABLE}", _rename_table),
        (rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?{_TABLE}\s+", _alter),
        (rf"ALTER\s+INDEX\s+(?:IF\s+EXISTS\s+)?{_NAME}\s+RENAME\b", _simple(Verb.RENAME_INDEX)),
        (r"COMMENT\s+ON\b", _simple(Verb.COMMENT)),
        (rf"UPDATE\s+(?:ONLY\s+)?{_TABLE}", _simple(Verb.UPDATE)),
        (rf"DELETE\s+FROM\s+(?:ONLY\s+)?{_TABLE}", _simple(Verb.DELETE)),
        (rf"INSERT\s+INTO\s+{_TABLE}", _simple(Verb.INSERT)),
        (rf"TRUNCATE\s+(?:TABLE\s+)?(?:ONLY\s+)?{_TABLE}", _simple(Verb.TRUNCATE)),
        (_REINDEX, _whole(Verb.REINDEX)),
        (rf"CLUSTER\s+(?:VERBOSE\s+)?{_WHOLE}", _whole(Verb.REWRITE)),
        (_VACUUM_FULL, _whole(Verb.REWRITE)),
        (_VACUUM, _whole(Verb.VACUUM)),
        (rf"LOCK\s+(?:TABLE\s+)?(?:ONLY\s+)?{_TABLE}", _simple(Verb.LOCK)),
    )
]  # fmt: skip
_READERS: dict[str, list[tuple[re.Pattern[str], _Maker]]] = {}
for _pattern, _make in _PATTERNS:
    _READERS.setdefault(re.split(r"\W", _pattern.pattern, maxsplit=1)[0], []).append(
        (_pattern, _make)
    )
