"""Plans to and from plain JSON values. The shape is part of the outside contract."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.route.basis import Basis, BasisStep
from bot.route.data_checks import checked_from_json
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Belief, Direction, GrowingWork, Operation, Plan, Statement, Step, Target


def isoformat(at: datetime) -> str:
    """ISO 8601 in UTC with a ``Z``, microseconds always shown so that text sorts by time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def plan_to_json(plan: Plan) -> dict[str, Any]:
    return {
        "database": plan.database,
        "vendor": plan.vendor,
        "target": str(plan.target),
        "fingerprint": plan.fingerprint,
        "risk": str(plan.risk),
        "made_at": isoformat(plan.made_at),
        "release": plan.release,
        "steps": [asdict(step) for step in plan.steps],
        "findings": [asdict(finding) for finding in plan.findings],
        "notes": list(plan.notes),
        "checks": [asdict(one) for one in plan.checks],
        "basis": asdict(plan.basis),
    }


def plan_from_json(data: dict[str, Any]) -> Plan:
    return Plan(
        database=data["database"],
        vendor=data["vendor"],
        target=Target.parse(data["target"]),
        basis=basis_from_json(data["basis"]),
        steps=tuple(_step(step) for step in data["steps"]),
        made_at=parse_time(data["made_at"]),
        release=data["release"],
        findings=tuple(_finding(finding) for finding in data["findings"]),
        notes=tuple(data.get("notes", ())),
        checks=tuple(checked_from_json(one) for one in data.get("checks", ())),
    )


def basis_from_json(data: dict[str, Any]) -> Basis:
    return Basis(
        identity=data["identity"],
        steps=tuple(BasisStep(**step) for step in data["steps"]),
        rests_on=tuple(data["rests_on"]),
        release=data["release"],
    )


def _step(data: dict[str, Any]) -> Step:
    return Step(
        **{
            **data,
            "direction": Direction(data["direction"]),
            "operations": tuple(_operation(operation) for operation in data["operations"]),
            "replaces": tuple(data["replaces"]),
            "findings": tuple(_finding(finding) for finding in data["findings"]),
            "works": tuple(GrowingWork(**work) for work in data.get("works", ())),
        }
    )


def _operation(data: dict[str, Any]) -> Operation:
    statements = (Statement(**{**s, "belief": Belief(s["belief"])}) for s in data["statements"])
    return Operation(**{**data, "statements": tuple(statements)})


def _finding(data: dict[str, Any]) -> Finding:
    return Finding(**{**data, "level": Risk(data["level"]), "evidence": Evidence(data["evidence"])})
