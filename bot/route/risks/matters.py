"""What there is in a step for a rule to have something to say of: most rules are about little, and
most steps hold little, so most rules need not be asked."""

from __future__ import annotations

from enum import StrEnum

from bot.route.risks.facts import StepCase


class Matter(StrEnum):
    """Besides deeds, verbs and kinds of work, by whose words a rule says what it is about too."""

    ANSWERS = "what the data answered"
    CONCURRENTLY = "concurrently"
    FILLED = "tables of the plan that may have rows"
    HELD = "locks of earlier operations"
    REHEARSED = "a rehearsal"


def matters_of(step: StepCase) -> frozenset[str]:
    """Each deed, verb, kind of work and ``Matter`` that there is in the step, by its words."""
    found: set[str] = set()
    if step.rehearsed is not None:
        found.add(Matter.REHEARSED)
    for case in step.cases:
        found.add(case.facts.deed)
        found |= case.facts.verbs
        found |= {effect.work for effect in case.effects if effect.grows}
        concurrently = case.facts.concurrently or any(
            one.concurrently for one in case.facts.actions
        )
        for there, matter in (
            (concurrently or case.facts.concurrently, Matter.CONCURRENTLY),
            (case.answers, Matter.ANSWERS),
            (case.filled, Matter.FILLED),
            (case.held, Matter.HELD),
        ):
            if there:
                found.add(matter)
    return frozenset(found)
