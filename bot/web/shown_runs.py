"""Runs as a page shows them: plain values with words, made from rows and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.models import Decision, Run
from bot.operations import reading
from bot.route.approval import Verdict
from bot.route.people import Origin
from bot.route.rehearsal_words import some
from bot.route.states import ENDED, State, state_phrase
from bot.route.undoing import back_to
from bot.web.shown_plans import FindingShown, finding_shown
from bot.web.words import between, clock, count, duration

ORIGINS: dict[str, str] = {
    Origin.PAGE: "on the staff page",
    Origin.SLACK: "in Slack",
    Origin.COMMAND_LINE: "at the command line",
}
DONE = ("applied", "unapplied")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStep:
    key: str
    backward: bool
    state: str
    seconds: str
    since: str
    """ISO 8601 while it runs, for a clock that ticks; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionShown:
    person: str
    verdict: str
    reason: str
    at: datetime
    overrides: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShown:
    """A run as its page and the history show it."""

    id: int
    state: str
    headline: str
    ended: bool
    risk: str
    database: str
    target: str
    fingerprint: str
    reason: str
    requester: str
    origin: str
    release: str
    approvals: int
    approvals_needed: int
    approvals_because: str
    forbidden_by: list[FindingShown]
    decisions: list[DecisionShown]
    steps: list[RunStep]
    done: int
    current: str
    elapsed: str
    since: str
    waiting_for: list[str]
    stale_because: list[str]
    error: str
    error_step: str
    error_statement: str
    traceback: str
    requested_at: datetime
    expires_at: datetime | None
    run_after: datetime | None
    decided_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    announcement: str

    @property
    def back_to(self) -> str:
        """What an undo goes back to, in words; empty where nothing goes back."""
        return back_to(self.target) if any(step.backward for step in self.steps) else ""

    @property
    def decided_by(self) -> str:
        """``approved by ada and grace``; empty while nobody has decided."""
        said = []
        for verdict, verb in (("approve", "approved"), ("reject", "rejected")):
            people = [one.person for one in self.decisions if one.verdict == verdict]
            said += [f"{verb} by {some(people)}"] if people else []
        return ", ".join(said)

    @property
    def approve_label(self) -> str:
        """What pressing it will do, in its own words: nobody starts SQL without knowing it."""
        if self.approvals + 1 < self.approvals_needed:
            return f"Approve ({self.approvals + 1} of {self.approvals_needed} needed)"
        return "Approve, to run at its time" if self.run_after else "Approve and run"


def run_shown(run: Run, *, now: datetime, traceback: bool = False) -> RunShown:
    """``traceback`` only for who may see it."""
    state = State(run.state)
    ended = state in ENDED
    steps = [_run_step(step, ended=ended) for step in run.steps]
    done = sum(step.state in DONE for step in steps)
    current = next((step.key for step in steps if step.state == "running"), "")
    taken = between(run.started_at, run.ended_at or now)
    decisions = list(run.decisions.all())
    approvals = sum(d.verdict == Verdict.APPROVE for d in decisions)
    headline = _headline(run, state, done, approvals, now)
    return RunShown(
        id=run.pk,
        state=run.state,
        headline=headline,
        ended=ended,
        risk=run.risk,
        database=run.database,
        target=run.target or "everything",
        fingerprint=run.fingerprint,
        reason=run.reason,
        requester=run.requester_name,
        origin=ORIGINS.get(run.origin, run.origin.replace("_", " ")),
        release=run.release,
        approvals=approvals,
        approvals_needed=run.approvals_needed,
        approvals_because=_because(run, state),
        forbidden_by=_forbidden_by(run, state),
        decisions=[_decision(one) for one in decisions],
        steps=steps,
        done=done,
        current=current,
        elapsed=duration(taken.total_seconds()) if taken is not None else "",
        since=run.started_at.isoformat() if run.started_at and not ended else "",
        waiting_for=list(run.waiting_for),
        stale_because=list(run.stale_because),
        error=run.error,
        error_step=run.error_step,
        error_statement=run.error_statement,
        traceback=run.traceback if traceback else "",
        requested_at=run.requested_at,
        expires_at=run.expires_at if state in _EXPIRING else None,
        run_after=run.run_after,
        decided_at=run.decided_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        announcement=f"Run {run.pk} {state_phrase(state)}. {headline}",
    )


