"""A scratch database on the server of an alias that the setting ``rehearsal_databases`` names.

It is a database of its own beside others; nothing is ever done inside one that was there before.
"""

from __future__ import annotations

import copy
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseProblem

from bot.database.rehearsal.leftovers import dropped, only_ours
from bot.database.rehearsal.named_server import down, not_made, server_of, swept
from bot.database.rehearsal.names import PREFIX, new_name
from bot.database.rehearsal.postgresql_like import Likeness, likeness

logger = logging.getLogger(__name__)

_PATIENCE = 60.0
"""Seconds for making or dropping a database: both wait for every session of the server, and one
that is stuck, in whatever database, would keep a worker without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A scratch database: ``settings`` lead to it, ``where`` it is in words. ``shut`` takes from
    its user all rights beyond it, where that can be done."""

    settings: Mapping[str, Any]
    where: str
    notes: tuple[str, ...]
    shut: Callable[[], None] = lambda: None


@contextmanager
def database(target: Any, alias: str) -> Iterator[Made]:
    """An empty database on the server of ``alias``. Raises NotRehearsed."""
    like = likeness(target)
    server = _server(alias)
    try:
        with closing(server):
            _sweep(server)
            name = new_name()
            version, notes = _create(server, alias, name, like)
            try:
                settings = {**server.settings_dict, "NAME": name}
                where = f"a scratch database on {alias} (PostgreSQL {version})"
                yield Made(settings=settings, where=where, notes=notes)
            finally:
                _drop(server, name)
    except ImproperlyConfigured as error:
        raise down(alias, error) from error


def sweep() -> tuple[str, ...]:
    """Drop what killed rehearsals left on each alias that is configured; a server that is down, or
    that lets us drop nothing, is left for another time."""
    return swept("postgresql", _server, _sweep)


def _server(alias: str) -> Any:
    """A connection of our own to the server, in the database that is there for maintenance."""
    server = server_of(alias, vendor="postgresql", called="PostgreSQL")
    own = copy.deepcopy(server.settings_dict)
    problem: Exception | None = None
    for name in ("postgres", own["NAME"]):
        server.settings_dict["NAME"] = name
        try:
            server.ensure_connection()
        except (DatabaseProblem, ImproperlyConfigured) as error:
            problem = error
            continue
        return server
    raise down(alias, problem)


def _create(server: Any, alias: str, name: str, like: Likeness) -> tuple[str, tuple[str, ...]]:
    quoted = server.ops.quote_name(name)
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SELECT split_part(current_setting('server_version'), ' ', 1)")
        version = str(cursor.fetchone()[0])
        notes: tuple[str, ...] = ()
        problem: Exception | None = None
        for options, said in like.options():
            try:
                with _patience(server):
                    cursor.execute(f"CREATE DATABASE {quoted} TEMPLATE template0 {options}")
            except Exception as error:  # noqa: BLE001 the driver's own class, whichever it is
                problem = error
                if getattr(error, "sqlstate", "") == "42501":
                    break
                continue
            notes = said
            break
        else:
            raise not_made(alias, problem, "Give its user CREATEDB")
        if problem is not None and not _is_there(cursor, name):
            raise not_made(alias, problem, "Give its user CREATEDB")
        cursor.execute(f"ALTER DATABASE {quoted} SET timezone = '{like.timezone}'")
    return version, notes


def _is_there(cursor: Any, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _sweep(server: Any) -> list[str]:
    """Drop the databases with our names that nobody uses any more."""
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
        names = [name for (name,) in cursor.fetchall()]
    return dropped(names, partial(_is_used, server), partial(_drop, server))


def _is_used(server: Any, name: str) -> bool:
    """Whether anybody is connected to it, as a rehearsal is from its beginning to its end."""
    with closing(server.connection.cursor()) as cursor:
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE datname = %s LIMIT 1", [name])
        return cursor.fetchone() is not None


def _drop(server: Any, name: str) -> bool:
    """Drop a database of ours, whoever is still connected to it (PostgreSQL 13 and later)."""
    only_ours(name)
    try:
        server.ensure_connection()
        with closing(server.connection.cursor()) as cursor, _patience(server):
            cursor.execute(f"DROP DATABASE IF EXISTS {server.ops.quote_name(name)} WITH (FORCE)")
    except Exception as error:  # noqa: BLE001 the driver's own class; the next sweep tries again
        logger.warning("the scratch database %s could not be dropped: %s", name, error)
        return False
    return True


@contextmanager
def _patience(server: Any) -> Iterator[None]:
    """Have the server break off what it does, once that takes too long. No setting does it: neither
    statement may stand in a transaction, and one of the session stays behind PgBouncer."""
    timer = threading.Timer(_PATIENCE, server.connection.cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
