"""What makes two PostgreSQL databases behave alike: encoding, collation, time zone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from bot.database.readonly import close_copy, read_only_copy

_FACTS = """
SELECT pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
    current_setting('TimeZone'), current_schema(), current_setting('server_version_num')::int,
    to_jsonb(d) ->> 'datlocprovider', coalesce(to_jsonb(d) ->> 'daticulocale',
        to_jsonb(d) ->> 'datlocale')
FROM pg_database d WHERE d.datname = current_database()
"""
_ROLES = """
SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname NOT IN
    ('migration_bot', 'mbot_server') ORDER BY rolname LIMIT 1000
"""
_ICU_SINCE = 150000


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What the target is like. ``version`` is server_version_num: 150019."""

    encoding: str
    collate: str
    ctype: str
    timezone: str
    schema: str
    version: int
    provider: str = "c"
    locale: str = ""

    @property
    def major(self) -> int:
        return self.version // 10_000

    def options(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Options of CREATE DATABASE to try, the most alike first, each with what is to be said."""
        encoding = f"ENCODING {_literal(self.encoding)}"
        exact = f"{encoding} LC_COLLATE {_literal(self.collate)} LC_CTYPE {_literal(self.ctype)}"
        if self.provider == "i" and self.locale:
            yield f"{exact} LOCALE_PROVIDER icu ICU_LOCALE {_literal(self.locale)}", ()
        elif self.version >= _ICU_SINCE:
            yield f"{exact} LOCALE_PROVIDER libc", ()
        else:
            yield exact, ()
        known = self.locale or self.collate
        note = f"The target sorts by {known}, which the scratch database does not have: by C there."
        yield f"{encoding} LC_COLLATE 'C' LC_CTYPE 'C'", (note,)


def likeness(target: Any) -> Likeness:
    """What the database behind ``target`` is like; asked on a connection of our own, read-only."""
    copy = read_only_copy(target)
    try:
        copy.ensure_connection()
        with closing(copy.connection.cursor()) as cursor:
            cursor.execute(_FACTS)
            row = cursor.fetchone()
    finally:
        close_copy(copy)
    encoding, collate, ctype, timezone, schema, version, provider, locale = row
    return Likeness(
        encoding=encoding,
        collate=collate or "C",
        ctype=ctype or "C",
        timezone=timezone,
        schema=schema or "public",
        version=version,
        provider=provider or "c",
        locale=locale or "",
    )


def roles(target: Any) -> tuple[str, ...]:
    """The names of the roles that the server behind ``target`` has, its own left out."""
    copy = read_only_copy(target)
    try:
        copy.ensure_connection()
        with closing(copy.connection.cursor()) as cursor:
            cursor.execute(_ROLES)
            return tuple(str(name) for (name,) in cursor.fetchall())
    finally:
        close_copy(copy)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
