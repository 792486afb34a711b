"""A plan: what would run, in order, on one database. Values only; a plan never changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from bot.route.basis import Basis
from bot.route.data_checks import BY_DATA, SHOWN, Checked, held
from bot.route.findings import Finding, Risk, worst

if TYPE_CHECKING:
    from bot.route.rehearsal import Rehearsal


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
class GrowingWork:
    """Something a step does that takes longer the more rows a table has.

    ``kind`` is scan, index, rewrite or rows (``bot.route.risks.effects.Work``), or unknown where
    nobody can say. ``rows`` as the catalogue had them; None where it has no estimate.
    """

    kind: str
    table: str = ""
    rows: int | None = None


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
    works: tuple[GrowingWork, ...] = ()
    """What takes longer the more rows there are, on tables that were there before the plan."""

    def judged(self, findings: tuple[Finding, ...], works: tuple[GrowingWork, ...]) -> Step:
        """The same step, examined. Written out, as ``replace`` takes as long as a rule."""
        return Step(
            app=self.app,
            name=self.name,
            direction=self.direction,
            operations=self.operations,
            atomic=self.atomic,
            reversible=self.reversible,
            irreversible_because=self.irreversible_because,
            replaces=self.replaces,
            findings=findings,
            examined=True,
            works=works,
        )

    @property
    def risk(self) -> Risk:
        """The worst of its findings; without any it is safe if it was examined, else unknown."""
        return Risk.SAFE if self.examined and not self.findings else worst(self.findings)

    @property
    def key(self) -> str:
        """``app.name``, as it is shown and as it stands in a basis."""
        return f"{self.app}.{self.name}"

    @property
    def only_work(self) -> GrowingWork | None:
        """What its time was spent on, over a table whose rows are known; None when that cannot be
        told from other work, or it goes backward."""
        if self.direction is Direction.BACKWARD or len(self.works) != 1:
            return None
        return self.works[0] if self.works[0].rows is not None else None

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
    checks: tuple[Checked, ...] = ()
    """What today's data was asked when the plan was made, and what it said."""

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

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and what holds on today's data."""
        return (*self.notes, *self.held())

    def held(self, shown: int = SHOWN) -> tuple[str, ...]:
        """What holds on today's data, in one sentence that names so many; nothing where nothing
        did."""
        return held(self.checks, self.all_findings, shown=shown)

    def rehearsed(self, rehearsal: Rehearsal) -> Plan:
        """This plan with what a rehearsal of it measured in place of what was predicted.

        A rehearsal of another fingerprint, or one that measured nothing, changes no finding. Of
        today's data the newer of both speaks: rows that broke a rule may have been mended since.
        """
        if rehearsal.fingerprint != self.fingerprint:
            return self
        if len(rehearsal.findings) != len(self.steps):
            return replace(self, notes=(*self.notes, *rehearsal.notes))
        newer = self.made_at > rehearsal.made_at
        steps = tuple(
            replace(step, findings=_with_newer_data(found, step.findings) if newer else found)
            for step, found in zip(self.steps, rehearsal.findings, strict=True)
        )
        return replace(self, steps=steps, notes=rehearsal.notes)

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists and strings, as ``plan --json`` prints and as a run keeps."""
        from bot.route.plan_json import plan_to_json

        return plan_to_json(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Plan:
        """The plan that ``to_json`` wrote."""
        from bot.route.plan_json import plan_from_json

        return plan_from_json(data)


def _with_newer_data(
    measured: tuple[Finding, ...], asked_later: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """What was measured, but of today's data what was asked later."""
    kept = [one for one in measured if one.code not in BY_DATA]
    kept += [one for one in asked_later if one.code in BY_DATA]
    return tuple(sorted(kept, key=lambda one: -one.level.rank))
