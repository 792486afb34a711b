"""Steps of a plan with their findings: what was seen while they were previewed, the catalogue's
sizes, the rules, and squawk where it is installed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.database.data_checks import checked
from bot.database.rates import recorded_rates
from bot.database.readonly import Looking
from bot.database.sizes import situation
from bot.database.squawk import lint
from bot.database.witness import Witness
from bot.route.data_checks import Checked
from bot.route.findings import Finding
from bot.route.plan import Belief, Operation, Step
from bot.route.risks.facts import Deed, OperationFacts, Situation, StepFacts
from bot.route.risks.judge import judge_walked
from bot.route.risks.walking import walk, with_rates
from bot.route.risks.works import kinds_of, works_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """``notes`` say how the findings came about, ``checks`` what today's data was asked;
    ``situation`` is None without steps."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    situation: Situation | None = None
    checks: tuple[Checked, ...] = ()


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
    if data := checked(looking, facts, now.sizes):
        now = replace(now, data=data)
    walked = walk(facts, now)
    works = works_of(walked)
    if kinds := kinds_of(works):
        now = replace(now, rates=recorded_rates(looking, kinds))
    found = judge_walked(with_rates(walked, now.rates))
    linted = lint(facts, now)
    together = [
        _sorted((*ours, *theirs)) if theirs else ours
        for ours, theirs in zip(found, linted.found, strict=True)
    ]
    return Examined(
        steps=tuple(
            step.judged(findings, of_step)
            for step, findings, of_step in zip(steps, together, works, strict=True)
        ),
        notes=(how(now), *linted.notes),
        situation=now,
        checks=now.data,
    )


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: -one.level.rank))


def how(now: Situation) -> str:
    """How findings come about that are predictions, and how long a statement waits for a lock."""
    words = "Predicted from the operations, their SQL and the catalogue; no rehearsal measured it."
    return f"{words} {waits(now)}".strip()


def waits(now: Situation) -> str:
    """How long a statement waits for a lock, as a sentence; empty where there is no such limit."""
    if now.vendor == "sqlite":
        return ""
    limit = f"at most {now.lock_timeout:g} s" if now.lock_timeout else "without end"
    return f"A statement waits {limit} for a lock (lock_timeout)."
