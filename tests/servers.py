"""The database servers that tests run on: found, started where possible, or missed by name.

``TEST_POSTGRES_URL`` and ``TEST_MYSQL_URL`` name them, and a user who may create databases.
Without them tests start a PostgreSQL of their own where the binaries are (``tests.throwaway``),
and take the MariaDB that listens on 127.0.0.1:3306, as one of their own was no quicker.
Benchmarks take what listens, which writes to the disk as in earnest. Each takes the other where
its own is missing. The process that pytest started decides, and tells the workers of xdist
through the environment, so that there is one server and not one a worker.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from django_site.drivers import use_mysql_driver
from tests.throwaway import Throwaway, start_mariadb, start_postgresql

POSTGRES, MYSQL = "TEST_POSTGRES_URL", "TEST_MYSQL_URL"
_MISSING = "TESTS_MISSING_"
VENDORS = ("sqlite", "postgresql", "mysql")


class Found:
    """The servers that were started here, until ``stop``."""

    def __init__(self, started: Sequence[Throwaway]) -> None:
        self._started = started

    def stop(self) -> None:
        for one in self._started:
            one.stop()


def find_servers(*, own: bool = False) -> Found:
    """Settle in ``os.environ`` which servers there are. ``own`` are started, and have to be
    stopped, where that is possible; otherwise those that run already come first."""
    use_mysql_driver()
    started: list[Throwaway] = []
    for vendor, name, listening, start in (
        ("postgresql", POSTGRES, "postgresql://postgres@127.0.0.1:5432/postgres", start_postgresql),
        ("mysql", MYSQL, "mysql://root@127.0.0.1:3306/mysql", start_mariadb),
    ):
        if name in os.environ:
            continue
        prefers_own = own and vendor == "postgresql"
        because = None if prefers_own else _why_not(listening)
        mine = start() if prefers_own or because is not None else None
        if mine is not None:
            started.append(mine)
            os.environ[name] = mine.url
        elif (because := _why_not(listening)) is None:
            os.environ[name] = listening
        else:
            os.environ[_MISSING + vendor] = because
    return Found(started)


def missing(vendor: str) -> str | None:
    """Why there is no such server here, or None when there is one."""
    return os.environ.get(_MISSING + vendor)


PATIENCE = 200
"""Seconds."""
_SESSIONS = """
SELECT pid, datname, application_name, state, wait_event_type, wait_event, left(query, 100)
FROM pg_stat_activity WHERE pid <> pg_backend_pid()
"""


@contextlib.contextmanager
def scratch_database(vendor: str, folder: Path) -> Iterator[str]:
    """The URL of a fresh empty database, dropped at the end. ``folder`` holds an SQLite file."""
    name = f"mbot_{secrets.token_hex(6)}"
    if vendor == "sqlite":
        yield f"sqlite:///{folder / name}.sqlite3"
        return
    server = os.environ[POSTGRES if vendor == "postgresql" else MYSQL]
    create = f"CREATE DATABASE {name}" + (" CHARACTER SET utf8mb4" if vendor == "mysql" else "")
    execute(server, create)
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        drop_database(vendor, name)


def drop_database(vendor: str, name: str) -> None:
    """Drop it, whoever is still connected: a test may have left a killed process's session."""
    if vendor == "postgresql":
        # PostgreSQL waits here for every session of the server, of whatever database, to take note.
        try:
            execute(os.environ[POSTGRES], f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        except database_error(os.environ[POSTGRES]) as error:
            sessions = execute(os.environ[POSTGRES], _SESSIONS)
            raise RuntimeError(f"{name} could not be dropped; there are {sessions}") from error
        return
    server = os.environ[MYSQL]
    for row in execute(
        server, f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    ):
        with contextlib.suppress(database_error(server)):  # It may have ended by itself.
            execute(server, f"KILL {row[0]}")
    execute(server, f"DROP DATABASE IF EXISTS {name}")


def execute(url: str, *statements: str) -> Sequence[tuple[object, ...]]:
    """Run statements, each committed by itself, without Django; the rows of the last one. One that
    waits for longer than ``PATIENCE`` fails: on MySQL that would be a day otherwise.

    ``url`` is that of any of them; a query part is ignored but for PostgreSQL.
    """
    rows: Sequence[tuple[object, ...]] = ()
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        with contextlib.closing(sqlite3.connect(parts.path[1:], timeout=60)) as file:
            file.isolation_level = None
            for statement in statements:
                rows = file.execute(statement).fetchall()
        return rows
    if parts.scheme.startswith("postgres"):
        import psycopg

        with psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=5,
            options=f"-c statement_timeout={PATIENCE}s",
        ) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else ()
        return rows
    import MySQLdb

    with contextlib.closing(
        MySQLdb.connect(
            host=parts.hostname or "127.0.0.1",
            port=parts.port or 3306,
            user=unquote(parts.username or "root"),
            password=unquote(parts.password or ""),
            database=parts.path.lstrip("/"),
            connect_timeout=5,
            autocommit=True,
            init_command=f"SET SESSION lock_wait_timeout = {PATIENCE}",
        )
    ) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else ()
        cursor.close()
    return rows


def tables(url: str) -> set[str]:
    """The names of a database's tables."""
    query = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
        "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        "mysql": "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
    }[urlsplit(url).scheme]
    return {str(row[0]) for row in execute(url, query)}


def database_error(url: str) -> type[Exception]:
    if urlsplit(url).scheme.startswith("postgres"):
        import psycopg

        return psycopg.Error
    import MySQLdb

    error: type[Exception] = MySQLdb.Error
    return error


def _why_not(url: str) -> str | None:
    """None when the server answers, else why it cannot be used."""
    parts = urlsplit(url)
    where = f"no server at {parts.hostname}:{parts.port}"
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2):
            pass
    except OSError as error:
        return f"{where} ({error})"
    try:
        broken = database_error(url)
    except ImportError as error:
        return f"no driver for {parts.scheme} ({error})"
    try:
        execute(url, "SELECT 1")
    except broken as error:
        return f"{where} that lets {parts.username} in ({error})".replace("\n", " ")
    return None
