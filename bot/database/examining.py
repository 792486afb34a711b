"""Steps of a plan with their findings: what was seen while they were previewed, the catalogue's
sizes, the rules, and squawk where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.database.facts import Witness
from bot.database.readonly import Looking
from bot.database.sizes import situation
from bot.database.squawk import lint
from bot.route.findings import Finding
from bot.route.plan import Belief, Operation, Step
from bot.route.risks.facts import Deed, OperationFacts, Situation, StepFacts
from bot.route.risks.judge import judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """``notes`` say how the findings came about."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]


def step_facts(witness: Witness, step: Step, *, says_atomic: bool) -> StepFacts:
    """The facts of the step that ``witness`` has just seen previewed."""
    leaves = witness.finish_step()
    known = {one.place for one in leaves if one.deed is Deed.UNKNOWN}
    unknown = [
        _unknown(place, step, operation)
        for place, operation in enumerate(step.operations)
        if place not in known and any(s.belief is Belief.HIDDEN for s in operation.statements)
    ]
    return StepFacts(
        app=step.app,
        name=step.name,
        direction=step.direction,
        atomic=step.atomic,
        says_atomic=says_atomic,
        reversible=step.reversible,
        irreversible_because=step.irreversible_because,
        operations=(*leaves, *unknown),
    )


def _unknown(place: int, step: Step, operation: Operation) -> OperationFacts:
    note = next(s.note for s in operation.statements if s.belief is Belief.HIDDEN)
    return OperationFacts(
        place=place, kind=operation.kind, deed=Deed.UNKNOWN, app=step.app, note=note
    )


def examined(looking: Looking, steps: Sequence[Step], facts: Sequence[StepFacts]) -> Examined:
    """The steps with what the rules say of them. Without steps, without notes too."""
    if not steps:
        return Examined(steps=(), notes=())
    now = situation(looking, facts)
    found = judge(facts, now)
    linted = lint(facts, now)
    together = [_sorted((*ours, *theirs)) for ours, theirs in zip(found, linted.found, strict=True)]
    return Examined(
        steps=tuple(
            replace(step, findings=findings, examined=True)
            for step, findings in zip(steps, together, strict=True)
        ),
        notes=(_how(now, steps), *linted.notes),
    )


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: -one.level.rank))


def _how(now: Situation, steps: Sequence[Step]) -> str:
    words = "Predicted from the operations, their SQL and the catalogue; nothing was measured."
    if now.vendor == "sqlite":
        return words
    waits = f"at most {now.lock_timeout:g} s" if now.lock_timeout else "without end"
    return f"{words} A statement waits {waits} for a lock (lock_timeout)."
