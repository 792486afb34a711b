"""``history`` and ``show``: runs that were asked for, and one of them in full."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.plan_words import plan_words
from bot.management.run_words import run_line, run_words
from bot.operations import reading
from bot.operations.measured import measured_plan, standing_of
from bot.route.states import State


def positive(text: str) -> int:
    """A whole number above 0, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError
    return number


positive.__name__ = "number above 0"  # argparse names the type so in its error


def history_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--state", default="", choices=[str(state) for state in State])
    parser.add_argument("--database", default="", help="only runs on this alias")
    parser.add_argument("--app", default="", help="only runs with a step of this app")
    parser.add_argument("--limit", type=positive, default=20, help="at most so many (20)")


def history(options: Mapping[str, Any], desk: Desk) -> Exit:
    filters = {name: options[name] for name in ("state", "database", "app")}
    found = list(reading.runs(**filters)[: options["limit"]])
    if desk.as_json:
        desk.document({"runs": [reading.run_as_json(run) for run in found]})
    elif found:
        desk.write("\n".join(line for run in found for line in run_line(run, desk)))
    else:
        desk.write("No runs." if not any(filters.values()) else "No runs like that.")
    return Exit.FINE


def show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("run", type=int, metavar="RUN", help="the run's number")
    parser.add_argument("--sql", action="store_true", help="show the plan with all its SQL too")


def show(options: Mapping[str, Any], desk: Desk) -> Exit:
    run = reading.find_run(options["run"])
    if desk.as_json:
        document = reading.run_in_full_as_json(run)
        if options["sql"]:
            document["plan"] = measured_plan(run.stored_plan).to_json()
        if options["traceback"]:
            document["traceback"] = run.traceback
        desk.document(document)
        return Exit.FINE
    standing = standing_of(run.fingerprint)
    desk.write(run_words(run, desk, traceback=options["traceback"], standing=standing))
    if options["sql"]:
        plan = measured_plan(run.stored_plan)
        desk.write("\n" + plan_words(plan, desk, sql=True, standing=standing))
    return Exit.FINE
