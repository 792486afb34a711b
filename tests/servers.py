"""The database servers that tests run on: found, started where possible, or missed by name.

PostgreSQL: ``TEST_POSTGRES_URL``, else a server on 127.0.0.1:5432, else a throwaway cluster where
the server's binaries are. MariaDB or MySQL: ``TEST_MYSQL_URL``, else 127.0.0.1:3306. A user must be
allowed to create databases. The process that pytest started decides, and tells the workers of xdist
through the environment, so that there is one throwaway cluster and not one a worker.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from django_site.drivers import use_mysql_driver

POSTGRES, MYSQL = "TEST_POSTGRES_URL", "TEST_MYSQL_URL"
_MISSING = "TESTS_MISSING_"
VENDORS = ("sqlite", "postgresql", "mysql")


def find_servers() -> Throwaway | None:
    """Settle in ``os.environ`` which servers there are; returns a cluster that must be stopped."""
    use_mysql_driver()
    cluster = None
    if POSTGRES not in os.environ:
        default = "postgresql://postgres@127.0.0.1:5432/postgres"
        because = _why_not(default)
        if because is None:
            os.environ[POSTGRES] = default
        elif binaries := _postgres_binaries():
            cluster = Throwaway(binaries)
            os.environ[POSTGRES] = cluster.url
        else:
            os.environ[_MISSING + "postgresql"] = because
    if MYSQL not in os.environ:
        default = "mysql://root@127.0.0.1:3306/mysql"
        because = _why_not(default)
        if because is None:
            os.environ[MYSQL] = default
        else:
            os.environ[_MISSING + "mysql"] = because
    return cluster


def missing(vendor: str) -> str | None:
    """Why there is no such server here, or None when there is one."""
    return os.environ.get(_MISSING + vendor)


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
        execute(os.environ[POSTGRES], f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        return
    server = os.environ[MYSQL]
    for row in execute(
        server, f"SELECT id FROM information_schema.processlist WHERE db = '{name}'"
    ):
        with contextlib.suppress(_database_error(server)):  # It may have ended by itself.
            execute(server, f"KILL {row[0]}")
    execute(server, f"DROP DATABASE IF EXISTS {name}")


def execute(url: str, *statements: str) -> Sequence[tuple[object, ...]]:
    """Run statements, each committed by itself, without Django; the rows of the last one.

    ``url`` is that of a PostgreSQL, MySQL or MariaDB database; a query part is ignored for the
    latter two.
    """
    rows: Sequence[tuple[object, ...]] = ()
    parts = urlsplit(url)
    if parts.scheme.startswith("postgres"):
        import psycopg

        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
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
        )
    ) as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
            rows = cursor.fetchall() if cursor.description else ()
        cursor.close()
    return rows


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _database_error(url: str) -> type[Exception]:
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
        broken = _database_error(url)
    except ImportError as error:
        return f"no driver for {parts.scheme} ({error})"
    try:
        execute(url, "SELECT 1")
    except broken as error:
        return f"{where} that lets {parts.username} in ({error})".replace("\n", " ")
    return None


def _postgres_binaries() -> Path | None:
    """Where initdb and postgres stand side by side, newest version first."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    places.sort(key=lambda place: place.parent.name.rjust(12), reverse=True)
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


class Throwaway:
    """A PostgreSQL cluster of its own in a temporary folder; ``url`` is its first database.

    PostgreSQL refuses to run as root, so root hands it to the user postgres, or nobody.
    """

    def __init__(self, binaries: Path) -> None:
        self._as: list[str] = []
        self._folder = Path(tempfile.mkdtemp(prefix="migration-bot-pg-"))
        data = self._folder / "data"
        if os.geteuid() == 0:
            user = _unprivileged_user()
            self._as = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
            shutil.chown(self._folder, user)
        port = free_port()
        self._run(
            *[binaries / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"],
            *["--encoding", "UTF8", "--locale", "C", "--no-sync"],
        )
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {self._folder} -c fsync=off"
        self._stop = [binaries / "pg_ctl", "stop", "--pgdata", data, "--mode", "immediate"]
        self._run(
            *[binaries / "pg_ctl", "start", "--pgdata", data, "--wait", "--options", options],
            *["--log", self._folder / "log"],
        )
        self.url = f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._run(*self._stop)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, *command: object) -> None:
        subprocess.run(
            [*self._as, *map(str, command)],
            check=True,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )


def _unprivileged_user() -> str:
    import pwd

    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise RuntimeError("PostgreSQL refuses root, and there is neither a user postgres nor nobody")
