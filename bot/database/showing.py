"""What a catalogue shows of the things that a step should have changed. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bot.database.shapes import INVALID, VALID, Shaper, column_look
from bot.route.traces import Expected, Kind, Look, Thing

_BY_NAME = (Kind.INDEX, Kind.CONSTRAINT)


def shown(shaper: Shaper, operations: Iterable[Expected]) -> dict[Thing, Look]:
    """Each thing that the operations have to do with as it is now; None for what is not there."""
    things = list(dict.fromkeys(change.thing for one in operations for change in one.changes))
    catalogue = _Catalogue(shaper, things)
    return {thing: catalogue.look(thing) for thing in things}


class _Catalogue:
    """What was read of the tables that the things are in."""

    def __init__(self, shaper: Shaper, things: list[Thing]) -> None:
        self._shaper = shaper
        self._connection = shaper.connection
        with self._connection.cursor() as cursor:
            # Not as the connection remembers them: a plan may have asked before.
            names = self._connection.introspection.get_table_list(cursor)
            self._tables = {shaper.name(one.name): one for one in names}
        wanted = {thing.table for thing in things if thing.table in self._tables}
        self._real = {name: self._tables[name].name for name in wanted}
        self._comments = {
            name: getattr(self._tables[name], "comment", None) or "" for name in wanted
        }
        self._columns = dict(self._read_columns())
        self._constraints = {name: self._read_constraints(name) for name in wanted}
        self._invalid = set(self._read_invalid())
        self._named = {(t.table, t.name) for t in things if t.kind in _BY_NAME}

    def look(self, thing: Thing) -> Look:
        if thing.kind in (Kind.EXTENSION, Kind.COLLATION):
            return self._installed(thing)
        if thing.table not in self._real:
            return None
        if thing.kind is Kind.TABLE:
            comments = self._connection.features.supports_comments
            return {"comment": f"commented {self._comments[thing.table]!r}"} if comments else {}
        if thing.kind is Kind.COPY:
            return {}
        if thing.kind is Kind.COLUMN:
            return self._columns.get((thing.table, thing.name))
        return self._constraint(thing)

    def _constraint(self, thing: Thing) -> Look:
        found = self._constraints[thing.table]
        if thing.kind in _BY_NAME:
            if thing.name not in found:
                return None
            return INVALID if (thing.table, thing.name) in self._invalid else VALID
        for name, one in found.items():
            if (thing.table, name) not in self._named and self._is(thing, name, one):
                if thing.kind is Kind.FOREIGN_KEY:
                    table, column = (self._shaper.name(text) for text in one["foreign_key"])
                    return {"to": f"to {table}.{column}"}
                return {}
        return None

    def _is(self, thing: Thing, name: str, one: dict[str, Any]) -> bool:
        """Whether ``one`` is such a thing: what Django names by itself is known by its columns."""
        columns = [self._shaper.name(column) for column in one["columns"] if column]
        same = columns == thing.name.split(", ")
        match thing.kind:
            case Kind.UNIQUE:
                return bool(one["unique"]) and same and not one["primary_key"]
            case Kind.CHECK:
                return bool(one["check"]) and set(columns) == {thing.name}
            case Kind.FOREIGN_KEY:
                return bool(one["foreign_key"]) and same
            case Kind.LIKE_INDEX:
                return bool(one["index"]) and same and name.endswith("_like")
            case Kind.KEY_INDEX:
                return bool(one["index"]) and columns[:1] == [thing.name]
            case Kind.AUTO_INDEX:
                plain = one["index"] and not one["unique"] and not name.endswith("_like")
                return bool(plain) and same
        return False

    def _read_constraints(self, table: str) -> dict[str, dict[str, Any]]:
        # The class's own: a planner may have put a catalogue of its own in its place.
        introspection = self._connection.introspection
        with self._connection.cursor() as cursor:
            found = type(introspection).get_constraints(introspection, cursor, self._real[table])
        return {self._shaper.name(name): one for name, one in found.items()}

    def _read_columns(self) -> Iterator[tuple[tuple[str, str], Look]]:
        if not self._real:
            return
        read = {
            "postgresql": self._postgresql_columns,
            "mysql": self._mysql_columns,
            "sqlite": self._sqlite_columns,
        }[self._connection.vendor]
        for table, column, look in read():
            yield (self._shaper.name(table), self._shaper.name(column)), look

    def _postgresql_columns(self) -> Iterator[tuple[str, str, Look]]:
        rows = self._rows(
            """
            SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                pg_get_expr(d.adbin, d.adrelid), a.attidentity <> '', a.attgenerated <> '',
                col_description(c.oid, a.attnum)
            FROM pg_class c
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid)
            """,
            [list(self._real.values())],
        )
        for table, column, kind, not_null, default, identity, generated, comment in rows:
            serial = str(default or "").startswith("nextval(")
            look = column_look(
                type_=self._shaper.type_name(kind),
                null=not not_null,
                default=default is not None and not serial and not generated,
                numbered=identity or serial,
                comment=comment or "",
            )
            yield table, column, look

    def _mysql_columns(self) -> Iterator[tuple[str, str, Look]]:
        rows = self._rows(
            """
            SELECT table_name, column_name, column_type, is_nullable, column_default, extra,
                column_comment
            FROM information_schema.columns
            WHERE table_schema = DATABASE() AND table_name IN %s
            """,
            [tuple(self._real.values())],
        )
        for table, column, kind, nullable, default, extra, comment in rows:
            look = column_look(
                type_=self._shaper.type_name(_text(kind)),
                null=nullable == "YES",
                # MariaDB writes NULL for a nullable column without one; MySQL has none.
                default=default is not None and _text(default).upper() != "NULL",
                numbered="auto_increment" in str(extra).lower(),
                comment=comment or "",
            )
            yield table, column, look

    def _sqlite_columns(self) -> Iterator[tuple[str, str, Look]]:
        for table in self._real.values():
            made = self._rows("SELECT sql FROM sqlite_master WHERE name = %s", [table])
            counts = "AUTOINCREMENT" in str(made[0][0]).upper()
            quoted = self._connection.ops.quote_name(table)
            for row in self._rows(f"PRAGMA table_xinfo({quoted})", []):
                _, column, kind, not_null, default, key = row[:6]
                look = column_look(
                    type_=self._shaper.type_name(kind),
                    null=not not_null,
                    default=default is not None,
                    numbered=bool(counts and key),
                    comment=None,
                )
                yield table, column, look

    def _read_invalid(self) -> Iterator[tuple[str, str]]:
        """Indexes that CONCURRENTLY left behind, and constraints that nobody has validated."""
        if self._connection.vendor != "postgresql" or not self._real:
            return
        names = list(self._real.values())
        for table, name in self._rows(
            """
            SELECT c.relname, i.relname FROM pg_index x
            JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
            WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid) AND NOT x.indisvalid
            UNION ALL
            SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE c.relname = ANY(%s) AND pg_table_is_visible(c.oid) AND NOT k.convalidated
            """,
            [names, names],
        ):
            yield self._shaper.name(table), self._shaper.name(name)

    def _installed(self, thing: Thing) -> Look:
        sql = {
            Kind.EXTENSION: "SELECT 1 FROM pg_extension WHERE extname = %s",
            Kind.COLLATION: "SELECT 1 FROM pg_collation WHERE collname = %s"
            " AND pg_collation_is_visible(oid)",
        }[thing.kind]
        found = self._rows(sql, [thing.name])
        return {} if found else None

    def _rows(self, sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
