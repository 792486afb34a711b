"""Nothing limits how long it waits for a lock, and everybody waits behind it.

Even a change that takes a millisecond stands in the queue behind one long reader, and every query
that comes after stands behind it.

Instead: the setting `lock_timeout` (5 seconds unless somebody sets it to 0); the bot tries again.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.effects import Lock
from bot.route.risks.facts import StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.words import finding

CODE = "no_lock_timeout"
ABOUT = frozenset({Matter.UNLIMITED})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    if step.situation.lock_timeout > 0:
        return
    for case in step.cases:
        for effect in case.effects:
            if effect.lock >= Lock.SHARE:
                yield finding(
                    case,
                    CODE,
                    Risk.CAUTION,
                    f"No lock_timeout: behind a long query it waits for {effect.table} without "
                    "end, and everybody behind it.",
                    'MIGRATION_BOT = {"lock_timeout": 5.0}',
                    table=effect.table,
                )
                return
