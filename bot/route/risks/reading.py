"""Reads as much of a DDL or DML statement as the rules need. What it does not know it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Verb(StrEnum):
    """What a statement, or one clause of an ALTER TABLE, does."""

    CREATE_TABLE = "create table"
    DROP_TABLE = "drop table"
    RENAME_TABLE = "rename table"
    ADD_COLUMN = "add column"
    DROP_COLUMN = "drop column"
    RENAME_COLUMN = "rename column"
    ALTER_TYPE = "alter type"
    MODIFY = "modify"
    """MySQL's MODIFY and CHANGE: the whole definition of a column."""
    SET_NOT_NULL = "set not null"
    ALTER_LIGHT = "alter light"
    """Defaults, DROP NOT NULL, storage: the catalogue alone."""
    ADD_CHECK = "add check"
    ADD_UNIQUE = "add unique"
    ADD_EXCLUDE = "add exclude"
    ADD_FOREIGN_KEY = "add foreign key"
    ADD_PRIMARY_KEY = "add primary key"
    VALIDATE = "validate"
    DROP_CONSTRAINT = "drop constraint"
    CREATE_INDEX = "create index"
    DROP_INDEX = "drop index"
    RENAME_INDEX = "rename index"
    COMMENT = "comment"
    UPDATE = "update"
    DELETE = "delete"
    INSERT = "insert"
    TRUNCATE = "truncate"
    LOCK = "lock"
    HARMLESS = "harmless"
    """Settings, sequences, reads: no table is locked that anybody waits for."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """``name`` is the column, constraint or index; ``to`` a new name, a referenced table or where
    rows are taken from; ``rest`` the clause in lower case, without the values of literals."""

    verb: Verb
    table: str = ""
    name: str = ""
    to: str = ""
    rest: str = ""
    concurrently: bool = False
    not_valid: bool = False
    narrowed: bool = False
    """UPDATE and DELETE: whether a WHERE narrows them."""


_Maker = Callable[[re.Match[str], str], Iterator["Action"]]
_NAME = r'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\]|[\w$]+)'
_TABLE = rf"(?:{_NAME}\.)?({_NAME})"
_HIDE = re.compile(r"--[^\n]*|/\*.*?\*/|[eE]?'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_HARMLESS = re.compile(
    r"(?:SET|RESET|SHOW|SELECT|BEGIN|START TRANSACTION|COMMIT|SAVEPOINT|RELEASE|PRAGMA|ANALYZE"
    r"|CREATE EXTENSION|CREATE COLLATION|CREATE (?:TEMP(?:ORARY)? )?SEQUENCE|ALTER SEQUENCE"
    r"|DROP SEQUENCE|CREATE TYPE|CREATE SCHEMA|ALTER TYPE|NOTIFY)\b",
    re.IGNORECASE,
)
_READS_ONLY = {
    "count",
    "max",
    "min",
    "sum",
    "avg",
    "coalesce",
    "now",
    "lower",
    "upper",
    "exists",
    "in",
}
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


def actions(sql: str) -> list[Action]:
    """What a text does, in order; nothing for an empty one."""
    return list(_actions(sql))


@lru_cache(maxsize=2048)  # Every rule asks about the same few statements.
def _actions(sql: str) -> tuple[Action, ...]:
    if "\\'" in sql:  # Whether that ends a literal depends on the server: nothing is sure.
        return (Action(verb=Verb.UNKNOWN, rest=sql.lower()),)
    return tuple(action for one in statements(sql) for action in _one(one))


def is_write(statement: str) -> bool:
    """Whether one statement may leave something behind."""
    return any(action.verb is not Verb.HARMLESS for action in _one(statement))


def unquoted(name: str) -> str:
    """``"Shop"`` as ``Shop``; what was not quoted stays as it is written."""
    if name[:1] in '"`[' and len(name) > 1:
        return name[1:-1].replace('""', '"').replace("``", "`")
    return name


def _one(sql: str) -> list[Action]:
    for pattern, make in _READERS.get(sql.split(None, 1)[0].upper(), ()):
        if found := pattern.match(sql):
            return list(make(found, sql))
    if _HARMLESS.match(sql):
        # A function that a SELECT calls may do anything.
        called = {name.lower() for name in _CALLED.findall(sql)} - _READS_ONLY
        acts = sql[:6].upper() == "SELECT" and (called or re.search(r"\binto\b", sql.lower()))
        return [Action(verb=Verb.UNKNOWN if acts else Verb.HARMLESS, rest=sql.lower())]
    return [Action(verb=Verb.UNKNOWN, rest=sql.lower())]


def _create_table(found: re.Match[str], sql: str) -> Iterator[Action]:
    rest = sql[found.end() :]
    taken = re.match(r"\s*(?:\(.*\)\s*)?AS\s+SELECT\b", rest, re.IGNORECASE)
    yield Action(
        verb=Verb.CREATE_TABLE,
        table=unquoted(found[1]),
        rest=rest.lower(),
        to="?" if taken else "",
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
        narrowed = bool(re.search(r"\bWHERE\b|\bLIMIT\b", sql, re.IGNORECASE))
        table = unquoted(found[1]) if found.re.groups else ""
        to = re.search(rf"\b(?:FROM|JOIN)\s+{_TABLE}", sql, re.IGNORECASE)
        yield Action(
            verb=verb,
            table=table,
            rest=sql.lower(),
            narrowed=narrowed,
            to=unquoted(to[1]) if to and verb is Verb.INSERT else "",
        )

    return make


def _alter(found: re.Match[str], sql: str) -> Iterator[Action]:
    table = unquoted(found[1])
    for clause in split(sql[found.end() :]):
        yield _clause(table, clause)


_CLAUSES: list[tuple[re.Pattern[str], Verb]] = [
    (re.compile(pattern, re.IGNORECASE), verb)
    for pattern, verb in (
        (rf"RENAME\s+(?:TO|AS)\s+{_TABLE}$", Verb.RENAME_TABLE),
        (rf"RENAME\s+(?:INDEX|KEY|CONSTRAINT)\s+({_NAME})\s+TO\s+({_NAME})", Verb.RENAME_INDEX),
        (rf"RENAME\s+(?:COLUMN\s+)?({_NAME})\s+TO\s+({_NAME})", Verb.RENAME_COLUMN),
        (rf"ADD\s+(?:CONSTRAINT\s+({_NAME})\s+)?CHECK\b", Verb.ADD_CHECK),
        (rf"ADD\s+(?:CONSTRAINT\s+({_NAME})\s+)?FOREIGN\s+KEY\b", Verb.ADD_FOREIGN_KEY),
        (rf"ADD\s+(?:CONSTRAINT\s+({_NAME})\s+)?PRIMARY\s+KEY\b", Verb.ADD_PRIMARY_KEY),
        (rf"ADD\s+(?:CONSTRAINT\s+({_NAME})\s+)?UNIQUE\b", Verb.ADD_UNIQUE),
        (rf"ADD\s+(?:CONSTRAINT\s+({_NAME})\s+)?EXCLUDE\b", Verb.ADD_EXCLUDE),
        (rf"ADD\s+(?:INDEX|KEY)\s+({_NAME})", Verb.CREATE_INDEX),
        (rf"ADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?({_NAME})", Verb.ADD_COLUMN),
        (rf"DROP\s+(?:CONSTRAINT|FOREIGN\s+KEY|CHECK)\s+(?:IF\s+EXISTS\s+)?({_NAME})",
         Verb.DROP_CONSTRAINT),
        (r"DROP\s+(PRIMARY\s+KEY)", Verb.DROP_CONSTRAINT),
        (rf"DROP\s+(?:INDEX|KEY)\s+(?:IF\s+EXISTS\s+)?({_NAME})", Verb.DROP_INDEX),
        (rf"DROP\s+(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?({_NAME})", Verb.DROP_COLUMN),
        (rf"ALTER\s+(?:COLUMN\s+)?({_NAME})\s+(?:SET\s+DATA\s+)?TYPE\b", Verb.ALTER_TYPE),
        (rf"ALTER\s+(?:COLUMN\s+)?({_NAME})\s+SET\s+NOT\s+NULL", Verb.SET_NOT_NULL),
        (rf"ALTER\s+(?:COLUMN\s+)?({_NAME})\s+(?:SET|DROP|ADD|RESTART)\b", Verb.ALTER_LIGHT),
        (rf"ALTER\s+INDEX\s+({_NAME})", Verb.ALTER_LIGHT),
        (rf"CHANGE\s+(?:COLUMN\s+)?{_NAME}\s+({_NAME})", Verb.MODIFY),
        (rf"MODIFY\s+(?:COLUMN\s+)?({_NAME})", Verb.MODIFY),
        (rf"VALIDATE\s+CONSTRAINT\s+({_NAME})", Verb.VALIDATE),
        (r"COMMENT\b", Verb.COMMENT),
    )
]  # fmt: skip


def _clause(table: str, clause: str) -> Action:
    for pattern, verb in _CLAUSES:
        if found := pattern.match(clause):
            groups = [unquoted(group or "") for group in found.groups()]
            to = groups[1] if len(groups) > 1 else ""
            name = groups[0] if groups else ""
            if verb is Verb.RENAME_TABLE:
                name, to = "", name
            if references := re.search(rf"\bREFERENCES\s+{_TABLE}", clause, re.IGNORECASE):
                to = unquoted(references[1])
            return Action(
                verb=verb,
                table=table,
                name=name,
                to=to,
                rest=clause[found.end() :].lower().strip(),
                not_valid=bool(re.search(r"\bNOT\s+VALID\b", clause, re.IGNORECASE)),
            )
    return Action(verb=Verb.UNKNOWN, table=table, rest=clause.lower())


def split(text: str) -> list[str]:
    """At commas outside of brackets and quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in '"`':
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and not depth:
            parts.append(text[start:place].strip())
            start = place + 1
    return [part for part in (*parts, text[start:].strip()) if part]


