"""What earlier runs recorded of how long work over a table takes. It never fails a plan."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseProblem
from django.utils.connection import ConnectionDoesNotExist

from bot.conf import get_settings
from bot.database.guard import WriteRefused
from bot.database.readonly import Looking
from bot.route.risks.durations import FEWEST_ROWS, NEWEST, rate_of
from bot.route.risks.facts import Rate

logger = logging.getLogger("migration_bot")


def recorded_rates(looking: Looking, kinds: Iterable[str]) -> dict[str, Rate]:
    """The rate of each of these kinds on databases of this vendor, where enough is recorded.

    The state database may be down, not be set up, or have older tables: then nothing is known.
    """
    try:
        found = {kind: _rate(looking.connection.vendor, kind) for kind in sorted(kinds)}
    except (DatabaseProblem, ImproperlyConfigured, ConnectionDoesNotExist, WriteRefused) as error:
        logger.info("What earlier runs took cannot be read: %s", error)
        looking.rest()
        return {}
    return {kind: rate for kind, rate in found.items() if rate is not None}


def _rate(vendor: str, kind: str) -> Rate | None:
    from bot.models import RecordedWork  # A project may be planned in which the bot is no app.

    recorded = RecordedWork.objects.using(get_settings().state_database).filter(
        vendor=vendor, kind=kind, rows__gte=FEWEST_ROWS
    )
    newest = recorded.order_by("-id").values_list("rows", "milliseconds")[:NEWEST]
    return rate_of(newest)
