"""``rehearse``: plan here, carry that out on a scratch database in a child, and show what it found.

What was measured is kept where the bot's own tables are, so that a later request finds it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.db import Error as DatabaseError

from bot import operations
from bot.conf import get_settings
from bot.database import process
from bot.database.messages import Died, Progress, RefusedHere, Rehearsed
from bot.database.osuser import os_user
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.plan_words import plan_words
from bot.management.planning import arguments as plan_arguments
from bot.management.planning import as_json, chosen_database, planned, risky
from bot.moment import utc_now
from bot.operations.planning import check_target
from bot.prepare import GRACE, job_of, too_long
from bot.route.people import Actor, Origin
from bot.route.plan import Plan
from bot.route.refusals import RehearsalFailed, SetupNeeded, ToldElsewhere
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_json import rehearsal_from_json
from bot.route.rehearsing import Stage, Standing

LOOK_EVERY = 0.5
"""Seconds between two looks at the time while the child says nothing."""


def arguments(parser: ArgumentParser) -> None:
    plan_arguments(parser)


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    database = chosen_database(options)
    plan = planned(database, check_target(" ".join(options["target"])), desk)
    standing = Standing()
    if plan.steps:
        standing = _standing(rehearsed(plan, desk))
    measured = plan.rehearsed(standing.rehearsal) if standing.rehearsal else plan
    if desk.as_json:
        desk.document(as_json(measured, standing))
    else:
        desk.write(plan_words(measured, desk, sql=options["sql"], standing=standing))
    if standing.stage is Stage.NOT_REHEARSED:
        desk.say(f"Not rehearsed: {standing.because}")
        return Exit.REFUSED
    if standing.rehearsal is not None:
        _keep(plan, standing.rehearsal, desk)
    return risky(measured, options["fail_on"], desk)


def rehearsed(plan: Plan, desk: Desk) -> Rehearsal:
    """Rehearse in a child of this process, showing how far it is. Raises what refuses it."""
    seconds = get_settings().rehearsal_timeout
    until = desk.clock() + seconds + GRACE
    with desk.progress("rehearsing") as progress, process.start(job_of(plan)) as child:
        for message in child.messages(every=LOOK_EVERY):
            match message:
                case Progress():
                    progress.update(message.done, message.total, message.words)
                case Rehearsed():
                    return rehearsal_from_json(message.document)
                case RefusedHere():
                    raise ToldElsewhere(code=message.code, sentence=message.sentence)
                case Died():
                    raise RehearsalFailed(detail=message.words, reference=f"pid {child.pid}")
            if desk.clock() > until:
                break
    sentence = too_long(seconds)
    raise ToldElsewhere(code=RehearsalFailed.code, sentence=f"Not rehearsed. {sentence}")


def _standing(found: Rehearsal) -> Standing:
    if found.because:
        return Standing(stage=Stage.NOT_REHEARSED, because=found.because, at=found.made_at)
    return Standing(stage=Stage.MEASURED, rehearsal=found, at=found.made_at)


def _keep(plan: Plan, found: Rehearsal, desk: Desk) -> None:
    """Keep it for later requests; a machine without the bot's tables only shows it."""
    login = os_user()
    person = Actor(origin=Origin.COMMAND_LINE, name=login, os_user=login)
    try:
        operations.keep_rehearsal(actor=person, plan=plan, found=found, now=utc_now())
    except (SetupNeeded, DatabaseError) as error:
        desk.say(f"It was not kept, so a request will not know of it: {error}".rstrip())
