"""A worker's part in a plan and a rehearsal: it watches a child that changes nothing.

The child does the work in a process that has loaded the code as it lies on disk now. This side
renews the claim on the row at each quiet interval, and ends the child when the claim is lost.
"""

from __future__ import annotations

import logging
import time

from bot import operations
from bot.conf import get_settings
from bot.database import process
from bot.database.messages import (
    Died,
    PlanJob,
    Planned,
    Progress,
    RefusedHere,
    Rehearsed,
    RehearseJob,
)
from bot.moment import Clock, utc_now
from bot.operations import rehearsing
from bot.route.plan import Plan, Target
from bot.route.refusals import PlanningFailed, RehearsalFailed, ToldElsewhere
from bot.route.rehearsal_json import rehearsal_from_json

logger = logging.getLogger("migration_bot")

TELL_EVERY = 0.5
"""Seconds between two words on how far a plan is."""
TELL_REHEARSAL_EVERY = 1.0
"""The same of a rehearsal, whose words go to Slack too."""
GRACE = 10.0
"""Seconds beyond ``rehearsal_timeout`` in which the child may end by itself, cleaned up."""


def make_plan(plan_id: str, *, clock: Clock = utc_now) -> None:
    """Make one plan that somebody asked for. Does nothing when somebody else makes it."""
    stored = operations.claim_plan(plan_id, now=clock())
    if stored is None:
        return
    job = PlanJob(
        database=stored.database,
        target=Target.parse(stored.target),
        release=get_settings().release,
    )
    told = 0.0
    with process.start(job) as child:
        for message in child.messages(every=get_settings().lease / 6):
            match message:
                case Planned():
                    operations.store_plan(plan_id, Plan.from_json(message.document), now=clock())
                case RefusedHere():
                    refused = ToldElsewhere(code=message.code, sentence=message.sentence)
                    operations.refuse_plan(plan_id, refused, now=clock())
                case Died():
                    failed = PlanningFailed(detail=message.words, reference=plan_id)
                    logger.error("plan %s: %s %s", plan_id, message.words, message.output)
                    operations.refuse_plan(plan_id, failed, now=clock())
                case Progress() if time.monotonic() - told > TELL_EVERY:
                    told = time.monotonic()
                    words = f"{message.done} of {message.total}: {message.words}"
                    operations.plan_progress(plan_id, words, now=clock())
                case None:
                    operations.plan_progress(plan_id, "", now=clock())


def rehearse(rehearsal_id: str, *, clock: Clock = utc_now) -> None:
    """Make one rehearsal that somebody asked for. Does nothing while any is under way elsewhere."""
    row = rehearsing.claim(rehearsal_id, now=clock())
    if row is None:
        return
    job = job_of(row.stored_plan.plan)
    seconds = get_settings().rehearsal_timeout
    until = time.monotonic() + seconds + GRACE
    told, late = 0.0, False
    with process.start(job) as child:
        for message in child.messages(every=min(1.0, get_settings().lease / 6)):
            match message:
                case Rehearsed():
                    found = rehearsal_from_json(message.document)
                    operations.store_rehearsal(row, found, now=clock())
                case RefusedHere():
                    operations.refuse_rehearsal(row, message.sentence, now=clock())
                case Died():
                    failed = RehearsalFailed(detail=message.words, reference=rehearsal_id)
                    logger.error("rehearsal %s: %s %s", row.pk, message.words, message.output)
                    operations.refuse_rehearsal(row, failed.sentence, now=clock())
                case Progress() if time.monotonic() - told > TELL_REHEARSAL_EVERY:
                    told = time.monotonic()
                    if not operations.rehearsal_progress(row, progress_words(message), now=clock()):
                        return
                case None:
                    if not operations.rehearsal_progress(row, "", now=clock()):
                        return
            if late := time.monotonic() > until:
                break
    if late:  # told once the child is gone, for the next one may begin then
        operations.refuse_rehearsal(row, too_long(seconds), now=clock())


def job_of(plan: Plan) -> RehearseJob:
    """What a child is told that rehearses this plan."""
    return RehearseJob(
        database=plan.database,
        target=plan.target,
        basis=plan.basis,
        release=get_settings().release,
    )


def sweep() -> None:
    """Remove what rehearsals that were killed have left behind: scratch databases and folders."""
    from bot.database.rehearsal.rehearse import sweep as sweep_everywhere

    for gone in sweep_everywhere():
        logger.warning("removed what a rehearsal had left behind: %s", gone)


def progress_words(message: Progress) -> str:
    """``3 of 7: shop.0003_total``: the step that it is at."""
    at = min(message.done + 1, message.total)
    return f"{at} of {message.total}: {message.words}".rstrip(": ")


def too_long(seconds: float) -> str:
    """Why a rehearsal was ended, and what to do."""
    return (
        f"It took longer than {seconds:.0f} s, so it was ended. Rehearse fewer migrations at once, "
        "or raise the setting rehearsal_timeout."
    )
