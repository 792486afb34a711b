"""A rehearsal with what the rules say of its measurements, and how that came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.database.examining import how, waits
from bot.database.planner import LookedOver
from bot.route.findings import Finding
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_words import some
from bot.route.risks.judge import codes, judge

NOT_REACHED = "It was not reached."


def judged(rehearsal: Rehearsal, seen: LookedOver) -> Rehearsal:
    """With findings and notes, which stand in for the plan's own from then on.

    What others than the rules found (squawk) is kept as it is.
    """
    if seen.situation is None:
        return rehearsal
    found = judge(seen.facts, seen.situation, rehearsal.by_step())
    ours = set(codes())
    together = [
        _sorted([*mine, *(one for one in step.findings if one.code not in ours)])
        for mine, step in zip(found, seen.plan.steps, strict=True)
    ]
    predicted = how(seen.situation)
    measured = (
        f"Measured with made-up rows; sizes are the target's. {waits(seen.situation)}".strip()
    )
    others = tuple(note for note in seen.plan.notes if note != predicted)
    return replace(
        rehearsal,
        findings=tuple(together),
        notes=(measured, *_of_steps(rehearsal), *rehearsal.notes, *others),
    )


def _of_steps(rehearsal: Rehearsal) -> list[str]:
    """What was left out, blind or not reached: there the findings are predictions as before."""
    notes = []
    for step in rehearsal.steps:
        if step.skipped:
            notes.append(f"{step.key}: {' '.join(step.skipped)}")
        if step.blind:
            notes.append(
                f"{step.key}: what a statement held could not be seen; predicted as before."
            )
        if step.because not in ("", NOT_REACHED) and not (step.complete or step.error):
            notes.append(f"{step.key}: {step.because}")
    unreached = [step.key for step in rehearsal.steps if not step.complete]
    if unreached:
        notes.append(f"Not run to the end, so predicted as before: {some(unreached)}.")
    return notes


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: -one.level.rank))
