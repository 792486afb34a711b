"""How far the rehearsal of a plan is, and what it found, in words that every face shares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.route.rehearsal import Outcome, Probe, Rehearsal, RehearsedStep
from bot.route.rehearsal_words import LOCK_WORDS, lead, some
from bot.route.risks.effects import Effect, Lock


class Stage(StrEnum):
    """Stored in JSON that programs read, so never renamed."""

    NONE = "none"
    WAITING = "waiting"
    REHEARSING = "rehearsing"
    MEASURED = "measured"
    NOT_REHEARSED = "not_rehearsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far the rehearsal of one fingerprint is.

    ``rehearsal`` is the newest that measured something, also while another is under way;
    ``because`` says why the newest measured nothing; ``progress`` is ``3 of 7: shop.0003``. ``at``
    is when it was asked for or, once it has ended, when that was.
    """

    stage: Stage = Stage.NONE
    progress: str = ""
    because: str = ""
    at: datetime | None = None
    rehearsal: Rehearsal | None = None

    @property
    def under_way(self) -> bool:
        """Whether there is something to wait for."""
        return self.stage in (Stage.WAITING, Stage.REHEARSING)

    @property
    def may_ask(self) -> bool:
        """Whether a face offers to rehearse. The operation judges it again."""
        return self.stage in (Stage.NONE, Stage.NOT_REHEARSED)


LISTED = 8
"""Tables that one sentence about a step names; a step may touch hundreds."""

UNKNOWN = Standing()
"""Of a plan that nobody has asked to rehearse."""


def standing_words(standing: Standing) -> str:
    """One line on it; empty while nobody has asked for one."""
    match standing.stage:
        case Stage.WAITING:
            return "Rehearsal: waiting for a worker."
        case Stage.REHEARSING:
            at = f", step {standing.progress}" if standing.progress else ""
            return f"Rehearsing on a copy of the schema{at}."
        case Stage.NOT_REHEARSED:
            return ended(f"Not rehearsed: {standing.because}")
        case Stage.MEASURED if standing.rehearsal is not None:
            return lead_words(standing.rehearsal)
    return ""


def lead_words(rehearsal: Rehearsal) -> str:
    """What it found, the worst first, as sentences."""
    return " ".join(ended(words) for words in lead(rehearsal))


def ended(words: str) -> str:
    """A sentence, whoever wrote its end."""
    words = words.rstrip()
    return words if words.endswith((".", "!", "?", "…")) else f"{words}."


def where_words(rehearsal: Rehearsal) -> str:
    """``In a throwaway PostgreSQL 15.19 cluster, its schema by pg_dump; 3.2 s.``"""
    parts = [f"In {rehearsal.where}"] if rehearsal.where else []
    parts += [f"its schema by {rehearsal.schema_from}"] if rehearsal.schema_from else []
    where = ", ".join(parts)
    took = f"{rehearsal.milliseconds / 1000:.1f} s"
    return f"{where}; {took}." if where else f"It took {took}."


def schema_words(rehearsal: Rehearsal) -> tuple[str, ...]:
    """What came of comparing schemas, as far as they were compared."""
    told = {
        Outcome.WORKS: "Undoing everything gave the schema of before.",
        Outcome.FAILS: "Undoing everything did not give the schema of before.",
    }
    again = {
        Outcome.WORKS: "Going forward again gave the same schema as the first time.",
        Outcome.FAILS: "Going forward again gave another schema than the first time.",
    }
    found = (told.get(rehearsal.same_after_undo), again.get(rehearsal.same_again))
    return tuple(words for words in found if words)


def step_words(step: RehearsedStep, vendor: str) -> tuple[str, ...]:
    """What was measured of one step, a sentence each: how it went, its locks, what the running
    release can no longer do, whether undo works, and what was left out."""
    return tuple(_step(step, vendor))


def _step(step: RehearsedStep, vendor: str) -> Iterator[str]:
    yield _outcome(step)
    if step.outcome is Outcome.FAILS and step.error_statement:
        yield ended(f"In the statement: {step.error_statement}")
    yield from _locks(step, vendor)
    if step.blind:
        yield "Its statements ran, but what they lock could not be measured."
    if step.outcome is Outcome.WORKS:
        yield from _running_release(step)
        yield _undo(step)
    yield from step.skipped


