"""A second connection to a database, apart from the one the caller works on."""

from __future__ import annotations

import copy

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from bot.route.refusals import UnknownDatabase


def working_connection(database: str) -> BaseDatabaseWrapper:
    """This thread's own connection for the alias. Raises UnknownDatabase."""
    try:
        return connections[database]
    except ConnectionDoesNotExist:
        raise UnknownDatabase(database=database, known=", ".join(connections.settings)) from None


def side_connection(database: str, words: str) -> BaseDatabaseWrapper:
    """A new, unopened connection with the alias's settings that nobody else uses.

    It never stands in ``django.db.connections``, so a migration that closes all connections leaves
    it alone, and it comes from no pool, so nothing it leaves behind reaches another user. ``words``
    are shown by the server where it can show them (PostgreSQL: ``application_name``, ASCII, cut to
    63 bytes). Any thread may use it, one at a time. Raises UnknownDatabase.
    """
    working = working_connection(database)
    settings = copy.deepcopy(working.settings_dict)
    options = settings["OPTIONS"]
    options.pop("pool", None)
    if working.vendor == "postgresql":
        options["application_name"] = ascii_words(words)
    side = type(working)(settings, database)
    side.inc_thread_sharing()
    return side


def ascii_words(words: str, limit: int = 63) -> str:
    """``words`` as one printable ASCII line of at most ``limit`` characters."""
    text = "".join(c if " " <= c <= "~" else "?" for c in " ".join(words.split()))
    return text if len(text) <= limit else text[: limit - 3] + "..."
