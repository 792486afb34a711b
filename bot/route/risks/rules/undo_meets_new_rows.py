"""Undoing it stops at rows that only the new schema takes, or cuts them.

A wider type, a rule that goes: what is written from then on need not fit back. Until something is
written that does not, undo works.

Instead: a short time between the migration and the decision to keep it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome
from bot.route.risks.facts import Case, Deed, StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.tightening import loosened
from bot.route.risks.tried import with_stop
from bot.route.risks.words import finding

CODE = "undo_meets_new_rows"
ABOUT = frozenset({Deed.ALTER_COLUMN, Deed.DROP_RULE, Matter.REHEARSED})
UNKNOWN = Outcome.UNKNOWN


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """A rehearsal that could undo it proves nothing: its rows may fit, or have been cut."""
    rehearsed = step.rehearsed
    seen = rehearsed is not None and bool(rehearsed.undo_error) and rehearsed.undo is UNKNOWN
    evidence = Evidence.MEASURED if seen else Evidence.PREDICTED
    predicted = [one for case in step.cases for one in _predicted(case)]
    yield from (replace(one, evidence=evidence) for one in predicted)
    if rehearsed is not None and seen and not predicted:
        yield Finding(
            code=CODE,
            level=Risk.CAUTION,
            because=f"Undo: {with_stop(rehearsed.undo_because)}",
            instead="Decide soon whether it stays.",
            evidence=Evidence.MEASURED,
            step=step.step.key,
        )


def _predicted(case: Case) -> Iterator[Finding]:
    if case.step.direction is not Direction.FORWARD or case.situation.vendor == "sqlite":
        return
    for what in loosened(case):
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"Undo {what}: rows written since that do not fit stop it, or are cut.",
            "Decide soon whether it stays.",
        )
