"""``request``: plan here, ask for that plan to be run, and watch what becomes of it if asked to."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from bot import operations
from bot.management.deciding import account_argument
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.following import exit_of, follow
from bot.management.history import positive
from bot.management.people import acting_as
from bot.management.plan_words import moment
from bot.management.planning import chosen_database, planned, target_arguments
from bot.management.run_words import forbidden_lines, run_line, run_words
from bot.models import Run
from bot.moment import utc_now
from bot.operations import reading
from bot.operations.wishing import check_wish
from bot.route.times import parse_at


def arguments(parser: ArgumentParser) -> None:
    target_arguments(parser)
    account_argument(parser)
    parser.add_argument("--reason", required=True, help="one sentence for the history")
    parser.add_argument(
        "--at", default="", help="not before this time: 02:00, or 2026-12-24T02:00Z"
    )
    parser.add_argument("--wait", action="store_true", help="watch the run until it has ended")
    parser.add_argument(
        "--timeout", type=positive, metavar="SECONDS", help="with --wait: watch for at most so long"
    )


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    asked = _request(options, desk)
    if not options["wait"]:
        _show(asked, desk)
        return Exit.FINE
    try:
        ended = follow(asked.pk, desk, timeout=options["timeout"])
    except KeyboardInterrupt:
        desk.say(
            f"\nNo longer watching. Run {asked.pk} is left alone and goes on; "
            f"see it with: manage.py migration_bot show {asked.pk}"
        )
        return Exit.STOPPED
    if desk.as_json:
        desk.document(reading.run_as_json(ended))
    else:
        desk.write(run_words(ended, desk, traceback=options["traceback"]))
    code = exit_of(ended)
    if code is Exit.STILL_GOING:
        desk.say(f"{options['timeout']} s are over. Run {asked.pk} is left alone and goes on.")
    return code


def _request(options: Mapping[str, Any], desk: Desk) -> Run:
    now = utc_now()
    actor = acting_as(options["account"], wish="run.request", now=now)
    zone = timezone.get_default_timezone()
    run_after = parse_at(options["at"], now=now, zone=zone) if options["at"] else None
    database = chosen_database(options)
    reason = options["reason"]
    target = check_wish(
        actor=actor,
        database=database,
        target=" ".join(options["target"]),
        reason=reason,
        now=now,
        run_after=run_after,
    )
    plan = planned(database, target, desk)
    now = utc_now()
    stored = operations.keep_plan(actor=actor, plan=plan, now=now)
    return operations.request(stored.pk, actor=actor, reason=reason, now=now, run_after=run_after)


def _show(asked: Run, desk: Desk) -> None:
    asked = reading.find_run(asked.pk)
    if desk.as_json:
        desk.document(reading.run_as_json(asked))
        return
    lines = run_line(asked, desk)
    number = asked.approvals_needed
    people = "somebody else has" if number == 1 else f"{number} people have"
    why = f" {because}" if (because := reading.approvals_because(asked)) else ""
    lines.append(f"Now {people} to approve it{why}, before {moment(asked.expires_at)}.")
    lines += forbidden_lines(asked, desk)
    desk.write("\n".join(lines))
