"""PostgreSQL: a scratch database on a server that a setting names, or in a throwaway cluster."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

from bot.conf import get_settings
from bot.database.readonly import let_go
from bot.database.rehearsal import (
    postgresql_alias,
    postgresql_cluster,
    postgresql_dump,
    postgresql_folders,
)
from bot.database.rehearsal.bounds import Bounds
from bot.database.rehearsal.opening import closed_at_end, connection_like
from bot.database.rehearsal.postgresql_alias import Made
from bot.database.rehearsal.postgresql_beside import Beside
from bot.database.rehearsal.postgresql_meter import PostgreSQLMeter
from bot.database.rehearsal.postgresql_schema import read_schema
from bot.database.rehearsal.vendor import Deadline, Loaded, Meter, Schema

_UNFILLED = """
SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' AND NOT relispopulated ORDER BY oid
"""


class PostgreSQL:
    """See ``bot.database.rehearsal.vendor.Vendor``."""

    @contextmanager
    def scratch(self, target: Any, deadline: Deadline) -> Iterator[PostgreSQLScratch]:
        alias = get_settings().rehearsal_databases.get(target.alias)
        place = (
            postgresql_alias.database(target, alias)
            if alias
            else postgresql_cluster.database(target)
        )
        with place as made, closed_at_end(stand_in(target, made.settings)) as connection:
            yield PostgreSQLScratch(connection, made, deadline)

    def sweep(self) -> tuple[str, ...]:
        return (*postgresql_alias.sweep(), *postgresql_folders.sweep())


def stand_in(target: Any, settings: Mapping[str, Any]) -> Any:
    """A connection with the target's alias and ways, to where ``settings`` lead."""
    own = copy.deepcopy(target.settings_dict)
    own.update({key: settings[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")})
    options = dict(settings.get("OPTIONS", {}))
    options.pop("pool", None)
    options.pop("service", None)
    for kept in ("options", "isolation_level", "server_side_binding"):
        if kept in own["OPTIONS"]:
            options[kept] = own["OPTIONS"][kept]
    options["application_name"] = "migration_bot rehearsal"
    return connection_like(target, {**own, "OPTIONS": options})


class PostgreSQLScratch:
    """See ``bot.database.rehearsal.vendor.Scratch``."""

    def __init__(self, connection: Any, made: Made, deadline: Deadline) -> None:
        self.connection = connection
        self.where = made.where
        self.notes = made.notes
        self._made = made
        self._deadline = deadline

    def copy_schema(self, target: Any) -> Loaded | str:
        self.connection.ensure_connection()
        target.ensure_connection()
        try:
            text = postgresql_dump.dump(target, self._deadline)
            wanted = postgresql_dump.extensions(target)
        except postgresql_dump.CannotDump as why:
            return str(why)
        finally:
            let_go(target)
        try:
            postgresql_dump.restore(self.connection, text)
        except Exception as error:  # noqa: BLE001 the driver's own class, whichever it is
            return f"what pg_dump wrote could not be loaded ({_one_line(error)})"
        self._fill_views()
        missing = sorted(wanted - postgresql_dump.extensions(self.connection))
        note = f"Not to be had here, and left out: {', '.join(missing)}."
        return Loaded(schema_from=postgresql_dump.WORDS, notes=(note,) if missing else ())

    def _fill_views(self) -> None:
        """A schema has its materialized views unfilled, and PostgreSQL refuses to read those, or to
        fill them anew beside readers. One that reads another is filled after it."""
        with closing(self.connection.connection.cursor()) as cursor:
            cursor.execute(_UNFILLED)
            views = [name for (name,) in cursor.fetchall()]
        for view in views:
            with suppress(Exception):  # The driver's own class: it is as it would have been.
                self._execute(f"REFRESH MATERIALIZED VIEW {view}")

    def prepare(self, target: Any) -> tuple[str, ...]:
        """The extensions that the target has, and the schema that its tables are in."""
        self.connection.ensure_connection()
        target.ensure_connection()
        with closing(target.connection.cursor()) as cursor:
            cursor.execute("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
            extensions = [name for (name,) in cursor.fetchall()]
            cursor.execute("SELECT coalesce(current_schema(), 'public')")
            (schema,) = cursor.fetchone()
        let_go(target)
        quote = self.connection.ops.quote_name
        self._execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        notes = []
        for name in extensions:
            try:
                self._execute(f"CREATE EXTENSION IF NOT EXISTS {quote(name)}")
            except Exception as error:  # noqa: BLE001 the driver's own class, whichever it is
                notes.append(f"The extension {name} could not be made: {_one_line(error)}.")
        return tuple(notes)

    def shut(self) -> None:
        self._made.shut()
        self.connection.execute_wrappers.append(Bounds("postgresql"))

    def meter(self) -> Meter:
        return PostgreSQLMeter(self.connection, Beside(self.connection, self._deadline))

    def schema(self) -> Schema:
        self.connection.ensure_connection()
        return read_schema(self.connection)

    def empty(self, tables: Iterable[str]) -> None:
        names = ", ".join(self.connection.ops.quote_name(table) for table in tables)
        if names:
            self._execute(f"TRUNCATE {names} CASCADE")

    def limit(self, seconds: float) -> None:
        self._execute(f"SET statement_timeout = {max(1, round(seconds * 1000))}")

    def _execute(self, sql: str) -> None:
        self.connection.ensure_connection()
        with closing(self.connection.connection.cursor()) as cursor:
            cursor.execute(sql)


def _one_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0].strip().rstrip(".") or type(error).__name__
