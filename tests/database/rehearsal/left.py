"""What this process made for rehearsals and has not dropped; others may rehearse meanwhile."""

from __future__ import annotations

import os

from django.db import connections

from bot.database.rehearsal.names import PREFIX, maker_of


def databases(alias: str) -> set[str]:
    """The scratch databases on the PostgreSQL server of this alias."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
        names = {name for (name,) in cursor.fetchall()}
    return {name for name in names if (made := maker_of(name)) and made.pid == os.getpid()}
