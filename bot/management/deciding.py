"""``approve``, ``reject`` and ``cancel``: one operation each, for a staff account."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from bot import operations
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.people import acting_as
from bot.models import Run
from bot.moment import utc_now
from bot.operations import reading
from bot.route.states import State, state_phrase


def account_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="account", metavar="USER", required=True, help="the staff account that acts"
    )


def arguments_for(*, reason_needed: bool) -> Callable[[ArgumentParser], None]:
    def arguments(parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="the run's number")
        account_argument(parser)
        parser.add_argument(
            "--reason", required=reason_needed, default="", help="one sentence for the history"
        )

    return arguments


def approve_arguments(parser: ArgumentParser) -> None:
    arguments_for(reason_needed=False)(parser)
    parser.add_argument(
        "--override",
        action="store_true",
        help="approve in spite of a finding that forbids it; needs --reason and the permission",
    )


def approve(options: Mapping[str, Any], desk: Desk) -> Exit:
    operation = partial(operations.approve, override=options["override"])
    return _decide("run.approve", operation, options, desk)


def reject(options: Mapping[str, Any], desk: Desk) -> Exit:
    return _decide("run.reject", operations.reject, options, desk)


def cancel(options: Mapping[str, Any], desk: Desk) -> Exit:
    return _decide("run.cancel", operations.cancel, options, desk)


def _decide(
    wish: str, operation: Callable[..., Run], options: Mapping[str, Any], desk: Desk
) -> Exit:
    number, now = options["run"], utc_now()
    actor = acting_as(options["account"], wish=wish, now=now, run=number)
    operation(number, actor=actor, now=now, reason=options["reason"])
    run = reading.find_run(number)
    if desk.as_json:
        desk.document(reading.run_as_json(run))
        return Exit.FINE
    words = f"Run {run.pk} {state_phrase(State(run.state))}."
    missing = run.approvals_needed - sum(d.verdict == "approve" for d in run.decisions.all())
    if run.state == "requested" and missing > 0:
        words += f" It needs {missing} more."
    desk.write(words)
    return Exit.FINE
