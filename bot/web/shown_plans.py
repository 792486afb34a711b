"""Plans as a page shows them: plain values with words, made from rows and rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.conf import get_settings
from bot.models import StoredPlan
from bot.route.findings import Evidence, Finding
from bot.route.plan import Belief, Plan, Step
from bot.route.plan_json import isoformat

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
    examined: bool
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
    approvals_because: str = ""
    notes: tuple[str, ...] = ()
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
        approvals_needed=get_settings().policy.approvals_needed(plan.risk, plan.all_findings),
        approvals_because=get_settings().policy.approvals_because(plan.risk, plan.all_findings),
        notes=plan.notes,
        size=sum(len(s.sql) for step in plan.steps for s in step.statements),
    )


def _step(step: Step) -> StepShown:
    return StepShown(
        key=step.key,
        backward=step.direction == "backward",
        risk=str(step.risk),
        atomic=step.atomic,
        reversible=step.reversible,
        irreversible_because=step.irreversible_because,
        replaces=list(step.replaces),
        examined=step.examined,
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


def _finding(finding: Finding) -> FindingShown:
    return FindingShown(
        level=str(finding.level),
        code=finding.code,
        because=finding.because,
        instead=finding.instead,
        evidence=EVIDENCE_WORDS[finding.evidence],
        table=finding.table,
    )


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
