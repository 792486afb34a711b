"""Plans as a page shows them: plain values with words, made from rows and rules."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.conf import get_settings
from bot.models import StoredPlan
from bot.operations import reading
from bot.operations.measured import measured_plan, standing_of
from bot.operations.requesting import no_way_back
from bot.route.findings import Evidence, Finding, Risk
from bot.route.overriding import codes_of, forbidding
from bot.route.plan import Belief, Step
from bot.route.plan_json import isoformat
from bot.route.undoing import back_to
from bot.route.weighing import how_many, kinds
from bot.web.shown_rehearsals import RehearsalShown, rehearsal_shown

BELIEF_WORDS = {
    Belief.EXACT: "exactly this",
    Belief.PREDICTED: "predicted: a name is looked up when it runs",
    Belief.PYTHON: "Python: what it sends cannot be known before it runs",
    Belief.HIDDEN: "cannot be previewed",
}
WORST = 5
"""Kinds of findings that stand before everything else."""
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
    step: str = ""
    alike: int = 0
    """Where it stands for others of its code: how many those are."""


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
    examined: bool
    findings: list[FindingShown]
    operations: list[OperationShown]
    statements: int
    rehearsed: list[str]
    """How it went in the rehearsal, in sentences."""


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
    rehearsal: RehearsalShown
    approvals_needed: int
    approvals_because: str = ""
    forbidden_by: str = ""
    """Codes of findings that forbid a run of it, unless somebody overrides them."""
    forbidding: list[FindingShown] = field(default_factory=list)
    worst: list[FindingShown] = field(default_factory=list)
    """What is worst in it, beside what forbids it; each kind once."""
    how_many: str = ""
    notes: tuple[str, ...] = ()
    size: int = 0
    no_way_back: str = ""
    """Why no run of it can be asked for; empty where one can."""

    @property
    def back_to(self) -> str:
        """What an undo goes back to, in words; empty where nothing goes back."""
        return back_to(self.target) if any(step.backward for step in self.steps) else ""

    @property
    def is_short(self) -> bool:
        """Whether it may stand on a page that shows other things too."""
        return len(self.steps) <= 12 and self.size <= 20_000


def plan_shown(stored: StoredPlan) -> PlanShown:
    """A plan that is ready, with what a rehearsal measured in place of what was predicted."""
    plan, policy = measured_plan(stored), get_settings().policy
    rehearsal = rehearsal_shown(standing_of(plan.fingerprint))
    forbids = forbidding(plan.all_findings, policy.forbidden)
    refusal = no_way_back(plan)
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
        findings=[finding_shown(finding) for finding in plan.findings],
        steps=[_step(step, rehearsal) for step in plan.steps],
        rehearsal=rehearsal,
        approvals_needed=policy.approvals_needed(plan.risk, plan.all_findings),
        approvals_because=policy.approvals_because(plan.risk, plan.all_findings),
        forbidden_by=", ".join(codes_of(forbids)),
        forbidding=[finding_shown(finding) for finding in forbids],
        worst=_worst(plan.all_findings, policy.forbidden),
        how_many=how_many(plan.all_findings),
        notes=plan.all_notes,
        size=sum(len(s.sql) for step in plan.steps for s in step.statements),
        no_way_back=refusal.sentence if refusal else "",
    )


def _step(step: Step, rehearsal: RehearsalShown) -> StepShown:
    return StepShown(
        key=step.key,
        backward=step.direction == "backward",
        risk=str(step.risk),
        atomic=step.atomic,
        reversible=step.reversible,
        irreversible_because=step.irreversible_because,
        replaces=list(step.replaces),
        examined=step.examined,
        findings=[finding_shown(finding) for finding in step.findings],
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
        rehearsed=rehearsal.steps.get(step.key, []),
    )


def _worst(findings: Sequence[Finding], forbidden: Collection[str]) -> list[FindingShown]:
    """The dangerous kinds, or the one worst where none is; safe ones do not count."""
    others = [f for f in findings if f.code not in forbidden and f.level is not Risk.SAFE]
    found = kinds(others)
    dangerous = [one for one in found if one.finding.level is Risk.DANGEROUS]
    return [finding_shown(one.finding, one.alike) for one in dangerous[:WORST] or found[:1]]


def finding_shown(finding: Finding, alike: int = 0) -> FindingShown:
    return FindingShown(
        level=str(finding.level),
        code=finding.code,
        because=finding.because,
        instead=finding.instead,
        evidence=EVIDENCE_WORDS[finding.evidence],
        table=finding.table,
        step=finding.step,
        alike=alike,
    )


def plan_as_json(stored: StoredPlan) -> dict[str, Any]:
    """A stored plan; ``plan`` is the document of ``plan --json`` once it is ready, with what was
    measured, and ``rehearsal`` says how that came about."""
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
        **reading.plan_and_rehearsal_as_json(stored),
    }