_EXPIRING = (State.REQUESTED, State.APPROVED, State.QUEUED)


def _decision(decision: Decision) -> DecisionShown:
    return DecisionShown(
        person=decision.person_name,
        verdict=decision.verdict,
        reason=decision.reason,
        at=decision.at,
        overrides=", ".join(reading.overrides_of(decision)),
    )


def _run_step(step: dict[str, Any], *, ended: bool) -> RunStep:
    running = step["state"] == "running"
    never = ended and step["state"] == "pending"
    return RunStep(
        key=f"{step['app']}.{step['name']}",
        backward=step["direction"] == "backward",
        state="not_run" if never else step["state"],
        seconds=duration(step.get("seconds")),
        since=(step.get("started_at") or "") if running else "",
    )


def _because(run: Run, state: State) -> str:
    """Why it needs so many approvals, while that matters; lists of runs do not fetch the plans."""
    here = state is State.REQUESTED and Run.stored_plan.is_cached(run)
    return reading.approvals_because(run) if here else ""


def _forbidden_by(run: Run, state: State) -> list[FindingShown]:
    """The findings that forbid it, while it can be decided."""
    here = state is State.REQUESTED and Run.stored_plan.is_cached(run)
    return [finding_shown(finding) for finding in reading.forbidden_by(run)] if here else []


def _headline(run: Run, state: State, done: int, approvals: int, now: datetime) -> str:
    """What is the case, and what comes next, in a sentence."""
    total = len(run.steps)
    if state is State.REQUESTED:
        if run.expires_at <= now:
            return "Nobody decided in time, so it can no longer be approved."
        missing = run.approvals_needed - approvals
        return f"Waits for {count(missing, 'approval')} until {clock(run.expires_at)}."
    if state is State.APPROVED:
        return _approved_headline(run, now)
    if state is State.QUEUED:
        return "Handed to the workers; it begins as soon as one takes it and has the lock."
    if state is State.RUNNING:
        current = next((s for s in run.steps if s["state"] == "running"), None)
        if current is None:
            return "It has the database's lock and is about to begin its next step."
        verb = "Undoing" if current["direction"] == "backward" else "Running"
        return f"{verb} {current['app']}.{current['name']} now."
    if state is State.SUCCEEDED:
        return "The one step is done." if total == 1 else f"All {total} steps are done."
    if state is State.FAILED:
        where = f" at {run.error_step}" if run.error_step else ""
        nothing = "" if run.started_at else " Nothing was run."
        return f"It failed{where}. {done} of {count(total, 'step')} done.{nothing}"
    return {
        State.CANCELLED: f"It was taken back. {done} of {count(total, 'step')} done.",
        State.REJECTED: "An approver said no. Nothing was run.",
        State.EXPIRED: "Its time ran out. Nothing was run; ask again if it is still wanted.",
        State.STALE: "Things changed since it was asked for, so nothing was run. Plan again.",
        State.INTERRUPTED: "Its process is gone. The database is being asked what was done.",
        State.NEEDS_ATTENTION: "A person must look at the database before the next run.",
    }[state]


def _approved_headline(run: Run, now: datetime) -> str:
    if run.run_after is not None and run.run_after > now:
        return f"Approved. It starts at {clock(run.run_after)}."
    freeze = next(
        (f for f in reading.freezes(now=now) if f.database in ("", run.database)),
        None,
    )
    if freeze is not None:
        return f"Approved, but frozen by {freeze.owner_name}: {freeze.reason}"
    return "Approved. It starts as soon as no other run has its database."
