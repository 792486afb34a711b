"""SQLite: an ``flock`` on the file ``<database>.migration-lock`` beside the database.

The file holds its last holder's words and is never deleted: a deleted one could be locked twice,
under two inodes. There is no work key, since an SQLite statement ends with its process. A database
in memory belongs to one process alone, so there is nothing to lock.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.side import working_connection
from bot.route.refusals import LockHeld, LockImpossible, LockLost

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_TRIES = 10
_PAUSE = 0.02
"""Seconds between tries: somebody who only looks has the file for microseconds."""


def database_file(connection: BaseDatabaseWrapper) -> Path | None:
    """The file behind an SQLite connection with links resolved; None for one in memory."""
    name = str(connection.settings_dict["NAME"])
    if name == ":memory:" or "mode=memory" in name or not name:
        return None
    if name.startswith("file:"):
        name = name.removeprefix("file:").split("?", 1)[0]
    return Path(name).resolve()


class SqliteKeys:
    """See ``bot.database.lock.Keys``."""

    pooled = False

    def __init__(self, database: str) -> None:
        self._database = database
        file = database_file(working_connection(database))
        self._path = file.with_name(file.name + ".migration-lock") if file else None
        self._fd: int | None = None
        self._pid = os.getpid()

    def take_main(self, holder: str) -> None:
        if self._path is None:
            return
        fd = self._open(self._path)
        try:
            if not self._flock(fd):
                raise LockHeld(database=self._database, holder=_words(fd))
            os.ftruncate(fd, 0)
            os.pwrite(fd, holder.encode(), 0)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd

    def take_work(self, working: BaseDatabaseWrapper) -> None:
        """Nothing: a statement here ends with its process."""

    def check(self) -> None:
        """Raise LockLost when somebody moved or deleted the lock file: a new one is free."""
        if self._path is None or self._fd is None:
            return
        mine = os.fstat(self._fd)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            raise LockLost(
                database=self._database, because=f"somebody deleted {self._path.name}"
            ) from None
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            raise LockLost(database=self._database, because=f"somebody replaced {self._path.name}")

    def release_work(self, working: BaseDatabaseWrapper) -> None:
        """Nothing was taken."""

    def release_main(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            # Unlocked as well as closed: a forked child may still have the same open file.
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def _open(self, path: Path) -> int:
        if fcntl is None:
            raise LockImpossible(
                database=self._database,
                because="this operating system has no file locks that the bot knows",
                remedy='Migrate on Linux or macOS, or set "guard_plain_migrate" to False to use '
                "a plain migrate without a lock.",
            )
        try:
            # Not inherited by programs that a migration starts: the lock ends with this process.
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError as error:
            raise LockImpossible(
                database=self._database,
                because=f"{path} cannot be opened for writing ({error.strerror})",
                remedy="Let the user of this process write the directory of the database.",
            ) from error

    def _flock(self, fd: int) -> bool:
        for attempt in range(_TRIES):
            if attempt:
                time.sleep(_PAUSE)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                continue
            except OSError as error:
                raise LockImpossible(
                    database=self._database,
                    because=f"its file system refuses file locks ({error.strerror})",
                    remedy="Keep the database on a local disk.",
                ) from error
        return False


def _words(fd: int) -> str:
    """What the holder wrote; it may be about to write it still."""
    return os.pread(fd, 500, 0).decode(errors="replace").strip() or "another process"
