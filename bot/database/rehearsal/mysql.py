"""MariaDB and MySQL: a scratch database on a server that a setting names.

DDL is no part of a transaction there, so what is run on a scratch database stays. Nobody starts a
server for a rehearsal: without an alias for it there is none.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from bot.conf import get_settings
from bot.database.rehearsal import mysql_server
from bot.database.rehearsal.bounds import Bounds
from bot.database.rehearsal.mysql_like import Likeness
from bot.database.rehearsal.mysql_meter import MySQLMeter
from bot.database.rehearsal.mysql_reach import Reach
from bot.database.rehearsal.mysql_schema import copy_definitions, empty_tables, read_schema
from bot.database.rehearsal.names import maker_of
from bot.database.rehearsal.opening import closed_at_end, connection_like
from bot.database.rehearsal.vendor import Deadline, Loaded, Meter, NotRehearsed, Schema

WORDS = "the target's own definitions (SHOW CREATE TABLE)"
_OF_THE_TARGET = ("charset", "collation", "sql_mode", "isolation_level", "use_unicode")
"""OPTIONS that decide what statements mean; the others say how to get to the server."""
_NAMES = ("db", "database", "init_command")
"""OPTIONS that would lead the connection elsewhere, or do what nobody here knows."""


class MySQL:
    """See ``bot.database.rehearsal.vendor.Vendor``."""

    @contextmanager
    def scratch(self, target: Any, deadline: Deadline) -> Iterator[MySQLScratch]:
        alias = get_settings().rehearsal_databases.get(target.alias)
        if not alias:
            raise NotRehearsed(
                f"MariaDB and MySQL are rehearsed on a server that you name: set"
                f' rehearsal_databases to {{"{target.alias}": "..."}}, an alias whose user has all'
                " rights on `mbot\\_rehearsal\\_%`.* (or may create databases)."
            )
        with (
            mysql_server.database(target, alias) as made,
            closed_at_end(stand_in(target, made)) as connection,
        ):
            yield MySQLScratch(connection, made, deadline)

    def sweep(self) -> tuple[str, ...]:
        return mysql_server.sweep()


def stand_in(target: Any, made: mysql_server.Made) -> Any:
    """A connection with the target's alias and ways, to the scratch database and no other."""
    own = copy.deepcopy(target.settings_dict)
    theirs = copy.deepcopy(made.settings)
    options = {k: v for k, v in theirs["OPTIONS"].items() if k not in (*_NAMES, *_OF_THE_TARGET)}
    options |= {k: v for k, v in own["OPTIONS"].items() if k in _OF_THE_TARGET}
    own.update({key: theirs[key] for key in ("HOST", "PORT", "USER", "PASSWORD")})
    connection = connection_like(target, {**own, "NAME": made.name, "OPTIONS": options})
    connection.get_new_connection = _to_scratch(
        connection.get_new_connection, made.name, made.likeness
    )
    # Foreign keys are checked at once there; Django would join every table with its parents.
    connection.check_constraints = lambda table_names=None: None
    connection.execute_wrappers.append(Reach(made.others))
    return connection


def _to_scratch(connect: Callable[..., Any], name: str, like: Likeness) -> Callable[..., Any]:
    def get_new_connection(parameters: Any) -> Any:
        raw = connect(parameters)
        with closing(raw.cursor()) as cursor:
            cursor.execute("SELECT DATABASE()")
            (found,) = cursor.fetchone()
            if found != name or maker_of(name) is None:
                raw.close()
                raise AssertionError(f"{found} is no scratch database")
            for statement, values in like.session():
                cursor.execute(statement, values)
        return raw

    return get_new_connection


class MySQLScratch:
    """See ``bot.database.rehearsal.vendor.Scratch``."""

    def __init__(self, connection: Any, made: mysql_server.Made, deadline: Deadline) -> None:
        self.connection = connection
        self.where = made.where
        self.notes = made.notes
        self._deadline = deadline

    def copy_schema(self, target: Any) -> Loaded | str:
        self.connection.ensure_connection()
        notes = copy_definitions(target, self.connection)
        return Loaded(schema_from=WORDS, notes=notes)

    def prepare(self, target: Any) -> tuple[str, ...]:
        return ()

    def shut(self) -> None:
        self.connection.execute_wrappers.append(Bounds("mysql"))

    def meter(self) -> Meter:
        return MySQLMeter(self.connection, self._deadline)

    def schema(self) -> Schema:
        self.connection.ensure_connection()
        return read_schema(self.connection.connection)

    def empty(self, tables: Iterable[str]) -> None:
        self.connection.ensure_connection()
        empty_tables(self.connection.connection, tables)

    def limit(self, seconds: float) -> None:
        """On MySQL, which limits SELECT alone, the deadline is looked at between statements."""
        self.connection.ensure_connection()
        with closing(self.connection.connection.cursor()) as cursor:
            if self.connection.mysql_is_mariadb:
                cursor.execute("SET SESSION max_statement_time = %s", [max(1.0, seconds)])
            whole = max(1, round(seconds))
            cursor.execute("SET SESSION lock_wait_timeout = %s", [whole])
            cursor.execute("SET SESSION innodb_lock_wait_timeout = %s", [whole])
