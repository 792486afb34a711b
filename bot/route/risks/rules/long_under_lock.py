"""Long work goes on while an earlier operation's lock is still held.

Locks last until COMMIT. A column that is added and filled in one migration keeps everybody out for
as long as the filling takes.

Instead: put the long part into a migration of its own: the lock ends with the first one.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.effects import Effect, Lock
from bot.route.risks.facts import Case, Deed
from bot.route.risks.matters import Matter
from bot.route.risks.words import Weight, finding, sized_work, weight

CODE = "long_under_lock"
ABOUT = frozenset({Matter.HELD})
_INSTEAD = "Move this operation into a migration of its own, so that the lock ends before it."


def look(case: Case) -> Iterator[Finding]:
    if not case.held:
        return
    if case.facts.deed is Deed.PYTHON:
        because = f"Python runs while {_still(case, case.held[0])}."
        table = case.held[0].table
        yield finding(case, CODE, Risk.DANGEROUS, because, _INSTEAD, table=table)
        return
    for effect in case.effects:
        others = [one for one in case.held if one.table != effect.table]
        if not effect.grows or effect.over or not (effect.raised or others):
            continue
        small = weight(case.size(effect.table)) is Weight.SMALL
        locked = others[0] if others else effect
        yield finding(
            case,
            CODE,
            Risk.CAUTION if small else Risk.DANGEROUS,
            f"While {effect.words} on {sized_work(case, effect)}, {_still(case, locked)}.",
            _INSTEAD,
            table=locked.table,
            evidence=effect.evidence,
        )
        return


def _still(case: Case, held: Effect) -> str:
    if case.situation.vendor == "sqlite":
        return "all other writers of the file stay blocked by an earlier operation"
    what = "reads and writes of" if held.lock is Lock.ALL else "writes to"
    return f"{what} {held.table} stay blocked by an earlier operation"
