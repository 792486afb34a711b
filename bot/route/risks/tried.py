"""What the running release could and could not do when a step was rehearsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.route.findings import Evidence
from bot.route.rehearsal import Deed, Outcome, Probe
from bot.route.risks import types
from bot.route.risks.changes import demanded, dropped, renamed
from bot.route.risks.facts import Case, StepCase
from bot.route.risks.facts import Deed as Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A rehearsal's word on a table; UNKNOWN where there is none."""

    outcome: Outcome
    error: str = ""

    @property
    def evidence(self) -> Evidence:
        seen = self.outcome is not Outcome.UNKNOWN
        return Evidence.MEASURED if seen else Evidence.PREDICTED


def tried(case: Case, table: str, *deeds: Deed) -> Word:
    """What became of these deeds on a table. WORKS only where each was tried and does."""
    if case.rehearsed is None:
        return Word(outcome=Outcome.UNKNOWN)
    before = {change.to: change.table for change in renamed(case) if not change.column}
    name = before.get(table, table)
    name = case.was.get(name, name)
    probes = [one for one in case.rehearsed.probes if one.table == name and one.deed in deeds]
    for probe in probes:
        if probe.outcome is Outcome.FAILS:
            return Word(outcome=Outcome.FAILS, error=probe.error)
    works = {probe.deed for probe in probes if probe.outcome is Outcome.WORKS}
    unknown = any(probe.outcome is Outcome.UNKNOWN for probe in probes)
    whole = works == set(deeds) and not unknown
    return Word(outcome=Outcome.WORKS if whole else Outcome.UNKNOWN)


def unexplained(step: StepCase) -> Iterator[Probe]:
    """Breaks of the running release that no rule about what is dropped, renamed, demanded or
    narrowed speaks of."""
    if step.rehearsed is None:
        return
    told = {name for case in step.cases for name in _told_of(case)}
    for probe in step.rehearsed.breaks():
        if probe.table not in told and not any(name in probe.error for name in told):
            yield probe


def _told_of(case: Case) -> Iterator[str]:
    """Tables that a rule speaks of: what was seen to work in spite of it is told by none."""
    for changes, deed in (
        (dropped(case), Deed.SELECT),
        (renamed(case), Deed.SELECT),
        (demanded(case), Deed.INSERT),
    ):
        for change in changes:
            if tried(case, change.table, deed).outcome is not Outcome.WORKS:
                yield case.was.get(change.table, change.table)
    before, after = case.facts.before, case.facts.after
    if case.facts.deed is not Kind.ALTER_COLUMN or before is None or after is None:
        return
    if before.type and after.type and not types.fits(before.type, after.type):
        yield case.was.get(case.facts.table, case.facts.table)


def with_stop(text: str, limit: int = 200) -> str:
    """An error's words as the end of a sentence: with a full stop, and not too long."""
    text = text.strip().rstrip(".")
    return f"{text}." if len(text) < limit else f"{text[: limit - 3]}..."
