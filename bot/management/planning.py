"""``plan``: what would run, made in this process, for anybody who has a shell here."""

from __future__ import annotations

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Mapping
from typing import Any

from django.db import Error as DatabaseError

from bot.conf import get_settings
from bot.database.planner import make_plan
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.plan_words import plan_words
from bot.moment import utc_now
from bot.operations.measured import standing_of
from bot.operations.planning import check_database, check_target
from bot.route.findings import Risk
from bot.route.plan import Plan, Target
from bot.route.rehearsing import UNKNOWN, Standing
from bot.route.standing_json import standing_to_json


def target_arguments(parser: ArgumentParser) -> None:
    """``shop``, ``shop 0007``, ``shop.0007``, ``shop zero`` or nothing, and the database."""
    parser.add_argument(
        "target",
        nargs="*",
        metavar="target",
        help="an app, an app and a migration, or an app and zero; nothing means everything",
    )
    parser.add_argument("--database", default="", help="alias of the database (the first allowed)")


def arguments(parser: ArgumentParser) -> None:
    target_arguments(parser)
    parser.add_argument(
        "--sql",
        action=BooleanOptionalAction,
        default=None,
        help="show all SQL or none; without it, long statements are cut",
    )
    parser.add_argument(
        "--fail-on",
        choices=[str(risk) for risk in Risk if risk is not Risk.SAFE],
        help="end with exit code 3 when the plan is at least this risky",
    )


def chosen_database(options: Mapping[str, Any]) -> str:
    """The database that was named, or the first that may be migrated. May be refused."""
    database = options["database"] or next(iter(get_settings().target_databases), "default")
    check_database(database)
    return str(database)


def planned(database: str, target: Target, desk: Desk) -> Plan:
    """Make the plan here, showing how far it is."""
    with desk.progress("planning") as progress:
        return make_plan(
            database,
            target,
            now=utc_now(),
            release=get_settings().release,
            progress=progress.update,
        )


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    database = chosen_database(options)
    plan = planned(database, check_target(" ".join(options["target"])), desk)
    standing = standing_here(plan)
    if standing.rehearsal is not None:
        plan = plan.rehearsed(standing.rehearsal)
    if desk.as_json:
        desk.document(as_json(plan, standing))
    else:
        desk.write(plan_words(plan, desk, sql=options["sql"], standing=standing))
    return risky(plan, options["fail_on"], desk)


def standing_here(plan: Plan) -> Standing:
    """How the plan's rehearsal stands, where the bot's own tables are there to tell."""
    try:
        return standing_of(plan.fingerprint)
    except DatabaseError:
        return UNKNOWN


def as_json(plan: Plan, standing: Standing) -> dict[str, Any]:
    """The plan's document, its findings as measured where they were, and ``rehearsal``."""
    return {**plan.to_json(), "rehearsal": standing_to_json(standing)}


def risky(plan: Plan, limit: str | None, desk: Desk) -> Exit:
    """The exit code for ``--fail-on``."""
    if limit and plan.steps and plan.risk.rank >= Risk(limit).rank:
        desk.say(f"The plan is {plan.risk}, and --fail-on {limit} was asked for.")
        return Exit.RISKY
    return Exit.FINE
