"""Whether the migration succeeds depends on what the rows hold.

In a rehearsal it failed with made-up rows of the longest values and NULLs, and ran with others, or
with none. Where Python was left out before it, that may have changed what was in the way.

Instead: ask the database for rows that are in the way (data checks do), and mend them first.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal import Outcome
from bot.route.risks.facts import StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.tried import with_stop

CODE = "rows_decide"
ABOUT = frozenset({Matter.REHEARSED})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    rehearsed = step.rehearsed
    if rehearsed is None or rehearsed.outcome is not Outcome.UNKNOWN or not rehearsed.error:
        return
    yield Finding(
        code=CODE,
        level=Risk.CAUTION,
        because=f"{rehearsed.because} With made-up rows: {with_stop(rehearsed.error, 120)}",
        instead="Look for rows that are in its way before it runs.",
        evidence=Evidence.MEASURED,
        step=step.step.key,
    )