_CREATE_INDEX = (
    r"CREATE\s+(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX\s+(?P<concurrently>CONCURRENTLY\s+)?"
    rf"(?:IF\s+NOT\s+EXISTS\s+)?(?:(?!ON\s)(?P<name>{_NAME})\s+)?ON\s+(?:ONLY\s+)?"
    rf"(?:{_NAME}\.)?(?P<table>{_NAME})"
)
_DROP_INDEX = (
    r"DROP\s+INDEX\s+(?P<concurrently>CONCURRENTLY\s+)?(?:IF\s+EXISTS\s+)?"
    rf"(?:{_NAME}\.)?(?P<name>{_NAME})(?:\s+ON\s+(?P<table>{_NAME}))?"
)
_PATTERNS = [
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (rf"CREATE\s+(?:UNLOGGED\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}", _create_table),
        (r"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?", _drop_table),
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
        (rf"LOCK\s+(?:TABLE\s+)?(?:ONLY\s+)?{_TABLE}", _simple(Verb.LOCK)),
    )
]  # fmt: skip
_READERS: dict[str, list[tuple[re.Pattern[str], _Maker]]] = {}
for _pattern, _make in _PATTERNS:
    _READERS.setdefault(re.split(r"\W", _pattern.pattern, maxsplit=1)[0], []).append(
        (_pattern, _make)
    )
