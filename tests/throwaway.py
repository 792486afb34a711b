"""Database servers that are started for tests and thrown away, and never wait for a disk.

A test makes and drops hundreds of tables, and each of those is written through to the disk where a
server is in earnest. These are not: they may lose everything, so a slow disk holds up nobody. They
listen on a port of their own, and where there is ``setpriv`` they end with the process that started
them, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

SECONDS = 60.0
"""A server that does not listen by then is none."""


class Throwaway:
    """A server in a temporary folder. ``url`` is its first database, for whoever may do all."""

    def __init__(self, url: str, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.url = url
        self._folder = folder
        self._process = process

    def stop(self) -> None:
        """End the server and remove its folder."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def start_postgresql() -> Throwaway | None:
    """A PostgreSQL server; None where its binaries are not, or do not do it."""
    binaries = _postgres_binaries()
    if binaries is None:
        return None
    folder, user = _folder("pg", ("postgres", "nobody"))
    data, port = folder / "data", free_port()
    make = [binaries / "initdb", "--pgdata", data, "--username", "postgres", "--auth", "trust"]
    make += ["--encoding", "UTF8", "--locale", "C", "--no-sync"]
    quick = ("fsync=off", "full_page_writes=off", "max_connections=300")
    serve = [binaries / "postgres", "-D", data, "-p", port, "-k", folder]
    serve += ["-c", "listen_addresses=127.0.0.1", *(word for q in quick for word in ("-c", q))]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    return _started(url, folder, _as(user), make, serve, port)


def start_mariadb() -> Throwaway | None:
    """A MariaDB server; None where its programs are not, or do not do it."""
    install, daemon = _program("mariadb-install-db"), _program("mariadbd")
    if install is None or daemon is None:
        return None
    folder, user = _folder("mariadb", ("mysql", "nobody"))
    data, port = folder / "data", free_port()
    # It is a shell script that knows "--name=value" alone: "--datadir", data would be the default.
    account = [f"--user={user}"] if user else []
    make = [install, "--no-defaults", f"--datadir={data}", *account]
    make += ["--auth-root-authentication-method=normal", "--skip-test-db"]
    serve = [daemon, "--no-defaults", "--datadir", data, "--socket", folder / "socket"]
    # At its start it deletes what it takes for its own in there: in /tmp, another server's tables.
    serve += ["--tmpdir", folder]
    serve += [
        "--bind-address=127.0.0.1",
        "--port",
        port,
        "--skip-log-bin",
        "--pid-file",
        folder / "p",
    ]
    serve += ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0"]
    serve += ["--innodb-doublewrite=0", "--sync-frm=0", "--debug-no-sync"]
    return _started(f"mysql://root@127.0.0.1:{port}/mysql", folder, _as(user), make, serve, port)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listened on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _started(
    url: str,
    folder: Path,
    prefix: Sequence[str],
    make: Sequence[object],
    serve: Sequence[object],
    port: int,
) -> Throwaway | None:
    """Make its files, start it, and wait until it listens."""
    with (folder / "log").open("wb") as log:
        made = subprocess.run(
            [*prefix, *map(str, make)],
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        if made.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return None
        process = subprocess.Popen(
            [*prefix, *map(str, serve)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which still need it then.
        )
    server = Throwaway(url, folder, process)
    end = time.monotonic() + SECONDS
    while not _listens(port):
        if process.poll() is not None or time.monotonic() > end:
            server.stop()
            return None
        time.sleep(0.05)
    return server


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def _folder(name: str, users: Sequence[str]) -> tuple[Path, str]:
    """A folder, and whose it is: neither server runs as root."""
    folder = Path(tempfile.mkdtemp(prefix=f"migration-bot-{name}-"))
    user = _unprivileged_user(users) if os.geteuid() == 0 else ""
    if user:
        shutil.chown(folder, user)
    return folder, user


def _as(user: str) -> list[str]:
    """What runs a program as this user, and ends it when whoever started it is gone."""
    if not shutil.which("setpriv"):
        return []
    whose = [f"--reuid={user}", "--clear-groups"] if user else []
    return ["setpriv", *whose, "--pdeathsig=KILL", "--"]


def _program(name: str) -> str | None:
    """Debian puts servers where only root looks for programs."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def _postgres_binaries() -> Path | None:
    """Where initdb and postgres stand side by side, newest version first."""
    places = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    places.sort(key=lambda place: place.parent.name.rjust(12), reverse=True)
    if on_path := shutil.which("initdb"):
        places.append(Path(on_path).resolve().parent)
    return next((p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None)


def _unprivileged_user(names: Sequence[str]) -> str:
    import pwd

    for name in names:
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise RuntimeError(f"no server runs as root, and there is none of the users {names}")
