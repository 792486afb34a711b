"""The migration failed when it was rehearsed.

It ran on a copy of the schema with made-up rows, so a migration that needs rows of a certain kind
fails there too. What failed there after all rows were taken out does not depend on them.

Instead: read the error; where it asks for rows that only the real database has, say so in review.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal import Outcome
from bot.route.risks.facts import StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.tried import with_stop

CODE = "rehearsal_fails"
ABOUT = frozenset({Matter.REHEARSED})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    rehearsed = step.rehearsed
    if rehearsed is None or rehearsed.outcome is not Outcome.FAILS:
        return
    how = rehearsed.because or "It fails in a rehearsal, whose rows are made up."
    yield Finding(
        code=CODE,
        level=Risk.DANGEROUS,
        because=f"{how} {with_stop(rehearsed.error)}",
        instead="Mend it, or say in review why the real rows do not meet it.",
        evidence=Evidence.MEASURED,
        step=step.step.key,
    )
