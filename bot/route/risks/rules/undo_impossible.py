"""There is no way back.

An operation without its reverse (RunPython without reverse_code, RunSQL without reverse_sql) makes
Django refuse to undo the migration.

Instead: give it a reverse, `RunPython.noop` or `RunSQL.noop` where nothing is to be done.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction
from bot.route.risks.facts import StepCase
from bot.route.risks.matters import Matter

CODE = "undo_impossible"
ABOUT = frozenset({Matter.IRREVERSIBLE})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    if step.step.reversible:
        return
    if step.step.direction is Direction.BACKWARD:
        yield Finding(
            code=CODE,
            level=Risk.DANGEROUS,
            because=f"It cannot be undone: going back stops here. "
            f"{step.step.irreversible_because}".strip(),
            step=step.step.key,
        )
    else:
        yield Finding(
            code=CODE,
            level=Risk.CAUTION,
            because=f"It cannot be undone. {step.step.irreversible_because}".strip(),
            instead="Give it a reverse; RunPython.noop or RunSQL.noop where nothing is to be done.",
            evidence=Evidence.PREDICTED,
            step=step.step.key,
        )
