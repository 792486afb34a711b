"""A rehearsal: the plan run on a scratch database, and what was measured there. Values only.

It belongs to a fingerprint: it says something of exactly the plan that would run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.route.findings import Finding
from bot.route.risks.effects import Effect


class Outcome(StrEnum):
    """``UNKNOWN`` is never read as ``WORKS``."""

    WORKS = "works"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Deed(StrEnum):
    """What the running release is tried to do to the new schema."""

    SELECT = "SELECT"
    FILTER = "filter"
    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStatement:
    """One statement that was run. ``operation`` is the operation's place among those of its step
    in the order in which they run, ``leaf`` counts those inside one SeparateDatabaseAndState.
    ``effects`` are on tables that were there before the plan, each with the evidence *measured*."""

    operation: int
    leaf: int = 0
    sql: str
    milliseconds: int
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that the running release does, tried with its models on the new schema.

    UNKNOWN where it failed on the old schema already, or could not be tried; ``error`` says why.
    """

    model: str
    table: str
    deed: Deed
    outcome: Outcome
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedStep:
    """One step forward, with the running release tried after it, and the step undone again.

    ``measured`` holds the statements in order; ``skipped`` are sentences on what was left out
    (Python); ``blind`` says that statements could not be measured although they ran.
    """

    key: str
    outcome: Outcome
    because: str = ""
    """Why the outcome is not known, or what decides it."""
    milliseconds: int = 0
    error: str = ""
    error_statement: str = ""
    measured: tuple[MeasuredStatement, ...] = ()
    probes: tuple[Probe, ...] = ()
    undo: Outcome = Outcome.UNKNOWN
    undo_because: str = ""
    undo_error: str = ""
    """What an attempt to undo it raised, though another may have worked."""
    skipped: tuple[str, ...] = ()
    blind: bool = False
    complete: bool = False
    """Whether all of its statements were sent, be it with other rows than at first."""

    def breaks(self) -> tuple[Probe, ...]:
        """What the running release could do before and cannot after this step."""
        return tuple(probe for probe in self.probes if probe.outcome is Outcome.FAILS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """All that one rehearsal found. ``where`` and ``schema_from`` are words for people ("a
    throwaway PostgreSQL 15.19 cluster", "pg_dump of the target's schema"); times are aware UTC.

    ``because`` says why nothing was measured at all; ``steps`` is empty then. ``findings`` has, for
    each step of the plan in order, what the rules say with the measurements; ``notes`` say how the
    findings came about and stand in for the plan's own.
    """

    fingerprint: str
    database: str
    vendor: str
    made_at: datetime
    milliseconds: int = 0
    where: str = ""
    schema_from: str = ""
    because: str = ""
    steps: tuple[RehearsedStep, ...] = ()
    same_after_undo: Outcome = Outcome.UNKNOWN
    """Whether undoing everything gave the schema of before."""
    same_again: Outcome = Outcome.UNKNOWN
    """Whether going forward a second time gave the same schema as the first time."""
    findings: tuple[tuple[Finding, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def worked(self) -> bool:
        """Whether every step ran forward."""
        return bool(self.steps) and all(s.outcome is Outcome.WORKS for s in self.steps)

    def by_step(self) -> Mapping[str, RehearsedStep]:
        return {step.key: step for step in self.steps}
