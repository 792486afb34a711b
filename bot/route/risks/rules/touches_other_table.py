"""A table is locked that the operation does not name.

A foreign key that is made or dropped locks the table it points to; renaming a model or changing a
key goes on to the tables that refer to it, many to many tables among them.

Instead: look at the traffic of that table too before a time is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.effects import Effect, Lock
from bot.route.risks.facts import Case
from bot.route.risks.words import finding, level_of, sized, waiting

CODE = "touches_other_table"


def look(case: Case) -> Iterator[Finding]:
    own = {case.facts.table, case.facts.table_after} - {""}
    if not own:
        return
    worst: dict[str, Effect] = {}
    for effect in case.effects:
        if effect.lock >= Lock.SHARE and effect.table not in own:
            before = worst.get(effect.table)
            if before is None or (effect.grows, effect.lock) > (before.grows, before.lock):
                worst[effect.table] = effect
    for table, effect in worst.items():
        if effect.grows and not effect.over:
            continue  # What is done to its rows is told by itself, with its name.
        because = f"Also locks {sized(case, table)}: {effect.words}."
        level = Risk.CAUTION
        if effect.grows:
            because, level = waiting(case, effect), level_of(case, effect)
        yield finding(case, CODE, level, because, table=table, evidence=effect.evidence)
