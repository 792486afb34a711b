"""A plan: what would run, in order, on one database. Values only; a plan never changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.route.basis import Basis
from bot.route.findings import Finding, Risk, worst


class Direction(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"


class Belief(StrEnum):
    """How far the SQL text that is shown can be believed."""

    EXACT = "exact"
    """The text Django will send."""
    PREDICTED = "predicted"
    """A name in it is looked up in the database when it runs; we predicted that name."""
    PYTHON = "python"
    """Python runs here; what it sends cannot be known before."""
    HIDDEN = "cannot_preview"
    """The operation could not be previewed; the note says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement, or the place where one would be. ``note`` says why it is not exact."""

    sql: str
    belief: Belief
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a migration. ``kind`` is its class name; ``words`` say what it does."""

    kind: str
    words: str
    statements: tuple[Statement, ...] = ()
    reversible: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration in one direction."""

    app: str
    name: str
    direction: Direction
    operations: tuple[Operation, ...] = ()
    atomic: bool = True
    reversible: bool = True
    irreversible_because: str = ""
    replaces: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    examined: bool = False
    """Whether rules have looked at every operation: only then does no finding mean safe."""

    @property
    def risk(self) -> Risk:
        """The worst of its findings; without any it is safe if it was examined, else unknown."""
        return Risk.SAFE if self.examined and not self.findings else worst(self.findings)

    @property
    def key(self) -> str:
        """``app.name``, as it is shown and as it stands in a basis."""
        return f"{self.app}.{self.name}"

    @property
    def statements(self) -> tuple[Statement, ...]:
        return tuple(s for operation in self.operations for s in operation.statements)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is asked for, as ``migrate`` knows it: everything, an app, or an app and a migration.

    ``name`` is a full migration name once a planner has resolved it; ``zero`` undoes the app.
    """

    app: str = ""
    name: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.app, self.name) if part) or "everything"

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read ``shop``, ``shop 0007``, ``shop.0007``, ``shop zero`` or nothing at all."""
        words = text.replace(".", " ", 1).split()
        if words in ([], ["everything"]):
            return cls()
        return cls(app=words[0], name=words[1] if len(words) > 1 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would run. ``vendor`` is Django's (postgresql, mysql, sqlite); times are aware UTC."""

    database: str
    vendor: str
    target: Target
    basis: Basis
    steps: tuple[Step, ...]
    made_at: datetime
    release: str = ""
    findings: tuple[Finding, ...] = field(default=())
    """Findings about the plan as a whole; those about a step are on the step."""
    notes: tuple[str, ...] = ()
    """How the findings came about: predicted or measured, and what nobody has looked at."""

    @property
    def fingerprint(self) -> str:
        return self.basis.fingerprint

    @property
    def risk(self) -> Risk:
        """The worst finding. A plan that nobody examined is never safe."""
        levels = [step.risk for step in self.steps] + [one.level for one in self.findings]
        return max(levels, key=lambda level: level.rank) if self.steps else Risk.SAFE

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        return (*self.findings, *(f for step in self.steps for f in step.findings))

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and strings, as ``plan --json`` prints and as a run keeps."""
        from bot.route.plan_json import plan_to_json

        return plan_to_json(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The plan that ``to_json`` wrote."""
        from bot.route.plan_json import plan_from_json

        return plan_from_json(data)
