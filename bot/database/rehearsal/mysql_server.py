"""A scratch database on the server of an alias that the setting ``rehearsal_databases`` names.

It is a database of its own beside others; nothing is ever done inside one that was there before.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseProblem

from bot.database.rehearsal.leftovers import dropped, only_ours
from bot.database.rehearsal.mysql_like import Likeness, likeness, likeness_of, plain_version
from bot.database.rehearsal.named_server import down, not_made, server_of, swept
from bot.database.rehearsal.names import new_name
from bot.database.rehearsal.vendor import NotRehearsed

logger = logging.getLogger(__name__)

_PATIENCE = 10
"""Seconds to wait for whoever still uses a database that is to be dropped."""
_AT_REST = 86_400
"""Seconds that our own connection may rest while a rehearsal goes on beside it."""
_OF_THE_SERVER = ("information_schema", "performance_schema", "mysql", "sys")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A scratch database. ``settings`` lead to its server, ``others`` are the databases beside it
    that the user can see."""

    name: str
    settings: Mapping[str, Any]
    where: str
    likeness: Likeness
    others: tuple[str, ...]
    notes: tuple[str, ...] = ()


@contextmanager
def database(target: Any, alias: str) -> Iterator[Made]:
    """An empty database on the server of ``alias``. Raises NotRehearsed."""
    server = _server(alias)
    try:
        with closing(server):
            like = likeness(target)
            there = _likeness_there(server)
            if like.is_mariadb != there.is_mariadb:
                raise NotRehearsed(
                    f"rehearsal_databases names {alias}, which is {there.flavour}, and the database"
                    f" to be migrated is {like.flavour}. Name one that is {like.flavour} too."
                )
            _sweep(server)
            name = new_name()
            notes = _create(server, alias, name, like)
            try:
                _hold(server, name)
                yield Made(
                    name=name,
                    settings=server.settings_dict,
                    where=f"a scratch database on {alias} ({there.flavour} "
                    f"{plain_version(there.version)})",
                    likeness=like,
                    others=_others(server, name),
                    notes=(*notes, *like.unlike(there)),
                )
            finally:
                _drop(server, name)
    except (DatabaseProblem, ImproperlyConfigured) as error:
        raise down(alias, error) from error


def sweep() -> tuple[str, ...]:
    """Drop what killed rehearsals left on each alias that is configured; a server that is down, or
    that lets us drop nothing, is left for another time."""
    return swept("mysql", _server, _sweep)


def _server(alias: str) -> Any:
    """A connection of our own to the server, in no database at all."""
    server = server_of(alias, vendor="mysql", called="MariaDB or MySQL")
    server.settings_dict["NAME"] = ""
    for name in ("db", "database", "init_command"):
        server.settings_dict["OPTIONS"].pop(name, None)
    try:
        _connect(server)
    except (DatabaseProblem, ImproperlyConfigured) as error:
        raise down(alias, error) from error
    return server


def _connect(server: Any) -> None:
    server.close()
    server.ensure_connection()
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SET SESSION lock_wait_timeout = %s", [_PATIENCE])


def _likeness_there(server: Any) -> Likeness:
    with closing(server.connection.cursor()) as cursor:
        return likeness_of(cursor, is_mariadb=server.mysql_is_mariadb)


def _create(server: Any, alias: str, name: str, like: Likeness) -> tuple[str, ...]:
    problem: Exception | None = None
    with closing(server.connection.cursor()) as cursor:
        for options, said in like.options():
            try:
                cursor.execute(f"CREATE DATABASE {server.ops.quote_name(name)} {options}")
            except server.Database.Error as error:
                problem = error
            else:
                return said
    rights = "Let its user have all rights on `mbot\\_rehearsal\\_%`.* (GRANT ALL ON)"
    raise not_made(alias, problem, rights) from problem


def _others(server: Any, name: str) -> tuple[str, ...]:
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SHOW DATABASES")
        found = [str(other) for (other,) in cursor.fetchall()]
    return tuple(other for other in found if other not in (name, *_OF_THE_SERVER[:1]))


def _sweep(server: Any) -> list[str]:
    """Drop the databases with our names that nobody uses any more."""
    return dropped(_others(server, ""), partial(_is_used, server), partial(_drop, server))


def _hold(server: Any, name: str) -> None:
    """Say that it is used for as long as this connection lives: a user who may drop it may be one
    who cannot see the sessions of others, but may ask for a lock."""
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SET SESSION wait_timeout = %s", [_AT_REST])
        cursor.execute("SELECT GET_LOCK(%s, 0)", [name])


def _is_used(server: Any, name: str) -> bool:
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SELECT IS_USED_LOCK(%s)", [name])
        return cursor.fetchone()[0] is not None


def _drop(server: Any, name: str) -> bool:
    """Drop a database of ours. Who is still connected to it is a session of a rehearsal that was
    killed: a statement it still runs would hold us up."""
    only_ours(name)
    try:
        _connect(server)  # It was idle for as long as the rehearsal took.
        with closing(server.connection.cursor()) as cursor:
            cursor.execute(
                "SELECT id FROM information_schema.processlist WHERE db = %s"
                " AND id <> CONNECTION_ID()",
                [name],
            )
            for (session,) in cursor.fetchall():
                _kill(server, cursor, session)
            cursor.execute(f"DROP DATABASE IF EXISTS {server.ops.quote_name(name)}")
    except (DatabaseProblem, server.Database.Error) as error:
        logger.warning("the scratch database %s could not be dropped: %s", name, error)
        return False
    return True


def _kill(server: Any, cursor: Any, session: int) -> None:
    try:
        cursor.execute(f"KILL {int(session)}")
    except server.Database.Error as error:
        logger.info("session %s could not be ended: %s", session, error)
