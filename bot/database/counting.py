"""How many migrations are pending: a quick count, where a whole plan would take longer."""

from __future__ import annotations

from bot.conf import OWN_LABELS, get_settings
from bot.database.planner import planned
from bot.database.targets import load, open_database


def count_pending(database: str) -> int:
    """The number of steps that a plan of everything has.

    What is pending of the bot's own tables, where they are kept, is no run's business: `setup`.
    Raises what ``make_plan`` raises for the database and its migrations.
    """
    connection = open_database(database)
    try:
        loader = load(connection)
        steps = planned(connection, loader, list(loader.graph.leaf_nodes()))
        if database != get_settings().state_database:
            return len(steps)
        return sum(migration.app_label not in OWN_LABELS for migration, _ in steps)
    finally:
        connection.close()
