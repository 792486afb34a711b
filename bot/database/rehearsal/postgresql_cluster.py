"""A throwaway PostgreSQL cluster in a temporary folder, reached through a socket in it alone.

PostgreSQL refuses to run as root, so root hands it to the user postgres, or nobody. Nothing in it
need survive: no fsync, no autovacuum, no parallel maintenance.

A superuser of a server is as good as a shell on its machine (COPY … TO PROGRAM). So the user who
rehearses is one only until the schema is there; the server's own user lets nobody in by then who
cannot open the socket.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from bot.database.rehearsal.names import new_name
from bot.database.rehearsal.postgresql_alias import Made
from bot.database.rehearsal.postgresql_binaries import Program, server_folder
from bot.database.rehearsal.postgresql_folders import (
    PORT,
    place_for_one,
    remove,
    sweep,
    unprivileged_user,
)
from bot.database.rehearsal.postgresql_like import Likeness, likeness, roles
from bot.database.rehearsal.vendor import NotRehearsed, nowhere

USER = "migration_bot"
SERVER_USER = "mbot_server"
"""Who made the cluster, and is its superuser to the end."""
_TELLING = re.compile(r"FATAL|PANIC|ERROR|error:|could not")
_SECONDS = 60
_OPTIONS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "max_parallel_maintenance_workers=0",
    "max_parallel_workers_per_gather=0",
    "listen_addresses=",
    "shared_buffers=16MB",
    "max_connections=12",
    "wal_level=minimal",
    "max_wal_senders=0",
    "logging_collector=off",
)


@contextmanager
def database(target: Any) -> Iterator[Made]:
    """The first database of a new cluster, like the target. Raises NotRehearsed."""
    like = likeness(target)
    programs = server_folder(like.major)
    if programs is None:
        raise NotRehearsed(
            f"There is no place for a rehearsal: this machine has no server programs of PostgreSQL"
            f" {like.major} or newer, and rehearsal_databases names no alias for {target.alias}."
            " Set rehearsal_databases, or install PostgreSQL's server binaries here."
        )
    sweep()
    cluster = _Cluster(programs)
    try:
        notes = cluster.start(like)
        major, minor = Program(programs / "initdb").version
        settings = {
            "NAME": "postgres",
            "HOST": str(cluster.folder),
            "PORT": PORT,
            "USER": USER,
            "PASSWORD": "",
            "OPTIONS": {},
        }
        cluster.execute(target, *_welcome(target))
        yield Made(
            settings=settings,
            where=f"a throwaway PostgreSQL {major}.{minor} cluster",
            notes=notes,
            shut=lambda: cluster.execute(target, f"ALTER ROLE {USER} NOSUPERUSER"),
        )
    finally:
        cluster.stop()


def _welcome(target: Any) -> Iterator[str]:
    """The user who rehearses, owner of the database; and the target's roles, by name alone, since
    policies of the schema and GRANTs of migrations name them."""
    yield f"CREATE ROLE {USER} LOGIN SUPERUSER"
    yield f"ALTER DATABASE postgres OWNER TO {USER}"
    yield f"ALTER SCHEMA public OWNER TO {USER}"
    for role in roles(target):
        quoted = target.ops.quote_name(role)
        yield f"CREATE ROLE {quoted} NOLOGIN"
        yield f"GRANT {quoted} TO {USER}"


class _Cluster:
    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._as: list[str] = []
        self.folder = place_for_one() / new_name()
        try:
            self.folder.mkdir(mode=0o700)
        except OSError as error:
            raise nowhere(self.folder.parent, error) from error
        self._server: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            user = unprivileged_user()
            self._as = ["setpriv", f"--reuid={user}", "--clear-groups", "--"]
            shutil.chown(self.folder, user)

    def start(self, like: Likeness) -> tuple[str, ...]:
        """Make it and start it; notes on how it is unlike."""
        notes: tuple[str, ...] = ()
        if not self._initdb(like, like.collate, like.ctype):
            self._empty()
            notes = (
                f"The target sorts by {like.collate}, which this machine does not have: by C here.",
            )
            if not self._initdb(like, "C", "C"):
                raise NotRehearsed(
                    f"No throwaway cluster could be made ({self._said()}). Set rehearsal_databases."
                )
        if like.provider == "i":
            notes = (*notes, "The target sorts by ICU; the throwaway cluster does by libc.")
        command = [self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder]
        options = [
            word for option in (*_OPTIONS, f"timezone={like.timezone}") for word in ("-c", option)
        ]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*self._as, *map(str, command), "-p", PORT, *options],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()
        return notes

    def _initdb(self, like: Likeness, collate: str, ctype: str) -> bool:
        return self._run(
            self._programs / "initdb",
            *["--pgdata", self.folder / "data", "--username", SERVER_USER, "--auth", "trust"],
            *["--encoding", like.encoding, "--lc-collate", collate, "--lc-ctype", ctype],
            *["--lc-messages", "C", "--no-sync", "--no-instructions"],
        )

    def _empty(self) -> None:
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        (self.folder / "log").unlink(missing_ok=True)

    def _wait(self) -> None:
        """Until it answers. Its socket is there a moment before it lets anybody in, which the
        connection that is made next would not wait for; the last line of its pid file says so."""
        end = time.monotonic() + _SECONDS
        status = self.folder / "data" / "postmaster.pid"
        while time.monotonic() < end:
            assert self._server is not None
            if self._server.poll() is not None:
                break
            with contextlib.suppress(OSError):
                lines = status.read_text().splitlines()
                if len(lines) >= 8 and lines[7].strip() == "ready":
                    return
            time.sleep(0.01)
        raise NotRehearsed(
            f"The throwaway cluster did not start ({self._said()}). Set rehearsal_databases."
        )

    def execute(self, target: Any, *statements: str) -> None:
        """Send statements as the server's own user, by the target's driver."""
        raw = target.Database.connect(
            host=str(self.folder), port=PORT, user=SERVER_USER, dbname="postgres"
        )
        with closing(raw):
            raw.autocommit = True
            with closing(raw.cursor()) as cursor:
                for statement in statements:
                    cursor.execute(statement)

    def _said(self) -> str:
        """The first line of what it printed that tells of an error, else the last one."""
        with contextlib.suppress(OSError):
            lines = (self.folder / "log").read_text(errors="replace").split("\n")
            said = [line.strip() for line in lines if line.strip()] or ["no word"]
            return next((line for line in said if _TELLING.search(line)), said[-1])
        return "no word"

    def stop(self) -> None:
        """End the server at once and remove its folder."""
        remove(self.folder)
        if self._server is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_SECONDS)

    def _run(self, *command: object) -> bool:
        with (self.folder / "log").open("ab") as log:
            done = subprocess.run(
                [*self._as, *map(str, command)],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=_SECONDS,
                check=False,
            )
        return done.returncode == 0
