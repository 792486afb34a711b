"""What a message says of a rehearsal first: the worst, in a few words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.route.rehearsal import Deed, Outcome, Rehearsal, RehearsedStep
from bot.route.risks.effects import Effect, Lock, Work

LOCK_WORDS = {
    Lock.ROWS: "ROW EXCLUSIVE",
    Lock.ONLINE: "SHARE UPDATE EXCLUSIVE",
    Lock.SHARE: "SHARE",
    Lock.SHARE_ROW: "SHARE ROW EXCLUSIVE",
    Lock.ALL: "ACCESS EXCLUSIVE",
}
"""As PostgreSQL's manual calls them."""
WORK_WORDS = {
    Work.REWRITE: "a rewrite",
    Work.INDEX: "an index build",
    Work.SCAN: "a scan",
    Work.ROWS: "writing its rows",
    Work.NONE: "a moment",
}
AT_MOST = 3
"""Of one kind, before the rest is only counted."""


def lead(rehearsal: Rehearsal) -> tuple[str, ...]:
    """Sentences for a message; the first says all that matters: ``Measured on a copy of the schema:
    holds ACCESS EXCLUSIVE on shop_order for a rewrite; undo works.`` Where nothing was measured it
    is why."""
    if rehearsal.because:
        return (rehearsal.because,)
    return (f"Measured on a copy of the schema: {'; '.join(parts(rehearsal))}.",)


def parts(rehearsal: Rehearsal) -> tuple[str, ...]:
    """What was found, each in a few words, the worst first; never nothing."""
    found = (
        *_few(list(_failures(rehearsal)), "steps"),
        *_few(_breaks(rehearsal), "tables"),
        *_few(_locks(rehearsal), "tables"),
        *_undo(rehearsal),
        *_unknown(rehearsal),
    )
    return found or ("nothing that others wait for",)


def _failures(rehearsal: Rehearsal) -> Iterator[str]:
    for step in rehearsal.steps:
        if step.outcome is Outcome.FAILS:
            yield f"{step.key} fails ({step.error.rstrip('.')})"
        elif step.error:
            yield f"whether {step.key} succeeds depends on the rows"


def _breaks(rehearsal: Rehearsal) -> list[str]:
    found: dict[str, dict[str, None]] = {}
    for step in rehearsal.steps:
        for probe in step.breaks():
            found.setdefault(probe.table, {})[probe.deed.value] = None
    return [_broken(table, list(deeds)) for table, deeds in found.items()]


def _broken(table: str, deeds: list[str]) -> str:
    if len(deeds) == len(Deed):
        return f"nothing that the running release does with {table} works"
    verb = "fails" if len(deeds) == 1 else "fail"
    return f"the running release's {_listed(deeds)} of {table} {verb}"


def _locks(rehearsal: Rehearsal) -> list[str]:
    """One part for each table that others wait for: its longest work and the lock meanwhile."""
    worst: dict[str, Effect] = {}
    for step in rehearsal.steps:
        for statement in step.measured:
            for effect in statement.effects:
                if effect.lock >= Lock.SHARE:
                    before = worst.get(effect.table)
                    if before is None or _weight(effect) > _weight(before):
                        worst[effect.table] = effect
    ordered = sorted(worst.values(), key=lambda one: (*(-n for n in _weight(one)), one.table))
    return [_held(effect, rehearsal.vendor) for effect in ordered]


def _held(effect: Effect, vendor: str) -> str:
    """Only PostgreSQL's locks have names that people know; of the others it says who waits."""
    work = WORK_WORDS[effect.work]
    if vendor == "postgresql":
        return f"holds {LOCK_WORDS[effect.lock]} on {effect.table} for {work}"
    if vendor == "sqlite":
        between = "on" if effect.work is Work.NONE else "of"
        return f"blocks every other writer for {work} {between} {effect.table}"
    what = "reads and writes of" if effect.lock is Lock.ALL else "writes to"
    return f"blocks {what} {effect.table} for {work}"


_ORDER = (Work.NONE, Work.ROWS, Work.SCAN, Work.INDEX, Work.REWRITE)


def _weight(effect: Effect) -> tuple[int, int]:
    return _ORDER.index(effect.work), int(effect.lock)


def _undo(rehearsal: Rehearsal) -> Iterator[str]:
    steps = [step for step in rehearsal.steps if step.outcome is not Outcome.FAILS]
    fails = [step.key for step in steps if step.undo is Outcome.FAILS]
    if fails:
        yield f"undo of {some(fails)} fails"
        return
    depends = [step.key for step in steps if step.undo_error]
    untried = [step.key for step in steps if step.complete and _is_untried(step)]
    if depends:
        yield f"whether undo of {some(depends)} works depends on the rows"
    elif rehearsal.same_after_undo is Outcome.FAILS:
        yield "undo leaves another schema than before"
    elif steps and all(step.undo is Outcome.WORKS for step in rehearsal.steps):
        yield "undo works"
    if untried:
        yield f"whether undo of {some(untried)} works is not known"


def _is_untried(step: RehearsedStep) -> bool:
    """Whether nothing else says why it is not known if it can be undone."""
    return step.undo is Outcome.UNKNOWN and not step.undo_error and not step.skipped


def _unknown(rehearsal: Rehearsal) -> Iterator[str]:
    left_out = [step.key for step in rehearsal.steps if step.skipped]
    if left_out:
        yield f"Python was left out of {some(left_out)}"
    blind = [step.key for step in rehearsal.steps if step.blind]
    if blind:
        yield f"what {some(blind)} {'locks' if len(blind) == 1 else 'lock'} could not be measured"
    missing = sum(_is_unreached(step) for step in rehearsal.steps)
    if missing:
        yield f"{missing} of {len(rehearsal.steps)} steps were not reached"


def _is_unreached(step: RehearsedStep) -> bool:
    return step.outcome is Outcome.UNKNOWN and not step.complete and not step.error


def _few(found: list[str], what: str) -> list[str]:
    if len(found) <= AT_MOST:
        return found
    return [*found[:AT_MOST], f"{len(found) - AT_MOST} more {what} likewise"]


def some(words: Sequence[str], most: int = AT_MOST) -> str:
    """``a, b and c``; beyond ``most`` how many more: a plan may have hundreds."""
    left = len(words) - most
    return _listed([*words[:most], f"{left} more"] if left > 0 else words)


def _listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
