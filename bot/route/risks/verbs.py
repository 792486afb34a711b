"""What a statement does, in a word, as far as the rules need it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    DROP_DEFAULT = "drop default"
    """Of a column, or that it is an identity: nothing gives it a value any more."""
    ALTER_LIGHT = "alter light"
    """Defaults, DROP NOT NULL: the catalogue alone."""
    TUNE = "tune"
    """Statistics and storage parameters, which PostgreSQL changes beside readers and writers."""
    REWRITE = "rewrite"
    """CLUSTER, VACUUM FULL, SET LOGGED: PostgreSQL writes the table anew as it is."""
    CREATE_VIEW = "create view"
    DROP_VIEW = "drop view"
    REFRESH = "refresh"
    """A materialized view, made anew from its query."""
    CREATE_DOMAIN = "create domain"
    CHECK_DOMAIN = "check domain"
    """``name`` gets a rule that all columns of this domain must keep."""
    ADD_VALUE = "add value"
    """To an enum; ``name`` is the type."""
    RENAME_VALUE = "rename value"
    """Of an enum; ``name`` is the type."""
    DROP_ALL_OF = "drop all of"
    """DROP TYPE, DOMAIN, EXTENSION or SCHEMA with CASCADE: ``name``, and what depends on it."""
    REINDEX = "reindex"
    VACUUM = "vacuum"
    ATTACH = "attach partition"
    """``table`` is the one that becomes a partition."""
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
    LOCK_ROWS = "lock rows"
    """SELECT … FOR UPDATE and its like: rows are locked as if they were written."""
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
    by_key: bool = False
    """UPDATE and DELETE: whether a WHERE names few rows by ``id``."""
