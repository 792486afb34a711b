"""Who is in the way of the statement that runs now, in words for people.

    with looking(database) as look:
        ...
        look()      # ("psql of shop@10.0.0.5 (backend 4321), idle in a transaction for 95 s, ...",)

PostgreSQL knows exactly. MariaDB and MySQL know it of rows, and of tables only with
``performance_schema`` or the plugin ``metadata_lock_info``; without them every open transaction is
named as a perhaps. SQLite knows nothing, but Linux knows which processes have locked the file.

Statements of others are shown without their values: those are rows of the host's data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from django.db import Error
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.database.blockers_mysql import MysqlLook
from bot.database.blockers_postgresql import PostgresqlLook
from bot.database.blockers_sqlite import SqliteLook
from bot.database.side import side_connection, working_connection

Look = Callable[[], tuple[str, ...]]


@contextmanager
def looking(database: str) -> Iterator[Look]:
    """Yields a function that says who blocks this thread's connection to ``database`` now.

    The function is for one other thread, and asks over a connection of its own, which it opens at
    its first call. It returns () when nobody is in the way, and may raise what the driver raises.
    Raises UnknownDatabase.
    """
    working = working_connection(database)
    if working.vendor == "sqlite":
        yield SqliteLook(working)
        return
    looks: dict[str, Callable[[BaseDatabaseWrapper, BaseDatabaseWrapper], Look]] = {
        "postgresql": PostgresqlLook,
        "mysql": MysqlLook,
    }
    if working.vendor not in looks:
        yield tuple
        return
    side = side_connection(database, "migration_bot looking for blockers")
    try:
        yield looks[working.vendor](working, side)
    finally:
        with suppress(Error):  # It was only looking.
            side.close()
