"""The target's schema as pg_dump has it, loaded into the scratch database. No rows, no owners."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from bot.database.rehearsal.postgresql_binaries import Program, programs
from bot.database.rehearsal.vendor import Deadline

WORDS = "pg_dump"
_LEFT_OUT = re.compile(r"^(?:\\[a-z]+\b[^\n]*|CREATE SCHEMA public;)$", re.MULTILINE)
"""Commands of psql's own, and what every database has."""
_EXTENSION = re.compile(r"^(?:CREATE|COMMENT ON) EXTENSION [^\n]*;$", re.MULTILINE)


def dump(target: Any, deadline: Deadline) -> str:
    """The text of ``pg_dump --schema-only``. Raises CannotDump."""
    version = _server_version(target)
    known = programs("pg_dump")
    if not known:
        raise CannotDump("there is no pg_dump here")
    fit = next((one for one in known if one.version[0] >= version // 10_000), None)
    if fit is None:
        newest = max(one.version for one in known)
        raise CannotDump(
            f"pg_dump here is of version {newest[0]}.{newest[1]}, and the server of"
            f" {version // 10_000}"
        )
    return _run(fit, target, deadline)


class CannotDump(Exception):
    """The text says why, as the end of a sentence."""


def _run(program: Program, target: Any, deadline: Deadline) -> str:
    command = [
        *[str(program.path), "--schema-only", "--no-owner", "--no-privileges"],
        *["--no-publications", "--no-subscriptions", "--no-security-labels", "--no-tablespaces"],
        *["--no-password", "--lock-wait-timeout=2000"],
    ]
    try:
        done = subprocess.run(
            command,
            env=environment(target.settings_dict),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=max(1.0, deadline.left),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotDump(f"pg_dump did not run ({type(error).__name__})") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise CannotDump(f"pg_dump failed ({said[0] if said else done.returncode})")
    return done.stdout


def environment(settings: Mapping[str, Any]) -> dict[str, str]:
    """libpq's own variables: a password stands in no list of processes that way."""
    options = settings.get("OPTIONS", {})
    found = {
        "PGDATABASE": settings.get("NAME"),
        "PGHOST": settings.get("HOST"),
        "PGPORT": settings.get("PORT"),
        "PGUSER": settings.get("USER"),
        "PGPASSWORD": settings.get("PASSWORD") or options.get("password"),
        "PGSERVICE": options.get("service"),
        "PGPASSFILE": options.get("passfile"),
        "PGSSLMODE": options.get("sslmode"),
        "PGSSLROOTCERT": options.get("sslrootcert"),
        "PGSSLCERT": options.get("sslcert"),
        "PGSSLKEY": options.get("sslkey"),
        "PGTARGETSESSIONATTRS": options.get("target_session_attrs"),
        "PGAPPNAME": "migration_bot rehearsal",
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return kept | {name: str(value) for name, value in found.items() if value}


def _server_version(target: Any) -> int:
    with closing(target.connection.cursor()) as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        return int(cursor.fetchone()[0])


def restore(connection: Any, text: str) -> None:
    """Load a dump, all of it or nothing; raises what the driver raises.

    On a session of its own, for a dump changes the settings of the one it is loaded with. An
    extension that cannot be made here is passed over, and whatever needs it fails.
    """
    text = _EXTENSION.sub(_if_possible, _LEFT_OUT.sub("", text))
    raw = connection.get_new_connection(connection.get_connection_params())
    with closing(raw):
        raw.autocommit = True
        with closing(raw.cursor()) as cursor:
            # Without parameters all statements go as one, which PostgreSQL takes as a transaction.
            cursor.execute(text.encode("utf-8", "surrogateescape"))


def _if_possible(found: re.Match[str]) -> str:
    return f"DO $mbot$BEGIN {found[0]} EXCEPTION WHEN OTHERS THEN NULL; END$mbot$;"


def extensions(connection: Any) -> set[str]:
    """The names of those that a database has."""
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute("SELECT extname::text FROM pg_extension")
        return {name for (name,) in cursor.fetchall()}
