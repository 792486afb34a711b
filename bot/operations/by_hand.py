"""A plain ``manage.py migrate``, written into the audit by whoever's machine it ran on."""

from __future__ import annotations

from datetime import datetime

from bot.database.plain import FAILED, FINISHED, PlainMigrate
from bot.operations.changing import changing
from bot.route.events import Event, MigrateByHandFailed, MigratedByHand
from bot.route.people import Actor, Origin
from bot.route.text import storable


def migrated_by_hand(told: PlainMigrate, *, now: datetime) -> None:
    """Record the end of a plain migrate under its operating-system user; its start is no entry.

    Raises SetupNeeded where the audit has no tables.
    """
    event: Event
    if told.phase == FINISHED:
        event = MigratedByHand(
            database=told.database, steps=list(told.steps), command=storable(told.command)
        )
    elif told.phase == FAILED:
        event = MigrateByHandFailed(
            database=told.database,
            steps=list(told.steps),
            command=storable(told.command),
            error=storable(told.error),
        )
    else:
        return
    person = Actor(origin=Origin.COMMAND_LINE, name=told.os_user, os_user=told.os_user)
    with changing(now) as change:
        change.record(event, actor=person)