def _outcome(step: RehearsedStep) -> str:
    if step.outcome is Outcome.WORKS:
        return f"Ran in {step.milliseconds} ms."
    if step.outcome is Outcome.FAILS:
        return ended(f"Failed: {step.error or step.because or 'nobody said why'}")
    if step.error:
        because = f" {ended(step.because)}" if step.because else ""
        return f"{ended(f'It is not known whether it works: it raised {step.error}')}{because}"
    return ended(f"It was not run: {step.because}" if step.because else "It was not run")


def _locks(step: RehearsedStep, vendor: str) -> Iterator[str]:
    """The strongest lock on each table, and the work that is done under it."""
    strongest: dict[str, Effect] = {}
    for effect in (one for statement in step.measured for one in statement.effects):
        before = strongest.get(effect.table)
        if before is None or (effect.lock, effect.grows) > (before.lock, before.grows):
            strongest[effect.table] = effect
    found = sorted(strongest.values(), key=lambda effect: (-effect.lock, effect.table))
    locks = [_lock(effect, vendor) for effect in found if effect.lock is not Lock.NONE]
    if locks:
        yield f"Locks: {_several(locks)}."
    elif step.measured and not step.blind:
        yield "It locked no table that was there before the plan."


_POSTGRESQL = {lock: f"{words} on" for lock, words in LOCK_WORDS.items()}
_ELSEWHERE = {
    Lock.ROWS: "the rows it writes of",
    Lock.ONLINE: "others read and write",
    Lock.SHARE: "nobody else writes to",
    Lock.SHARE_ROW: "nobody else writes to",
    Lock.ALL: "nobody else reads or writes",
}


def _lock(effect: Effect, vendor: str) -> str:
    """``ACCESS EXCLUSIVE on shop_order while it is rewritten``; PostgreSQL's names on PostgreSQL
    alone."""
    names = _POSTGRESQL if vendor == "postgresql" else _ELSEWHERE
    how = f" while {effect.words}" if effect.words and effect.grows else ""
    return f"{names[effect.lock]} {effect.table}{how}"


def _running_release(step: RehearsedStep) -> Iterator[str]:
    broken = step.breaks()
    unknown = [probe for probe in step.probes if probe.outcome is Outcome.UNKNOWN]
    if broken:
        yield ended(f"The running release breaks: {_several(list(probe_words(broken)))}")
    elif any(probe.outcome is Outcome.WORKS for probe in step.probes):
        tried = "as far as it could be tried"
        works = "what it reads and writes was tried, and works"
        yield f"The running release goes on{f' {tried}' if unknown else f': {works}'}."
    if unknown:
        yield f"Not known of the running release: {some(_untried(step, unknown), LISTED)}."


def _untried(step: RehearsedStep, unknown: Iterable[Probe]) -> list[str]:
    """``shop_order``; where something of it could be tried, ``INSERT on shop_order``."""
    tried = {probe.table for probe in step.probes if probe.outcome is not Outcome.UNKNOWN}
    words = (f"{p.deed} on {p.table}" if p.table in tried else p.table for p in unknown)
    return list(dict.fromkeys(words))


def _several(words: list[str]) -> str:
    """One after the other, and how many more."""
    more = [f"and {len(words) - LISTED} more"] if len(words) > LISTED else []
    return "; ".join([*words[:LISTED], *more])


def probe_words(probes: Iterable[Probe]) -> Iterator[str]:
    """``SELECT and INSERT on shop_order fail (column "total" does not exist)``: for each table what
    it can no longer do, and the first error of them."""
    by_table: dict[str, list[Probe]] = {}
    for probe in probes:
        by_table.setdefault(probe.table, []).append(probe)
    for table, failed in by_table.items():
        deeds = list(dict.fromkeys(str(probe.deed) for probe in failed))
        listed = " and ".join([", ".join(deeds[:-1]), deeds[-1]] if len(deeds) > 1 else deeds)
        error = " ".join(failed[0].error.split())[:200]
        because = f" ({error})" if error else ""
        yield f"{listed} on {table} {'fail' if len(deeds) > 1 else 'fails'}{because}"


def _undo(step: RehearsedStep) -> str:
    why = step.undo_because or step.undo_error
    because = f": {why}" if why else ""
    return {
        Outcome.WORKS: "Undo works.",
        Outcome.FAILS: ended(f"Undo fails{because}"),
        Outcome.UNKNOWN: ended(f"Whether undo works is not known{because}"),
    }[step.undo]
