"""What can be refused of a request before its plan is made: planning may take a minute."""

from __future__ import annotations

from datetime import datetime

from bot.operations import accounts
from bot.operations.changing import denials_recorded
from bot.operations.planning import check_database, check_target
from bot.operations.requesting import check_reason, check_run_after
from bot.route.people import Actor
from bot.route.plan import Target


def check_wish(
    *,
    actor: Actor,
    database: str,
    target: str,
    reason: str,
    now: datetime,
    run_after: datetime | None = None,
) -> Target:
    """Raise what ``request`` would raise for this person and these words, and audit it the same.

    It grants nothing: ``request`` asks again, in its own transaction. Returns the target as read.
    """
    with denials_recorded("run.request", actor=actor, now=now):
        accounts.require(actor, accounts.REQUEST)
        check_reason(reason)
        check_run_after(run_after, now=now)
        check_database(database)
        return check_target(target)
