"""What the blocks are made of: plain values that rendering fills from rows. No Django, no Bolt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.route.findings import Finding, Risk
from bot.route.rehearsing import UNKNOWN, Standing
from bot.route.states import State
from bot.route.undoing import undone


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Somebody. ``slack_user`` only when they are of our own team: it becomes a mention."""

    name: str
    slack_user: str = ""
    team: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLine:
    """One step of a plan. ``words`` say what its operations do; ``marks`` what to watch for
    ("not atomic", "cannot be undone"); ``risk`` is None while nobody has looked."""

    app: str
    name: str
    direction: str = "forward"
    words: str = ""
    statements_count: int = 0
    marks: tuple[str, ...] = ()
    risk: Risk | None = None

    @property
    def key(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan that is ready. ``id`` is the stored plan's UUID as text; ``sql`` is all of it;
    ``findings`` are those of the plan and of every step; ``url`` is its staff page or empty.

    ``requestable`` is False once a run was asked for with it, and where ``no_way_back`` says why
    none can be. ``asking_run`` has the number of the run that asks for exactly this plan, whoever
    made it, and has not ended.
    """

    id: str
    database: str
    target: str
    fingerprint: str
    risk: Risk
    steps: tuple[StepLine, ...]
    made_at: datetime
    findings: tuple[Finding, ...] = ()
    sql: str = ""
    asked_by: PersonView | None = None
    url: str = ""
    release: str = ""
    approvals_needed: int = 1
    notes: tuple[str, ...] = ()
    """How the findings came about, in sentences."""
    forbidden: tuple[str, ...] = ()
    """Codes of findings that forbid a run of it, unless an approver overrides them."""
    held: str = ""
    """What holds on today's data, in a sentence; empty where nothing was asked."""
    requestable: bool = True
    no_way_back: str = ""
    asking_run: int | None = None
    rehearsal: Standing = UNKNOWN

    @property
    def undone(self) -> int:
        """How many of its steps go back."""
        return undone(step.direction for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionView:
    """``verdict`` is ``approve`` or ``reject``."""

    person: PersonView
    verdict: str
    at: datetime
    reason: str = ""
    overrides: tuple[str, ...] = ()
    """Codes of findings in spite of which they approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """One step of a run. ``state``: pending, running, applied, unapplied, failed, not_run or
    unknown; ``seconds`` once it is done, ``started_at`` while it runs."""

    app: str
    name: str
    direction: str = "forward"
    state: str = "pending"
    seconds: float | None = None
    started_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.app}.{self.name}"

    @property
    def done(self) -> bool:
        return self.state in ("applied", "unapplied")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """A run in any state. ``approvers_hint`` says from whom approvals must come, in words ("any of
    the database team"); empty says it by the rules. ``held_because`` says why an approved run does
    not start (a freeze, another run). ``now`` is when this was rendered. ``answerable`` is False
    where buttons would be in the way."""

    id: int
    state: State
    database: str
    target: str
    risk: Risk
    reason: str
    requester: PersonView
    fingerprint: str
    requested_at: datetime
    now: datetime
    approvals_needed: int = 1
    approvals_because: str = ""
    decisions: tuple[DecisionView, ...] = ()
    approvers_hint: str = ""
    self_approval: bool = False
    expires_at: datetime | None = None
    run_after: datetime | None = None
    held_because: str = ""
    steps: tuple[StepState, ...] = ()
    findings: tuple[Finding, ...] = ()
    forbidden: tuple[str, ...] = ()
    """Codes of findings that forbid it, unless an approver overrides them."""
    held: str = ""
    """What held on today's data when it was planned, in a sentence."""
    forbidden_mark: str = ""
    """By which those very findings are known again."""
    waiting_for: tuple[str, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: PersonView | None = None
    """Who took it back, where somebody did."""
    ended_reason: str = ""
    error: str = ""
    error_step: str = ""
    error_statement: str = ""
    stale_because: tuple[str, ...] = ()
    url: str = ""
    release: str = ""
    answerable: bool = True
    plan_id: str = ""
    """The stored plan's UUID, which a rehearsal is asked for by."""
    rehearsal: Standing = UNKNOWN

    @property
    def approvals(self) -> tuple[DecisionView, ...]:
        return tuple(d for d in self.decisions if d.verdict == "approve")

    @property
    def undone(self) -> int:
        """How many of its steps go back."""
        return undone(step.direction for step in self.steps)

    @property
    def steps_done(self) -> int:
        return sum(step.done for step in self.steps)

    @property
    def current(self) -> StepState | None:
        """The step that runs now."""
        return next((step for step in self.steps if step.state == "running"), None)

    @property
    def elapsed(self) -> float | None:
        """Seconds it took, or has taken; None before it began."""
        if self.started_at is None:
            return None
        return ((self.ended_at or self.now) - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """One audit entry; ``data`` as it was written, ``hash`` all 64 digits."""

    seq: int
    hash: str
    event: str
    at: datetime
    actor: PersonView
    run: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run in a list."""

    id: int
    state: State
    database: str
    target: str
    risk: Risk
    requester: PersonView
    requested_at: datetime
    steps: int
    undone: int = 0
    """How many of them go back."""
    steps_done: int = 0
    reason: str = ""
    seconds: float | None = None
    approvals: int = 0
    approvals_needed: int = 1
    approved_by: tuple[PersonView, ...] = ()
    rejected_by: tuple[PersonView, ...] = ()
    expires_at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeView:
    """A freeze in force; ``database`` empty means every one, ``until`` None until it is ended."""

    owner: PersonView
    reason: str
    since: datetime
    database: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingView:
    """What the newest plan of everything says of one database; ``steps`` None when there is none.
    ``problem`` is why there is no plan."""

    database: str
    steps: int | None = None
    risk: Risk | None = None
    made_at: datetime | None = None
    problem: str = ""
    plan_id: str = ""
    outdated_by: int | None = None
    """A run that ended since the plan was made, so that it no longer says what is pending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    """How things are. ``worker_age``: seconds since a worker was heard, None if never."""

    pending: tuple[PendingView, ...]
    open_runs: tuple[RunRow, ...]
    freezes: tuple[FreezeView, ...] = ()
    worker_alive: bool = True
    worker_age: float | None = None
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """Runs, newest first; ``left_out`` is how many more there are."""

    rows: tuple[RunRow, ...]
    left_out: int = 0
    filtered: str = ""
    """The filter in words, such as ``shop``; empty for everything."""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeView:
    """App Home for one person. ``for_me`` are requests that this person may approve; ``mine`` their
    own that have not ended. ``linked`` is False while the person has no staff account here."""

    person: PersonView
    linked: bool
    pending: tuple[PendingView, ...] = ()
    for_me: tuple[RunRow, ...] = ()
    mine: tuple[RunRow, ...] = ()
    running: tuple[RunRow, ...] = ()
    last: tuple[RunRow, ...] = ()
    freezes: tuple[FreezeView, ...] = ()
    worker_alive: bool = True
    url: str = ""
    now: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoView:
    """What the bot knows of somebody. ``permissions`` in words ("request a run")."""

    person: PersonView
    account: str = ""
    linked_at: datetime | None = None
    permissions: tuple[str, ...] = ()
    problem: str = ""
    """Why they may do nothing, where that is so: a refusal's sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelpRow:
    """One command as help shows it: ``usage`` as it is typed."""

    usage: str
    summary: str
