"""MariaDB and MySQL: user-level locks (``GET_LOCK``), one on each of the two connections.

They belong to the whole server, so their names carry the database's name. A user lock says only
which connection holds it, and a session can tell others nothing about itself without a privilege
or a table. So the holder's words are spelled in further user locks, one a bit: 8 bits a
character, at most 60 characters and a checksum. Whoever is refused asks which of them are in use.

On a Galera cluster or behind group replication user locks are known to one node alone: there all
that migrate must connect to the same node.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from typing import Any

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.side import ascii_words, side_connection
from bot.route.refusals import DatabaseDown, LockHeld, LockImpossible, LockLost

logger = logging.getLogger(__name__)

_LETTERS = 60


def lock_name(database_name: str, key: str) -> str:
    """The name of one lock: readable, at most 64 characters, and different for each database.

    Lock names ignore case while database names may not, so a hash of the exact name is in it.
    """
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in database_name)[:24]
    digest = hashlib.sha256(database_name.encode()).hexdigest()[:16]
    return f"mbot:{plain}:{digest}:{key}"


class MysqlKeys:
    """See ``bot.database.lock.Keys``."""

    pooled = False

    def __init__(self, database: str) -> None:
        self._database = database
        self._side: BaseDatabaseWrapper | None = None
        self._name = ""

    def take_main(self, holder: str) -> None:
        side = self._open(holder)
        try:
            # A quiet connection must outlive a migration that takes hours.
            _ask(side, "SET SESSION wait_timeout = 2147483")
            if not _ask(side, "SELECT GET_LOCK(%s, 0)", [self._key("main")]):
                raise LockHeld(database=self._database, holder=self._who(side, "main"))
            self._confirm(side)
            self._spell(side, holder)
        except BaseException:
            side.close()
            raise
        self._side = side

    def take_work(self, working: BaseDatabaseWrapper) -> None:
        assert self._side is not None
        if not _ask(working, "SELECT GET_LOCK(%s, 1)", [self._key("work")]):
            raise LockHeld(database=self._database, holder=self._orphan(self._side))

    def check(self) -> None:
        assert self._side is not None
        try:
            self._confirm(self._side)
        except (Error, LockImpossible) as error:
            raise LockLost(database=self._database, because=str(error)) from error

    def release_work(self, working: BaseDatabaseWrapper) -> None:
        if working.connection is None:
            return
        try:
            _ask(working, "SELECT RELEASE_LOCK(%s)", [self._key("work")])
        except Error:
            # A broken connection holds nothing for long; one in a broken transaction until it ends.
            logger.warning("the work key of %s goes with its connection", self._database)

    def release_main(self) -> None:
        side, self._side = self._side, None
        if side is None:
            return
        try:
            # Said before hanging up: the server ends a session only some time after its client.
            _ask(side, "SELECT RELEASE_ALL_LOCKS()")
        except Error:
            logger.warning("the lock connection of %s was gone already", self._database)
        _close(side)

    def _open(self, words: str) -> BaseDatabaseWrapper:
        side = side_connection(self._database, words)
        try:
            self._name = str(_ask(side, "SELECT DATABASE()"))
        except Error as error:
            _close(side)
            raise DatabaseDown(database=self._database, detail=error) from error
        return side

    def _key(self, key: str) -> str:
        return lock_name(self._name, key)

    def _confirm(self, side: BaseDatabaseWrapper) -> None:
        """A proxy that spreads statements over connections would not keep the key on this one."""
        mine = _ask(side, "SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", [self._key("main")])
        if not mine:
            raise LockImpossible(
                database=self._database,
                because="the connection does not keep its lock",
                remedy="Connect to the server itself and not through a proxy that shares "
                "connections.",
            )

    def _spell(self, side: BaseDatabaseWrapper, words: str) -> None:
        names = [self._key(f"{place}") for place in _bits(words)]
        marks = ", ".join(["GET_LOCK(%s, 0)"] * len(names))
        _ask(side, f"SELECT {marks}", names)

    def _read(self, side: BaseDatabaseWrapper) -> str:
        names = [self._key(f"{place}") for place in range((_LETTERS + 1) * 8)]
        marks = ", ".join(["IS_USED_LOCK(%s) IS NOT NULL"] * len(names))
        with side.cursor() as cursor:
            cursor.execute(f"SELECT {marks}", names)
            row = cursor.fetchone()
        return _text([place for place, used in enumerate(row) if used])

    def _who(self, side: BaseDatabaseWrapper, key: str) -> str:
        number = _ask(side, "SELECT IS_USED_LOCK(%s)", [self._key(key)])
        return self._read(side) or f"another process (connection {number})"

    def _orphan(self, side: BaseDatabaseWrapper) -> str:
        number = _ask(side, "SELECT IS_USED_LOCK(%s)", [self._key("work")])
        with side.cursor() as cursor:
            # Without the PROCESS privilege one sees the threads of the same user, which this is.
            cursor.execute(
                "SELECT time FROM information_schema.processlist WHERE id = %s", [number]
            )
            row = cursor.fetchone()
        age = f", for {row[0]} s now" if row else ""
        return f"a statement of a run or migrate that is gone (connection {number}{age})"


def _ask(connection: BaseDatabaseWrapper, sql: str, params: list[str] | None = None) -> Any:
    """The first value of the first row, or None."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def _close(connection: BaseDatabaseWrapper) -> None:
    try:
        connection.close()
    except Error:
        logger.warning("a lock connection did not close cleanly", exc_info=True)


def _bits(words: str) -> list[int]:
    """The places of the set bits of ``words`` and, as one more character, of its checksum."""
    text = ascii_words(words, _LETTERS).ljust(_LETTERS).encode("ascii")
    data = text + bytes([zlib.crc32(text) & 0xFF])
    return [at * 8 + bit for at, value in enumerate(data) for bit in range(8) if value >> bit & 1]


def _text(places: list[int]) -> str:
    """The words whose bits these are; empty when they are not (still being spelled)."""
    data = bytearray(_LETTERS + 1)
    for place in places:
        data[place // 8] |= 1 << (place % 8)
    text = bytes(data[:-1])
    if zlib.crc32(text) & 0xFF != data[-1] or not text.isascii():
        return ""
    return text.decode("ascii").strip("\0 ")
