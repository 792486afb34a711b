"""What the catalogue shows of each operation of a step that was cut off. Pure; see ``traces``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.route.traces import (
    MUST_AGREE,
    UNSEEN,
    Change,
    Expected,
    Kind,
    Left,
    Look,
    Shown,
    Thing,
    Told,
)


class _Verdict(StrEnum):
    DONE = "done"
    NOT = "not done"
    BOTH = "like before and like afterwards"
    ODD = "neither"
    UNKNOWN = "not shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facet:
    """One aspect of one thing, or whether it is there at all, and what is shown of that."""

    thing: Thing
    verdict: _Verdict
    words: str
    invalid: bool = False


def tell(operations: Sequence[Expected], seen: Mapping[Thing, Look]) -> tuple[Told, ...]:
    """What ``seen`` shows of each operation. A thing that is not in ``seen`` was not looked at."""
    history = _history(operations)
    facets = [
        [
            facet
            for change in operation.changes
            if change.is_one
            for facet in _facets(history, at, change, seen)
        ]
        for at, operation in enumerate(operations)
    ]
    _add_spoiled(operations, history, seen, facets)
    places = _Places(operations, seen)
    told = [
        _summed_up(operation, found, lambda at=at: places.shown(at))  # type: ignore[misc]
        for at, (operation, found) in enumerate(zip(operations, facets, strict=True))
    ]
    return tuple(_in_order(operations, told))


def left(told: Sequence[Told], *, whole: bool = False) -> Left:
    """What is left of the step. ``whole``: it was one transaction, and a trace means all of it."""
    shown = {one.shown for one in told} - {Shown.NOTHING}
    if whole and len(shown) == 2 and Shown.HALF not in shown:
        shown.discard(Shown.UNTOLD)
    if shown <= {Shown.NOT_DONE}:
        return Left.NOTHING
    if shown == {Shown.DONE}:
        return Left.ALL
    parts = Shown.HALF in shown or shown >= {Shown.DONE, Shown.NOT_DONE}
    return Left.PART if parts else Left.UNTOLD


_History = Mapping[Thing, Sequence[tuple[int, Change]]]
"""What is to become of each thing, with the places of the operations that do it."""


def _history(operations: Sequence[Expected]) -> _History:
    found: dict[Thing, list[tuple[int, Change]]] = {}
    for place, operation in enumerate(operations):
        for change in operation.changes:
            found.setdefault(change.thing, []).append((place, change))
    return found


def _facets(
    history: _History, at: int, change: Change, seen: Mapping[Thing, Look]
) -> Iterator[_Facet]:
    """What is shown of one thing that the operation ``at`` changes."""
    thing = change.thing
    if thing not in seen:
        yield _Facet(thing=thing, verdict=_Verdict.UNKNOWN, words=f"{thing} is not looked at")
        return
    now = seen[thing]
    earlier, later = _looks(history, at, thing)
    if (change.before is None) != (change.after is None) or now is None:
        there = {look is not None for look in earlier}, {look is not None for look in later}
        words = f"{thing} is {'not ' if now is None else ''}there"
        yield _Facet(thing=thing, verdict=_verdict(now is not None, *there), words=words)
    elif change.before is not None and change.after is not None:
        for aspect in sorted({*change.before, *change.after}):
            if change.before.get(aspect) != change.after.get(aspect):
                yield _aspect(thing, aspect, now, earlier, later)
    if now is not None:
        yield from _disagreeing(thing, now, [*earlier, *later])


def _looks(history: _History, at: int, thing: Thing) -> tuple[list[Look], list[Look]]:
    """How the thing looks until the operation ``at``, and how from its end on."""
    earlier: list[Look] = []
    later: list[Look] = []
    for place, change in history[thing]:
        (earlier if place <= at else later).append(change.before)
        (earlier if place < at else later).append(change.after)
    return earlier, later


def _verdict(now: object, earlier: Collection[object], later: Collection[object]) -> _Verdict:
    if now in later:
        return _Verdict.BOTH if now in earlier else _Verdict.DONE
    return _Verdict.NOT if now in earlier else _Verdict.ODD


def _aspect(
    thing: Thing, aspect: str, now: Mapping[str, str], earlier: list[Look], later: list[Look]
) -> _Facet:
    if aspect.startswith(UNSEEN) or aspect not in now:
        words = f"the {aspect.lstrip(UNSEEN)} of {thing} does not show"
        return _Facet(thing=thing, verdict=_Verdict.UNKNOWN, words=words)
    before, after = (
        {look.get(aspect) for look in some if look is not None} for some in (earlier, later)
    )
    verdict = _verdict(now[aspect], before, after)
    if verdict is _Verdict.ODD and aspect not in MUST_AGREE:  # A name for it that we do not know.
        verdict = _Verdict.UNKNOWN
    return _Facet(thing=thing, verdict=verdict, words=f"{thing} is {now[aspect]}")


def _disagreeing(thing: Thing, now: Mapping[str, str], looks: list[Look]) -> Iterator[_Facet]:
    """Aspects that are as no moment of the step has them."""
    for aspect in sorted(MUST_AGREE & set(now)):
        known = {look[aspect] for look in looks if look is not None and aspect in look}
        if known and now[aspect] not in known:
            words = f"{thing} is there, but {now[aspect]}"
            invalid = aspect == "valid" and thing.kind is Kind.INDEX
            yield _Facet(thing=thing, verdict=_Verdict.ODD, words=words, invalid=invalid)


def _add_spoiled(
    operations: Sequence[Expected],
    history: _History,
    seen: Mapping[Thing, Look],
    facets: list[list[_Facet]],
) -> None:
    """What should stay as it is and does not: it counts for the first operation that is not done,
    since Django takes some things away for a while."""
    odd = {f.thing for one in facets for f in one if f.verdict is _Verdict.ODD}
    for thing, changes in history.items():
        if thing in odd or thing not in seen:
            continue
        places = [place for place, _ in changes]
        looks = [look for at in places for look in _looks(history, at, thing)[0]]
        looks += _looks(history, places[-1], thing)[1]
        if (seen[thing] is not None) in {look is not None for look in looks}:
            continue
        words = f"{thing} is {'gone' if seen[thing] is None else 'there'}"
        undone = (at for at in places if {f.verdict for f in facets[at]} != {_Verdict.DONE})
        at = next(undone, places[-1])
        facets[at].append(_Facet(thing=thing, verdict=_Verdict.ODD, words=words))


def _summed_up(
    operation: Expected, facets: list[_Facet], by_place: Callable[[], Shown | None]
) -> Told:
    verdicts = {facet.verdict for facet in facets}
    if _Verdict.ODD in verdicts or {_Verdict.DONE, _Verdict.NOT} <= verdicts:
        return Told(
            words=operation.words,
            shown=Shown.HALF,
            because="; ".join(_telling(facets)),
            invalid=tuple(dict.fromkeys(f.thing.name for f in facets if f.invalid)),
            once_dropped=_once_dropped(facets),
        )
    shown: Shown | None = None
    because = operation.hidden
    if not because and not facets:
        shown = Shown.NOTHING if operation.idle else None
        because = "" if operation.idle else "what it changes does not show in the catalogue"
    elif not because and _Verdict.UNKNOWN not in verdicts:
        decided = verdicts - {_Verdict.BOTH}
        shown = _SHOWN[decided.pop()] if decided else by_place()
    if shown is None and not because:
        unknown = [f for f in facets if f.verdict in (_Verdict.UNKNOWN, _Verdict.BOTH)]
        because = "; ".join(_telling(unknown))
    return Told(words=operation.words, shown=shown or Shown.UNTOLD, because=because)


_SHOWN = {_Verdict.DONE: Shown.DONE, _Verdict.NOT: Shown.NOT_DONE}


class _Places:
    """How many operations can be done, for all things to be as they are."""

    def __init__(self, operations: Sequence[Expected], seen: Mapping[Thing, Look]) -> None:
        self._all = len(operations)
        self._seen = seen
        self._possible: set[int] | None = None
        self._mentions: dict[Thing, list[tuple[int, Change]]] = {}
        for at, operation in enumerate(operations):
            for change in operation.changes:
                if change.is_one and change.thing in seen:
                    self._mentions.setdefault(change.thing, []).append((at, change))

    def shown(self, at: int) -> Shown | None:
        """What that says of the operation ``at``; None where it says nothing."""
        if self._possible is None:
            self._possible = {k for k in range(self._all + 1) if self._is_possible(k)}
        if not self._possible:
            return None
        if min(self._possible) > at:
            return Shown.DONE
        return Shown.NOT_DONE if max(self._possible) <= at else None

    def _is_possible(self, done: int) -> bool:
        return all(self._fits(done, thing) for thing in self._mentions)

    def _fits(self, done: int, thing: Thing) -> bool:
        mentions, now = self._mentions[thing], self._seen[thing]
        look = mentions[0][1].before
        for at, change in mentions:
            if at < done:
                look = change.after
        if look is None or now is None:
            return look is None and now is None
        looks = [each for _, change in mentions for each in (change.before, change.after)]
        return not any(
            look.get(aspect) != text and any(each and each.get(aspect) == text for each in looks)
            for aspect, text in now.items()
        )


def _once_dropped(facets: list[_Facet]) -> Shown | None:
    """What will be shown when the invalid index is gone; None when more than that is wrong."""
    rest = [facet for facet in facets if not facet.invalid]
    if len(rest) == len(facets):
        return None
    dropped = {facet.thing for facet in facets if facet.invalid}
    if {facet.thing for facet in rest} != dropped:
        return None
    verdicts = {facet.verdict for facet in rest}
    if verdicts == {_Verdict.DONE}:
        return Shown.NOT_DONE
    return Shown.DONE if verdicts == {_Verdict.NOT} else None


def _telling(facets: list[_Facet]) -> list[str]:
    """The facets in words, without what other words say already."""
    tables = {f.thing.table: f.verdict for f in facets if f.thing.kind is Kind.TABLE}
    odd = {f.thing for f in facets if f.verdict is _Verdict.ODD}
    said = dict.fromkeys(
        facet.words
        for facet in facets
        if (facet.thing.kind is Kind.TABLE or tables.get(facet.thing.table) is not facet.verdict)
        and (facet.thing not in odd or facet.verdict is not _Verdict.DONE)
    )
    return list(said)


def _in_order(operations: Sequence[Expected], told: list[Told]) -> Iterator[Told]:
    """Operations run one after the other: what comes after one that is not done had not begun."""
    undone = next((at for at, one in enumerate(told) if one.shown is Shown.NOT_DONE), len(told))
    orderly = all(one.shown not in (Shown.DONE, Shown.HALF) for one in told[undone:])
    last_done = max((at for at, one in enumerate(told) if one.shown is Shown.DONE), default=-1)
    for at, one in enumerate(told):
        if one.shown is not Shown.UNTOLD:
            yield one
        elif at > undone and orderly:
            yield replace(one, shown=Shown.NOT_DONE, because="what comes before it is not done")
        elif at < last_done and operations[at].hidden:
            later = f"{one.because}; what comes after it is done, so it seems to have ended"
            yield replace(one, because=later)
        else:
            yield one
