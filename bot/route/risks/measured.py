"""What a rehearsal measured of one operation, in place of what was predicted of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from bot.route.rehearsal import Outcome, RehearsedStep
from bot.route.risks.changes import needs_a_value
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Deed, OperationFacts
from bot.route.risks.reading import actions
from bot.route.risks.words import LOCKED, QUERY


def was_measured(facts: OperationFacts, leaf: int, rehearsed: RehearsedStep | None) -> bool:
    """Whether every statement that was predicted of the operation was seen: all that is left out,
    not reached or blind keeps its predictions."""
    if rehearsed is None or rehearsed.blind:
        return False
    sent = any((one.operation, one.leaf) == (facts.place, leaf) for one in rehearsed.measured)
    return sent and not _broke_here(facts, leaf, rehearsed)


def _broke_here(facts: OperationFacts, leaf: int, rehearsed: RehearsedStep) -> bool:
    """Whether the step failed in this operation, so that the rest of it was never sent."""
    last = rehearsed.measured[-1]
    return not rehearsed.complete and (last.operation, last.leaf) == (facts.place, leaf)


def as_sent(facts: OperationFacts, leaf: int, rehearsed: RehearsedStep) -> OperationFacts:
    """Python as the SQL that it sent in the rehearsal, which can be read like any other."""
    if facts.deed is not Deed.PYTHON:
        return facts
    sent = [one for one in rehearsed.measured if (one.operation, one.leaf) == (facts.place, leaf)]
    return replace(facts, deed=Deed.SQL, statements=tuple(one.sql for one in sent))


def _loops(facts: OperationFacts, leaf: int, rehearsed: RehearsedStep) -> set[str]:
    """Tables that Python writes row by row, or some rows at a time, by their keys: all of them for
    all it says. The keys in SQL by hand are those that it says."""
    if facts.deed is not Deed.PYTHON:
        return set()
    named: Counter[str] = Counter()
    for sql in as_sent(facts, leaf, rehearsed).statements:
        for action in actions(sql):
            if action.by_key:
                listed = _KEYS.search(action.rest)
                named[action.table] += listed[1].count(",") + 1 if listed else 1
    return {table for table, times in named.items() if times > 1}


_KEYS = re.compile(r"\bid\"? in \(([^)]*)\)")


def effects_measured(
    facts: OperationFacts,
    leaf: int,
    rehearsed: RehearsedStep,
    *,
    predicted: Iterable[Effect],
    held: Mapping[str, Lock],
    now: Mapping[str, str],
    one_transaction: bool,
) -> tuple[Effect, ...]:
    """The effects of one operation, tables under the names that they have ``now``.

    A lock that an earlier operation of the same transaction ``held`` already cannot be seen to be
    taken again: there the prediction stands, without the work that was not seen. Whether a
    statement writes or copies all rows or some, two made-up rows do not tell: its text does.
    What fails as soon as there are rows reads no more than the first of them.
    """
    predicted = list(predicted)
    loops = _loops(facts, leaf, rehearsed) if one_transaction else set()
    found: _Found = {}
    for statement in rehearsed.measured:
        if (statement.operation, statement.leaf) != (facts.place, leaf):
            continue
        for effect in statement.effects:
            here = _of_its_query(_named_now(effect, now), predicted)
            raised = here.raised and held.get(here.table, Lock.NONE) >= here.lock
            here = replace(here, raised=raised)
            some = here.work is Work.ROWS and not _writes_all(here.table, predicted, loops)
            if some or (here.work is Work.SCAN and _stops_at_once(statement.sql, rehearsed)):
                here = replace(here, work=Work.NONE, raised=False)
            found[here] = None
    for effect in predicted:
        _let_stand(effect, found, held.get(effect.table, Lock.NONE))
    return tuple(_heaviest(list(found)))


_Found = dict[Effect, None]
"""Effects, each once, in the order in which they came."""


def _named_now(effect: Effect, now: Mapping[str, str]) -> Effect:
    return replace(
        effect, table=now.get(effect.table, effect.table), over=now.get(effect.over, effect.over)
    )


def _let_stand(predicted: Effect, found: _Found, held: Lock) -> None:
    """Add what a prediction says that could not be measured; ``held`` is the lock that an earlier
    operation had on its table already."""
    mine = [one for one in found if one.table == predicted.table]
    if predicted.words == LOCKED:
        found[predicted] = None
    elif predicted.grows and predicted.lock is Lock.NONE:
        found[replace(predicted, lock=held, raised=held is not Lock.NONE)] = None
    elif not mine and held >= predicted.lock:
        found[replace(predicted, work=Work.NONE, over="")] = None
    elif predicted.work is Work.ROWS and not any(one.grows for one in mine):
        # Two rows do not tell all of them from some.
        for one in mine:
            if one.lock is Lock.ROWS:
                del found[one]
                found[replace(one, work=Work.ROWS, words=predicted.words)] = None


def _stops_at_once(sql: str, rehearsed: RehearsedStep) -> bool:
    """Whether it was seen to run on an empty table alone, because it adds a column that every row
    needs a value for and none has."""
    fails = rehearsed.outcome is Outcome.FAILS and rehearsed.complete
    return fails and any(needs_a_value(action) for action in actions(sql))


def _of_its_query(effect: Effect, predicted: Iterable[Effect]) -> Effect:
    """A view that is filled anew takes as long as its query, however large it is itself."""
    for one in predicted:
        if (one.table, one.work) == (effect.table, effect.work) and one.over.startswith(QUERY):
            return replace(effect, over=one.over)
    return effect


def _writes_all(table: str, predicted: Iterable[Effect], loops: set[str]) -> bool:
    """Whether rows that were seen to be written may be all of a table: its text says so, or says
    nothing of the table (a trigger, a cascade, a block)."""
    mine = [one for one in predicted if one.table == table]
    return table in loops or not mine or any(one.work is Work.ROWS for one in mine)


def _heaviest(effects: Sequence[Effect]) -> list[Effect]:
    """Without the brief locks on a table that is locked as strongly for longer work."""
    return [
        one
        for one in effects
        if one.grows
        or not any(
            other.grows and other.table == one.table and other.lock >= one.lock for other in effects
        )
    ]
