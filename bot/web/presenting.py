"""Runs and plans as a page shows them: plain values with words, made from rows and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.conf import get_settings
from bot.models import Run, StoredPlan
from bot.operations import accounts, reading
from bot.route.approval import Verdict, Vote, check_voter
from bot.route.findings import Evidence, worst
from bot.route.people import Actor
from bot.route.plan import Belief, Plan, Step
from bot.route.plan_json import isoformat
from bot.route.refusals import Refused
from bot.route.states import ENDED, State
from bot.web.edge import Visit
from bot.web.words import between, clock, count, duration

DONE = ("applied", "unapplied")

BELIEF_WORDS = {
    Belief.EXACT: "exactly this",
    Belief.PREDICTED: "predicted: a name is looked up when it runs",
    Belief.PYTHON: "Python: what it sends cannot be known before it runs",
    Belief.HIDDEN: "cannot be previewed",
}
EVIDENCE_WORDS = {
    Evidence.MEASURED: "measured",
    Evidence.PREDICTED: "predicted",
    Evidence.NOT_CHECKED: "not checked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementShown:
    sql: str
    belief: str
    belief_words: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingShown:
    level: str
    code: str
    because: str
    instead: str
    evidence: str
    table: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationShown:
    words: str
    kind: str
    reversible: bool
    statements: list[StatementShown]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """One step of a plan, with what the reader needs to judge it."""

    key: str
    backward: bool
    risk: str
    atomic: bool
    reversible: bool
    irreversible_because: str
    replaces: list[str]
    findings: list[FindingShown]
    operations: list[OperationShown]
    statements: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanShown:
    """A plan that is ready. ``size`` is the characters of SQL in it."""

    database: str
    vendor: str
    target: str
    risk: str
    fingerprint: str
    release: str
    made_at: datetime
    findings: list[FindingShown]
    steps: list[StepShown]
    approvals_needed: int
    size: int = 0

    @property
    def is_short(self) -> bool:
        """Whether it may stand on a page that shows other things too."""
        return len(self.steps) <= 12 and self.size <= 20_000


def plan_shown(plan: Plan) -> PlanShown:
    return PlanShown(
        database=plan.database,
        vendor={"postgresql": "PostgreSQL", "mysql": "MySQL or MariaDB", "sqlite": "SQLite"}.get(
            plan.vendor, plan.vendor
        ),
        target=str(plan.target),
        risk=str(plan.risk),
        fingerprint=plan.fingerprint,
        release=plan.release,
        made_at=plan.made_at,
        findings=[_finding(finding) for finding in plan.findings],
        steps=[_step(step) for step in plan.steps],
        approvals_needed=get_settings().policy.approvals_needed(plan.risk),
        size=sum(len(s.sql) for step in plan.steps for s in step.statements),
    )


def _step(step: Step) -> StepShown:
    return StepShown(
        key=step.key,
        backward=step.direction == "backward",
        risk=str(worst(step.findings)),
        atomic=step.atomic,
        reversible=step.reversible,
        irreversible_because=step.irreversible_because,
        replaces=list(step.replaces),
        findings=[_finding(finding) for finding in step.findings],
        operations=[
            OperationShown(
                words=operation.words,
                kind=operation.kind,
                reversible=operation.reversible,
                statements=[
                    StatementShown(
                        sql=s.sql,
                        belief=str(s.belief),
                        belief_words=BELIEF_WORDS[s.belief],
                        note=s.note,
                    )
                    for s in operation.statements
                ],
            )
            for operation in step.operations
        ],
        statements=len(step.statements),
    )


def _finding(finding: Any) -> FindingShown:
    return FindingShown(
        level=str(finding.level),
        code=finding.code,
        because=finding.because,
        instead=finding.instead,
        evidence=EVIDENCE_WORDS[finding.evidence],
        table=finding.table,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What this person may do to this run now. Operations check all of it again."""

    approve: bool = False
    reject: bool = False
    cancel: bool = False
    see_traceback: bool = False
    why_not_approve: str = ""

    @property
    def key(self) -> str:
        """The same for as long as the same forms are offered."""
        return f"{self.approve}-{self.reject}-{self.cancel}-{self.why_not_approve}"


def allowed(run: Run, visit: Visit) -> Allowed:
    """Ask the same rules that operations will ask."""
    state, account = State(run.state), visit.account
    approver = account.may(accounts.APPROVE)
    own = run.requester == account.id and account.may(accounts.REQUEST)
    may_cancel = state in (State.REQUESTED, State.APPROVED, State.QUEUED) and (own or approver)
    open_for_votes = state is State.REQUESTED and run.expires_at > visit.now
    if not (open_for_votes and approver):
        return Allowed(cancel=may_cancel, see_traceback=approver)
    votes = [
        Vote(person=Actor.from_json(d.actor), verdict=Verdict(d.verdict))
        for d in run.decisions.all()
    ]
    no = {verdict: _why_not(run, visit.actor, votes, verdict) for verdict in Verdict}
    return Allowed(
        approve=not no[Verdict.APPROVE],
        reject=not no[Verdict.REJECT],
        cancel=may_cancel,
        see_traceback=approver,
        why_not_approve=no[Verdict.APPROVE],
    )


def _why_not(run: Run, voter: Actor, votes: list[Vote], verdict: Verdict) -> str:
    try:
        check_voter(
            get_settings().policy,
            run=run.pk,
            requester=run.requester_as_actor,
            voter=voter,
            votes=votes,
            verdict=verdict,
        )
    except Refused as refused:
        return refused.sentence
    return ""


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
        origin=run.origin.replace("_", " "),
        release=run.release,
        approvals=approvals,
        approvals_needed=run.approvals_needed,
        decisions=[
            DecisionShown(person=d.person_name, verdict=d.verdict, reason=d.reason, at=d.at)
            for d in decisions
        ],
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
        expires_at=run.expires_at
        if state in (State.REQUESTED, State.APPROVED, State.QUEUED)
        else None,
        run_after=run.run_after,
        decided_at=run.decided_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        announcement=f"Run {run.pk} is {run.state.replace('_', ' ')}. {headline}",
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
        State.NEEDS_ATTENTION: "The database alone cannot tell what was done: a person must look.",
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


def plan_as_json(stored: StoredPlan) -> dict[str, Any]:
    """A stored plan; ``plan`` is the document of ``plan --json`` once it is ready."""
    runs = [run.pk for run in stored.runs.order_by("-id")[:1]]
    refusal = {"error": stored.refusal_code, "message": stored.refusal}
    return {
        "id": str(stored.pk),
        "state": stored.state,
        "purpose": stored.purpose,
        "database": stored.database,
        "target": stored.target or "everything",
        "progress": stored.progress,
        "asked_at": isoformat(stored.asked_at),
        "ready_at": isoformat(stored.ready_at) if stored.ready_at else None,
        "fingerprint": stored.fingerprint or None,
        "refusal": refusal if stored.refusal_code else None,
        "run": runs[0] if runs else None,
        "plan": stored.document,
    }
