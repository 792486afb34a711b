"""The lock of a target database: one migration at a time, across processes and machines.

Two keys make one lock:

- the *main* key sits on a connection of its own, which nobody else uses; it falls with the process
  that holds it, at once, however that process dies;
- the *work* key sits on the connection that migrates. When its process is killed, the server may go
  on with the statement for a while (an orphan); this key stays taken until that has ended too.

What the keys are on each database is told in ``lock_postgresql``, ``lock_mysql`` and
``lock_sqlite``.
"""

from __future__ import annotations

import logging
import os
import threading
from types import TracebackType
from typing import Any, Protocol, Self

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.utils.connection import ConnectionDoesNotExist

from bot.database.lock_mysql import MysqlKeys
from bot.database.lock_postgresql import PostgresqlKeys
from bot.database.lock_sqlite import SqliteKeys
from bot.database.osuser import place
from bot.database.side import working_connection
from bot.route.refusals import LockHeld, LockImpossible

logger = logging.getLogger(__name__)


class Keys(Protocol):
    """Both keys of one database, as its vendor has them. Each method raises Refused classes."""

    pooled: bool
    """Whether the connection may be one that a pooler shares between transactions."""

    def take_main(self, holder: str) -> None:
        """Take the main key, or raise LockHeld, LockImpossible or DatabaseDown."""

    def take_work(self, working: BaseDatabaseWrapper) -> None:
        """Take the work key on ``working``, or raise LockHeld: an orphan still runs."""

    def check(self) -> None:
        """Raise LockLost unless the main key is still held."""

    def release_work(self, working: BaseDatabaseWrapper) -> None:
        """Give the work key back; never raises."""

    def release_main(self) -> None:
        """Give the main key back; never raises."""


_KEYS: dict[str, type[Keys]] = {
    "postgresql": PostgresqlKeys,
    "mysql": MysqlKeys,
    "sqlite": SqliteKeys,
}


def _keys(database: str) -> Keys:
    vendor = working_connection(database).vendor
    if vendor not in _KEYS:
        raise LockImpossible(
            database=database,
            because=f"the bot knows no lock for {vendor}",
            remedy='Leave this alias out of "databases", or set "guard_plain_migrate" to False '
            "to migrate it without a lock.",
        )
    return _KEYS[vendor](database)  # type: ignore[call-arg]


class DatabaseLock:
    """The lock of one database, for one holder. A context manager, or ``take`` and ``release``.

    ``holder`` is what others are told: ``run 12``, or ``manage.py migrate by user@host (pid 4)``.
    Where it names no process, the host and the process id are added. The lock belongs to the
    process and thread that took it; after a fork the child holds nothing.
    """

    def __init__(self, database: str, *, holder: str) -> None:
        self.database = database
        self.holder = holder if "(pid " in holder else f"{holder} {place()}"
        self._keys: Keys | None = None
        self._pid = 0
        self._thread = 0
        self._wire = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether this process took the lock and has not given it back."""
        return self._keys is not None and self._pid == os.getpid()

    @property
    def pooled(self) -> bool:
        """Whether it is held through a pooler, where only a transaction keeps what it is given."""
        return self._keys is not None and self._keys.pooled

    def take(self) -> None:
        """Take it now, without waiting. Raises LockHeld, LockImpossible, DatabaseDown,
        UnknownDatabase."""
        if self.held:
            raise LockHeld(database=self.database, holder=self.holder)
        keys = _keys(self.database)
        keys.take_main(self.holder)
        try:
            keys.take_work(working_connection(self.database))
        except BaseException:
            keys.release_main()
            raise
        self._keys, self._pid, self._thread = keys, os.getpid(), threading.get_ident()
        connection_created.connect(self._again, dispatch_uid=("bot.lock", id(self)))

    def release(self) -> None:
        """Give it back; a second time does nothing. In a forked child it only forgets."""
        connection_created.disconnect(dispatch_uid=("bot.lock", id(self)))
        with self._wire:
            keys, self._keys = self._keys, None
            if keys is None:
                return
            if self._pid != os.getpid():
                _of_parents.append(keys)
                return
            try:
                keys.release_work(connections[self.database])
            except ConnectionDoesNotExist:  # Taken out of DATABASES, with its connection.
                logger.warning("there is no alias %s any more", self.database)
            finally:
                keys.release_main()

    def check(self) -> None:
        """Raise LockLost unless it is still held; cheap, for between steps and from any thread.

        Called every minute or so it also keeps firewalls from dropping a silent connection.
        """
        with self._wire:
            if self._keys is not None and self._pid == os.getpid():
                self._keys.check()

    def _again(self, *, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        """A migration closed the working connection and its key with it: take the key again."""
        if (
            self.held
            and self._keys is not None
            and self._thread == threading.get_ident()
            and connection.alias == self.database
            and connection is connections[self.database]
        ):
            self._keys.take_work(connection)

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


_of_parents: list[Keys] = []
"""What a forked child inherited. Kept: tidying it up would talk on the parent's wire."""
