"""What the audit keeps: one frozen dataclass an event, its dotted name in the past tense.

To add one, write a dataclass; its fields become the entry's ``data``. Values are strings, whole
numbers, booleans, lists and dicts of them: no floats, whose text differs between databases.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    name: ClassVar[str] = ""

    def data(self) -> dict[str, Any]:
        """The fields as plain values; empty ones are left out."""
        return {key: value for key, value in asdict(self).items() if value not in ("", (), [], {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested(Event):
    name: ClassVar[str] = "run.requested"
    database: str
    target: str
    fingerprint: str
    risk: str
    reason: str
    steps: list[str]
    approvals_needed: int
    run_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Event):
    name: ClassVar[str] = "run.approved"
    fingerprint: str
    approvals: int
    approvals_needed: int
    reason: str = ""
    overrides: list[str] = field(default_factory=list)
    """Codes of findings that forbid the run, in spite of which it was approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalLapsed(Event):
    """An approval counts no longer: findings that forbid the run came to be known after it."""

    name: ClassVar[str] = "run.approval_lapsed"
    person: str
    person_name: str
    codes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected(Event):
    name: ClassVar[str] = "run.rejected"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    name: ClassVar[str] = "run.cancelled"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired(Event):
    name: ClassVar[str] = "run.expired"
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued(Event):
    name: ClassVar[str] = "run.queued"
    database: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WentStale(Event):
    name: ClassVar[str] = "run.stale"
    approved: str
    found: str
    because: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataChecked(Event):
    """Today's data was asked again, under the lock and before anything changed. Sentences."""

    name: ClassVar[str] = "run.data_checked"
    holds: list[str]
    broken: list[str]
    not_checked: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Event):
    name: ClassVar[str] = "run.started"
    fingerprint: str
    worker: str
    release: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplied(Event):
    name: ClassVar[str] = "step.applied"
    step: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepUnapplied(Event):
    name: ClassVar[str] = "step.unapplied"
    step: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried(Event):
    name: ClassVar[str] = "step.retried"
    step: str
    attempt: int
    because: str
    blockers: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded(Event):
    name: ClassVar[str] = "run.succeeded"
    steps: int
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Event):
    name: ClassVar[str] = "run.failed"
    error: str
    step: str = ""
    statement: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    name: ClassVar[str] = "run.interrupted"
    worker: str
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Event):
    name: ClassVar[str] = "run.reconciled"
    state: str
    applied: list[str]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed(Event):
    """A plan was carried out on a scratch database, and what was measured counts from now on."""

    name: ClassVar[str] = "plan.rehearsed"
    database: str
    fingerprint: str
    outcome: str
    risk_before: str
    risk_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigratedByHand(Event):
    """A plain ``manage.py migrate`` on a machine that has the app installed."""

    name: ClassVar[str] = "migrate.finished"
    database: str
    steps: list[str]
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrateByHandFailed(Event):
    name: ClassVar[str] = "migrate.failed"
    database: str
    steps: list[str]
    command: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMade(Event):
    name: ClassVar[str] = "link.made"
    team: str
    slack_user: str
    account: str
    account_name: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEnded(Event):
    name: ClassVar[str] = "link.ended"
    team: str
    slack_user: str
    account: str
    account_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied(Event):
    """Something was asked for and refused. Its entry's name is the wish with ``.refused``."""

    name: ClassVar[str] = ".refused"
    wish: str
    """The wish in the imperative: ``run.approve``, ``run.request``, ``plan.make``."""
    code: str
    because: str
    repeated: int = 1
    """How many denials of this person, wish and code the entry stands for."""

    def data(self) -> dict[str, Any]:
        told: dict[str, Any] = {"code": self.code, "because": self.because}
        return told | ({"repeated": self.repeated} if self.repeated > 1 else {})
