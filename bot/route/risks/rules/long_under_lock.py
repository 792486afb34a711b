"""Long work goes on while an earlier operation's lock is still held.

Locks last until COMMIT. A column that is added and filled in one migration keeps everybody out for
as long as the filling takes.

Instead: put the long part into a migration of its own: the lock ends with the first one.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case, Deed, Effect, Lock
from bot.route.risks.words import Weight, finding, sized, weight

CODE = "long_under_lock"
_INSTEAD = "Move this operation into a migration of its own, so that the lock ends before it."


def look(case: Case) -> Iterator[Finding]:
    if case.situation.vendor == "mysql":
        return  # DDL commits there by itself.
    held: dict[str, Effect] = {}
    for effect in case.held:
        if effect.lock > held.get(effect.table, _NONE).lock:
            held[effect.table] = effect
    if not held:
        return
    locked = next(iter(held.values()))
    what = "reads and writes of" if locked.lock is Lock.ALL else "writes to"
    still = f"{what} {sized(case, locked.table)} stay blocked by an earlier operation"
    if case.facts.deed is Deed.PYTHON:
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"Python runs while {still}.",
            _INSTEAD,
            table=locked.table,
        )
        return
    for effect in case.effects:
        if effect.grows and not effect.over and (effect.table, effect.lock) != _same(held, effect):
            small = weight(case.size(effect.measure)) is Weight.SMALL
            yield finding(
                case,
                CODE,
                Risk.CAUTION if small else Risk.DANGEROUS,
                f"While {effect.words} on {sized(case, effect.table)}, {still}.",
                _INSTEAD,
                table=locked.table,
                evidence=effect.evidence,
            )
            return


_NONE = Effect(table="", lock=Lock.NONE)


def _same(held: dict[str, Effect], effect: Effect) -> tuple[str, Lock] | None:
    """What is told of the effect by itself already: no stronger lock is held, nor another table."""
    others = [one for one in held.values() if one.table != effect.table]
    own = held.get(effect.table, _NONE)
    if not others and own.lock <= effect.lock:
        return (effect.table, effect.lock)
    return None
