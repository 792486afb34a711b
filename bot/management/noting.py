"""The bot's own migrations, noted where its tables are not.

Django's ``migrate`` of everything records an app's migrations on every database it is run on, also
where a router keeps the app's tables away. Where the bot's tables live elsewhere, those empty
steps would stand in the first plan of the site's database; they are noted there instead.
"""

from __future__ import annotations

from django.db import Error as DatabaseError
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.connection import ConnectionDoesNotExist

from bot.conf import OWN_LABELS, get_settings


def note_on_targets() -> dict[str, int]:
    """How many were noted on each target database. A target that is down, or that no ``migrate``
    has seen yet, is left alone: the next setup comes again."""
    noted: dict[str, int] = {}
    for alias in get_settings().target_databases:
        if alias != get_settings().state_database and (count := _note(alias)):
            noted[alias] = count
    return noted


def _note(alias: str) -> int:
    try:
        recorder = MigrationRecorder(connections[alias])
        if not recorder.has_table():
            return 0
        applied = recorder.applied_migrations()
        own = [key for key in MigrationLoader(None).disk_migrations if key[0] in OWN_LABELS]
        missing = sorted(key for key in own if key not in applied)
        for app, name in missing:
            recorder.record_applied(app, name)
    except (DatabaseError, ConnectionDoesNotExist):
        return 0
    return len(missing)
