"""What there is in a step for a rule to have something to say of: most rules are about little, and
most steps hold little, so most rules need not be asked."""

from __future__ import annotations

from enum import StrEnum

from bot.route.risks.facts import StepCase
from bot.route.risks.vendors import is_known


class Matter(StrEnum):
    """Besides deeds, verbs and kinds of work, by whose words a rule says what it is about too."""

    ANSWERS = "what the data answered"
    CONCURRENTLY = "concurrently"
    FILLED = "tables of the plan that may have rows"
    HELD = "locks of earlier operations"
    IRREVERSIBLE = "no way back"
    MYSQL = "mysql"
    PIECEMEAL = "more than one transaction"
    REHEARSED = "a rehearsal"
    STRANGER = "a database that no rule knows"
    UNLIMITED = "no lock_timeout"


def matters_of(step: StepCase) -> frozenset[str]:
    """Each deed, verb, kind of work and ``Matter`` that there is in the step, by its words."""
    situation = step.situation
    of_step = (
        (step.rehearsed is not None, Matter.REHEARSED),
        (not step.step.reversible, Matter.IRREVERSIBLE),
        (not step.step.atomic, Matter.PIECEMEAL),
        (situation.lock_timeout <= 0, Matter.UNLIMITED),
        (situation.vendor == "mysql", Matter.MYSQL),
        (not is_known(situation.vendor), Matter.STRANGER),
    )
    found: set[str] = {matter for there, matter in of_step if there}
    for case in step.cases:
        found.add(case.facts.deed)
        found |= case.facts.verbs
        found |= {effect.work for effect in case.effects if effect.grows}
        apart = case.facts.concurrently or any(one.concurrently for one in case.facts.actions)
        of_case = (
            (apart, Matter.CONCURRENTLY),
            (case.answers, Matter.ANSWERS),
            (case.filled, Matter.FILLED),
            (case.held, Matter.HELD),
        )
        found |= {matter for there, matter in of_case if there}
    return frozenset(found)
