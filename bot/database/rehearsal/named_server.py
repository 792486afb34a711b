"""The server of an alias that the setting ``rehearsal_databases`` names: how it is reached, what is
said where it is not, and what killed rehearsals left there."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import connections

from bot.conf import get_settings
from bot.database.rehearsal.vendor import NotRehearsed
from bot.database.side import side_connection
from bot.route.refusals import UnknownDatabase

logger = logging.getLogger(__name__)


def server_of(alias: str, *, vendor: str, called: str) -> Any:
    """A connection of our own with the alias's settings, not opened yet. Raises NotRehearsed where
    it is none of ``vendor``, whom people know as ``called``."""
    try:
        server = side_connection(alias, "migration_bot rehearsal")
    except UnknownDatabase:
        raise NotRehearsed(
            f"rehearsal_databases names {alias}, which is not in DATABASES. Add it there."
        ) from None
    if server.vendor != vendor:
        raise NotRehearsed(
            f"rehearsal_databases names {alias}, which is {server.vendor} and not {called} as the"
            " database to be migrated is. Name one that is."
        )
    return server


def down(alias: str, error: Exception | None) -> NotRehearsed:
    """The server does not answer, or not to us."""
    return NotRehearsed(
        f"The database {alias}, on which rehearsals are to be held, does not answer"
        f" ({words_of(error)}). Look at its settings, and whether its server runs."
    )


def not_made(alias: str, error: Exception | None, instead: str) -> NotRehearsed:
    """The server lets us make no database."""
    return NotRehearsed(
        f"No scratch database could be made on {alias} ({words_of(error)}). {instead}, or name"
        " another alias in rehearsal_databases."
    )


def words_of(error: Exception | None) -> str:
    """An error on one line, to stand in brackets."""
    return " ".join(str(error).split()).rstrip(".")


def swept(
    vendor: str, connect: Callable[[str], Any], sweep: Callable[[Any], list[str]]
) -> tuple[str, ...]:
    """``sweep`` on each server that is named; one that is down, or that lets us drop nothing, is
    left for another time. The names of what is gone."""
    gone: list[str] = []
    for alias in sorted(set(get_settings().rehearsal_databases.values())):
        if alias not in connections or connections[alias].vendor != vendor:
            continue
        drivers: Any = connections[alias]
        try:
            with closing(connect(alias)) as server:
                gone += sweep(server)
        except (NotRehearsed, DatabaseProblem, drivers.Database.Error) as why:
            logger.warning("left-over rehearsals cannot be looked for: %s", why)
    return tuple(gone)
