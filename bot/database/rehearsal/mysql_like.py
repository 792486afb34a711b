"""What makes two MariaDB or MySQL sessions take a statement alike: modes, time zone, collation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bot.database.readonly import close_copy, read_only_copy

_VARIABLES = (
    "sql_mode",
    "time_zone",
    "innodb_strict_mode",
    "explicit_defaults_for_timestamp",
    "default_storage_engine",
    "foreign_key_checks",
    "unique_checks",
    "old_mode",
    "alter_algorithm",
    "sql_require_primary_key",
    "collation_connection",
)
"""Session variables that decide what DDL does; a server has not all of them."""
_SCHEMA = (
    "SELECT default_character_set_name, default_collation_name FROM information_schema.schemata"
    " WHERE schema_name = DATABASE()"
)
_FACTS = "SELECT VERSION(), @@lower_case_table_names, @@innodb_default_row_format"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What the target is like. ``variables`` are those of its session."""

    charset: str
    collation: str
    version: str
    lower_case: int
    row_format: str
    is_mariadb: bool
    variables: tuple[tuple[str, Any], ...]

    @property
    def flavour(self) -> str:
        return "MariaDB" if self.is_mariadb else "MySQL"

    def session(self) -> Iterator[tuple[str, list[Any]]]:
        """Statements that make a session like the target's."""
        for name, value in self.variables:
            yield f"SET SESSION {name} = %s", [value]

    def options(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Options of CREATE DATABASE to try, the most alike first, each with what is to be said."""
        yield f"CHARACTER SET {self.charset} COLLATE {self.collation}", ()
        note = f"The target sorts by {self.collation}, which the scratch server does not have."
        yield f"CHARACTER SET {self.charset}", (note,)

    def unlike(self, other: Likeness) -> tuple[str, ...]:
        """What ``other``, the server of the scratch database, does otherwise, in sentences."""
        notes = []
        if plain_version(other.version) != plain_version(self.version):
            notes.append(
                f"The target is {self.flavour} {plain_version(self.version)}, the scratch server"
                f" {plain_version(other.version)}: what is done online may differ."
            )
        if other.lower_case != self.lower_case:
            notes.append("The two servers take capitals in table names differently.")
        if other.row_format != self.row_format:
            notes.append(
                f"Tables have the row format {self.row_format} on the target and"
                f" {other.row_format} on the scratch server."
            )
        return tuple(notes)


def likeness(connection: Any) -> Likeness:
    """What the database behind ``connection`` is like, asked on a read-only copy of it."""
    copy = read_only_copy(connection)
    try:
        copy.ensure_connection()
        with closing(copy.connection.cursor()) as cursor:
            return likeness_of(cursor, is_mariadb=copy.mysql_is_mariadb)
    finally:
        close_copy(copy)


def likeness_of(cursor: Any, *, is_mariadb: bool) -> Likeness:
    """As ``likeness``, asked through a cursor of the driver."""
    cursor.execute(_FACTS)
    version, lower_case, row_format = cursor.fetchone()
    cursor.execute(_SCHEMA)
    charset, collation = cursor.fetchone() or ("", "")
    cursor.execute(f"SHOW SESSION VARIABLES WHERE Variable_name IN {_VARIABLES}")
    found = dict(cursor.fetchall())
    return Likeness(
        charset=charset,
        collation=collation,
        version=version,
        lower_case=lower_case,
        row_format=row_format,
        is_mariadb=is_mariadb,
        variables=tuple((name, found[name]) for name in _VARIABLES if name in found),
    )


def plain_version(version: str) -> str:
    """``10.11.19`` of ``10.11.19-MariaDB-0+deb12u1``."""
    return version.removeprefix("5.5.5-").split("-")[0]
