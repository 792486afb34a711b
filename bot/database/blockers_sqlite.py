"""Blockers on SQLite: which other processes have locked the file, as Linux tells in /proc/locks.

SQLite locks single bytes (its file format, "Locking and Concurrency" and "WAL-mode File Format"):
in the database file 0x40000000 to 0x400001ff, of which a writer has one for writing and a reader
one of the shared range for reading; in WAL mode byte 120 of the ``-shm`` file is the writer's.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.lock_sqlite import database_file

SHARED_FIRST = 0x40000002
WAL_WRITER = 120

LOCKS = Path("/proc/locks")


class SqliteLook:
    """Which other processes hold ``working``'s file in a way that stops a writer."""

    def __init__(self, working: BaseDatabaseWrapper) -> None:
        self._file = database_file(working)

    def __call__(self) -> tuple[str, ...]:
        if self._file is None or not LOCKS.exists():
            return ()
        others = {number for number in self._holders(self._file) if number != os.getpid()}
        return tuple(_describe(number) for number in sorted(others))

    def _holders(self, file: Path) -> Iterator[int]:
        shm = file.with_name(file.name + "-shm")
        wal = shm.exists()
        inode, shm_inode = _inode(file), _inode(shm)
        for line in LOCKS.read_text().splitlines():
            words = line.split()
            if len(words) != 8 or words[1] not in ("POSIX", "OFDLCK"):
                continue  # A line with "->" is one that waits.
            kind, number, where, first, last = words[3:]
            of = int(where.rpartition(":")[2])
            start, end = int(first), float("inf") if last == "EOF" else int(last)
            if wal:
                blocks = of == shm_inode and kind == "WRITE" and start <= WAL_WRITER <= end
            else:
                blocks = of == inode and (kind == "WRITE" or end >= SHARED_FIRST)
            if blocks:
                yield int(number)


def _inode(file: Path) -> int | None:
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return None


def _describe(number: int) -> str:
    """The program and its first word: further arguments may hold what nobody should read."""
    if number <= 0:  # Of another container, or an open file's own lock.
        return "another process"
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return f"process {number}"
    shown = [Path(word).name for word in words if word and not word.startswith("-")][:3]
    return f"process {number} ({' '.join(shown)})" if shown else f"process {number}"
