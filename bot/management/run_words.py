"""Runs as a person wants to read them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bot.management.desk import Desk
from bot.management.plan_words import FINGERPRINT, moment, plural
from bot.models import Run
from bot.operations import reading
from bot.route.findings import Risk
from bot.route.overriding import codes_of, in_words
from bot.route.rehearsal_words import some
from bot.route.rehearsing import UNKNOWN, Standing, standing_words
from bot.route.states import State
from bot.route.undoing import asked, undone
from bot.route.visible import visible

DONE = ("applied", "unapplied")
"""States of a step that has been carried out."""

_GOOD = frozenset({State.SUCCEEDED})
_BAD = frozenset({State.FAILED, State.NEEDS_ATTENTION, State.INTERRUPTED})


def state_words(run: Run, desk: Desk) -> str:
    """The state as a person writes it, in its colour."""
    state = State(run.state)
    words = str(state).replace("_", " ")
    if state in _GOOD:
        return desk.good(words)
    return desk.bad(words) if state in _BAD else desk.strong(words)


def _asked(run: Run, on: str) -> str:
    """``shop on default, 2 steps``, or that it is an undo, and what it goes back to."""
    back = undone(step["direction"] for step in run.steps)
    return asked(run.target or "everything", on, len(run.steps), back, visible)


def steps_done(run: Run) -> int:
    return sum(step["state"] in DONE for step in run.steps)


def run_line(run: Run, desk: Desk) -> list[str]:
    """One run in two lines, for lists."""
    first = f"run {run.pk}: {state_words(run, desk)}, {_asked(run, visible(run.database))}, "
    first += desk.risk(Risk(run.risk))
    second = f"{moment(run.requested_at)}, {run.requester_name}{_decided(run)}: {run.reason}"
    return [first, *desk.wrapped(second, indent="    ")[:2]]


def _decided(run: Run) -> str:
    """``, approved by ada and grace``; empty while nobody has decided."""
    words = ""
    for verdict, verb in (("approve", "approved"), ("reject", "rejected")):
        people = [one.person_name for one in run.decisions.all() if one.verdict == verdict]
        words += f", {verb} by {some(people)}" if people else ""
    return words


def run_words(run: Run, desk: Desk, *, traceback: bool, standing: Standing = UNKNOWN) -> str:
    """All there is about one run. Its decisions and plan must have been read with it."""
    return "\n".join(_lines(run, desk, traceback, standing))


def _lines(run: Run, desk: Desk, traceback: bool, standing: Standing) -> Iterator[str]:
    yield f"{desk.heading(f'Run {run.pk}')}: {state_words(run, desk)}"
    what = _asked(run, f"database {visible(run.database)}")
    yield f"  {what}, risk {desk.risk(Risk(run.risk))}"
    release = f", release {visible(run.release)}" if run.release else ""
    yield f"  fingerprint {run.fingerprint[:FINGERPRINT]}{release}"
    if words := standing_words(standing):
        yield from desk.wrapped(words, indent="    ", first="  ")
    yield from desk.wrapped(
        f"asked for by {run.requester_name} ({run.origin.replace('_', ' ')}): {run.reason}",
        indent="    ",
        first="  ",
    )
    yield from _decisions(run, desk)
    yield from forbidden_lines(run, desk)
    yield ""
    yield from _times(run)
    yield ""
    yield from _steps(run.steps, desk)
    for words in run.waiting_for:
        yield from desk.wrapped(f"waiting: {words}", indent="    ", first="  ")
    for words in run.stale_because:
        yield from desk.wrapped(words, indent="    ", first="  - ")
    yield from _error(run, desk, traceback)


def _decisions(run: Run, desk: Desk) -> Iterator[str]:
    decisions = list(run.decisions.all())
    approvals = sum(decision.verdict == "approve" for decision in decisions)
    yield f"  {approvals} of {plural(run.approvals_needed, 'approval')}"
    for decision in decisions:
        verb = {"approve": "approved", "reject": "rejected"}[decision.verdict]
        codes = ", ".join(reading.overrides_of(decision))
        spite = f" in spite of {codes}" if codes else ""
        words = f"{verb} by {decision.person_name}{spite}, {moment(decision.at)}"
        reason = f": {decision.reason}" if decision.reason else ""
        yield from desk.wrapped(words + reason, indent="      ", first="    ")


def forbidden_lines(run: Run, desk: Desk) -> Iterator[str]:
    """What forbids a run that waits for its approval, and how it can be approved all the same."""
    if State(run.state) is State.REQUESTED and (found := reading.forbidden_by(run)):
        codes = ", ".join(codes_of(found))
        words = f"Forbidden by {codes}: {in_words(found)} Who has the permission "
        words += "migration_bot.override_findings can approve it in spite of that: "
        words += f'approve {run.pk} --override --reason "…"'
        for line in desk.wrapped(visible(words), indent="    ", first="  "):
            yield desk.bad(line)


def _times(run: Run) -> Iterator[str]:
    times = {
        "requested": run.requested_at,
        "not before": run.run_after,
        "decided": run.decided_at,
        "queued": run.queued_at,
        "started": run.started_at,
        "ended": run.ended_at,
    }
    if run.ended_at is None and run.started_at is None:
        times["expires"] = run.expires_at
    for name, at in times.items():
        if at is not None:
            yield f"  {name:<10} {moment(at)}"


def _steps(steps: Sequence[dict[str, Any]], desk: Desk) -> Iterator[str]:
    for number, step in enumerate(steps, 1):
        verb = "undo" if step["direction"] == "backward" else "run"
        state = step["state"].replace("_", " ")
        paint = {"failed": desk.bad, "unknown": desk.bad, "running": desk.strong}.get(state)
        if step["state"] in DONE:
            paint = desk.good
        took = f" ({step['seconds']:.1f} s)" if step["seconds"] is not None else ""
        key = visible(f"{step['app']}.{step['name']}")
        yield f"  {number}. {verb} {key}: {paint(state) if paint else state}{took}"


def _error(run: Run, desk: Desk, traceback: bool) -> Iterator[str]:
    if run.error:
        where = f" in {visible(run.error_step)}" if run.error_step else ""
        yield ""
        yield f"  {desk.bad(f'Error{where}')}"
        yield from _block(run.error)
    if run.error_statement:
        yield "  in the statement"
        yield from _block(run.error_statement)
    if run.traceback and traceback:
        yield ""
        yield from _block(run.traceback)
    elif run.traceback:
        yield "  Its traceback: --traceback"


def _block(text: str) -> Iterator[str]:
    for line in visible(text.strip(), lines=True).split("\n"):
        yield f"    {line}".rstrip()
