"""Whether this machine's clock agrees with the state database's, which every machine can ask.

Leases and due times are written by one machine and read by another. A worker whose clock is far
off would call a run dead that lives, or end a request that is an hour old; and the lease of what it
claimed would be over for all others before it is renewed. So such a worker ends and claims nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connections

from bot.conf import get_settings
from bot.models import Worker
from bot.moment import utc_now

logger = logging.getLogger("migration_bot")

COMPLAIN = 60.0
"""Seconds between two words in the log about a clock that is off."""

WAITS = (
    "The clock of the machine whose worker would take this is off, so it takes nothing until that "
    "is mended: see migration_bot doctor."
)
"""Why a run that is queued is not carried out, for whoever looks at it."""

_MICROSECONDS = {
    # Not CURRENT_TIMESTAMP, which stands still within a transaction.
    "postgresql": "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint",
    "mysql": "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ahead(*, clock: Callable[[], datetime] = utc_now) -> float | None:
    """Seconds by which this machine's clock is ahead of the database's, less what the asking took;
    below zero when it is behind. None on SQLite, whose file is on this machine."""
    connection = connections[get_settings().state_database]
    if connection.vendor not in _MICROSECONDS:
        return None
    with connection.cursor() as cursor:
        before = clock()
        cursor.execute(_MICROSECONDS[connection.vendor])
        row = cursor.fetchone()
        after = clock()
    there = _EPOCH + timedelta(microseconds=int(row[0]))
    if before <= there <= after:
        return 0.0
    return (before - there if there < before else after - there).total_seconds()


def is_off(seconds: float | None) -> bool:
    """Whether so much is too much: over a third of a lease."""
    return seconds is not None and abs(seconds) > get_settings().lease / 3


def is_trusted() -> bool:
    """Whether this machine's clock is right enough to take a run or a rehearsal, or to forget what
    is old; else the log says why not."""
    seconds = ahead()
    if seconds is None or not is_off(seconds):
        return True
    complain(seconds)
    return False


_complained = -COMPLAIN


def complain(seconds: float) -> None:
    """Say once a minute in the log that this clock is not to be trusted."""
    global _complained  # noqa: PLW0603 - one clock a process
    if time.monotonic() - _complained >= COMPLAIN:
        _complained = time.monotonic()
        logger.error(
            "this machine's clock is %s: until that is mended, it takes no run and no rehearsal, "
            "expires no request and interrupts no run",
            words(seconds),
        )


def words(seconds: float) -> str:
    """How a clock that is off is told, as the end of a sentence."""
    side = "ahead of" if seconds > 0 else "behind"
    return f"{abs(seconds):.0f} s {side} the clock of the bot's database"


def workers_off(*, now: datetime) -> list[tuple[str, float]]:
    """The workers that live and whose clocks are off, each with the seconds it is ahead."""
    lease = get_settings().lease
    rows = Worker.objects.using(get_settings().state_database).filter(ahead__isnull=False)
    found = [(row, (row.ahead or 0) / 1000) for row in rows]
    return [
        (row.name, seconds)
        for row, seconds in found
        if is_off(seconds) and abs((now - row.beat_at).total_seconds()) <= lease + abs(seconds)
    ]
