"""The folders of throwaway PostgreSQL clusters: where they stand, whose they are, and their end.

Every cluster lives in one folder, its socket too. What runs in a folder is found by the words that
it was started with, and ended with it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.database.rehearsal.leftovers import is_left_behind
from bot.database.rehearsal.names import PREFIX, new_name
from bot.database.rehearsal.vendor import NotRehearsed

PORT = "5432"
"""Part of the socket's name; nothing listens on a port."""
_ADDRESS = 103
"""Bytes of a socket's address (sun_path less its end), where they are fewest."""
_SECONDS = 60
_POLITE = 5
"""Seconds before what does not end is killed."""


def _places() -> tuple[Path, ...]:
    """The folders that clusters may stand in."""
    return tuple(dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"))))  # noqa: S108 see below


def place_for_one() -> Path:
    """The folder for temporary files; /tmp where that one is too deep for a socket's address, as on
    a Mac."""
    name = len(f"/{new_name()}/.s.PGSQL.{PORT}")
    places = _places()
    return next((one for one in places if len(str(one)) + name <= _ADDRESS), places[0])


def unprivileged_user() -> str:
    """Whom root gives clusters to. Raises NotRehearsed where there is nobody."""
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return name
    raise NotRehearsed(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody here."
        " Set rehearsal_databases, or run the worker as somebody else."
    )


def sweep() -> tuple[str, ...]:
    """End the clusters of killed rehearsals on this machine and remove their folders."""
    gone = []
    for folder in (one for place in _places() for one in place.glob(f"{PREFIX}*")):
        if folder.is_symlink() or not _is_ours(folder):
            continue
        if is_left_behind(folder.name):
            remove(folder)
            gone.append(folder.name)
    return tuple(gone)


def _is_ours(folder: Path) -> bool:
    """Whether we, or the user whom root gives clusters to, own it: anybody may write there."""
    with contextlib.suppress(OSError):
        owner = folder.stat().st_uid
        if owner == os.geteuid():
            return True
        return os.geteuid() == 0 and owner == pwd.getpwnam(unprivileged_user()).pw_uid
    return False


def remove(folder: Path) -> None:
    """End what runs in this folder, the server or the initdb of a killed maker, and remove it."""
    begun = time.monotonic()
    while pids := _processes(folder):
        # Immediate shutdown, PostgreSQL's manual, 19.5; initdb takes its server along.
        number = signal.SIGQUIT if time.monotonic() < begun + _POLITE else signal.SIGKILL
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        if time.monotonic() > begun + _SECONDS:
            break
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _processes(folder: Path) -> list[int]:
    """The servers and initdbs that were started on this folder; a server's own children follow it.

    A pid file alone would prove nothing: the number may be another process's by now.
    """
    data = str(folder / "data").encode()
    return [
        pid
        for pid, words in _command_lines()
        if data in words and Path(os.fsdecode(words[0])).name in ("postgres", "initdb")
    ]


def _command_lines() -> Iterator[tuple[int, list[bytes]]]:
    """Every process with the words that it was started with."""
    if Path("/proc/self/cmdline").exists():
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    yield int(entry.name), words
        return
    said = subprocess.run(
        ["ps", "-axo", "pid=,command="],  # noqa: S607 where ps is differs
        capture_output=True,
        timeout=_SECONDS,
        check=False,
    ).stdout
    for line in said.splitlines():
        pid, *words = line.split()
        yield int(pid), words
