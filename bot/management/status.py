"""``status``: what is pending, what is under way, and how the bot is."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.conf import get_settings
from bot.database.counting import count_pending
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.plan_words import FINGERPRINT, moment, plural
from bot.management.run_words import run_line
from bot.moment import utc_now
from bot.operations import reading, vital_signs
from bot.route.plan_json import isoformat
from bot.route.refusals import Refused
from bot.route.visible import visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """How many migrations ``migrate`` would run, or why nobody can tell."""

    database: str
    pending: int | None
    error: str = ""


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="end with exit code 6 when migrations are pending",
    )


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    now = utc_now()
    pending = [_pending(alias) for alias in get_settings().target_databases]
    if desk.as_json:
        desk.document(_document(pending, now))
    else:
        desk.write("\n".join(_lines(pending, desk, now)))
    if any(one.pending is None for one in pending):
        desk.say("Not every database could be read.")
        return Exit.REFUSED
    if options["exit_code"] and any(one.pending for one in pending):
        return Exit.PENDING
    return Exit.FINE


def _pending(database: str) -> Pending:
    try:
        return Pending(database=database, pending=count_pending(database))
    except Refused as refused:
        return Pending(database=database, pending=None, error=refused.sentence)


def _document(pending: list[Pending], now: datetime) -> dict[str, Any]:
    seq, digest = reading.audit_head()
    pulse, backlog = vital_signs.pulse(now=now), vital_signs.backlog(now=now)
    return {
        "at": isoformat(now),
        "databases": [asdict(one) for one in pending],
        "runs": [reading.run_as_json(one) for one in reading.open_runs()],
        "freezes": [
            {
                "database": freeze.database,
                "owner": freeze.owner_name,
                "reason": freeze.reason,
                "since": isoformat(freeze.since),
                "until": isoformat(freeze.until) if freeze.until else None,
            }
            for freeze in reading.freezes(now=now)
        ],
        "workers": {**asdict(pulse), "alive": pulse.alive},
        "outbox": asdict(backlog),
        "audit": {"seq": seq, "hash": digest},
    }


def _lines(pending: list[Pending], desk: Desk, now: datetime) -> Iterator[str]:
    yield desk.heading("Databases")
    for one in pending:
        if one.pending is None:
            yield from desk.wrapped(f"{one.database}: {one.error}", indent="    ", first="  ")
            continue
        words = f"{plural(one.pending, 'migration')} pending"
        yield f"  {visible(one.database)}: " + (
            desk.warn(words) if one.pending else desk.good("nothing pending")
        )
    yield desk.heading("Runs under way")
    runs = list(reading.open_runs())
    for run in runs:
        yield from (f"  {line}" for line in run_line(run, desk))
    if not runs:
        yield "  none"
    freezes = reading.freezes(now=now)
    if freezes:
        yield desk.heading("Freezes")
    for freeze in freezes:
        until = f" until {moment(freeze.until)}" if freeze.until else ""
        words = f"{freeze.database or 'every database'}, by {freeze.owner_name} since "
        words += f"{moment(freeze.since)}{until}: {freeze.reason}"
        yield from desk.wrapped(words, indent="    ", first="  ")
    yield desk.heading("The bot")
    yield from _bot(desk, now)


def _bot(desk: Desk, now: datetime) -> Iterator[str]:
    pulse, backlog = vital_signs.pulse(now=now), vital_signs.backlog(now=now)
    if pulse.alive:
        age = f"newest sign of life {pulse.newest_age:.0f} s ago"
        yield f"  {plural(pulse.workers, 'worker')}, {age}"
    else:
        yield (
            desk.bad("  no worker")
            + "; nothing will run. Start one: manage.py migration_bot worker"
        )
    if backlog.waiting:
        age = f", the oldest {backlog.oldest_age:.0f} s old" if backlog.oldest_age else ""
        yield f"  {plural(backlog.waiting, 'message')} for Slack waiting{age}"
    seq, digest = reading.audit_head()
    yield f"  audit at entry {seq}" + (f", hash {digest[:FINGERPRINT]}" if digest else "")
