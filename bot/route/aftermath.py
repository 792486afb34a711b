"""What a person reads of a step that was cut off: what is there, what is not, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from bot.route.telling import left
from bot.route.traces import Left, Shown, Told

LINE = 300
"""Characters of one operation's line."""
LINES = 20
"""Lines of operations."""
ALIKE = 3
"""More operations in a row that are alike than these share a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """One step that was cut off, and what is shown of its operations.

    ``whole``: it was one transaction. ``record`` is the command that makes the record say that it
    is done, empty where there is none; ``show`` the one that shows its SQL.
    """

    key: str
    backward: bool
    told: tuple[Told, ...]
    whole: bool = False
    record: str = ""
    show: str = ""

    @property
    def left(self) -> Left:
        return left(self.told, whole=self.whole)

    @property
    def headline(self) -> str:
        """The whole of it in a sentence."""
        done = "has been undone" if self.backward else "is in the database"
        match self.left:
            case Left.ALL:
                recorded = "still recorded" if self.backward else "not recorded"
                return f"All of {self.key} {done}, but it is {recorded} as applied."
            case Left.NOTHING:
                return f"Nothing of {self.key} {done}."
            case Left.PART:
                return f"Only a part of {self.key} {done}."
            case Left.UNTOLD:
                return f"Whether all of {self.key} {done} cannot be told from the catalogue alone."

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each operation, or for each few that are alike."""
        lines = list(_lines(self.told))
        if len(lines) > LINES:
            lines = [*lines[:LINES], f"- and {len(lines) - LINES} more"]
        return tuple(lines)

    @property
    def what_now(self) -> tuple[str, ...]:
        """What to do, a line each."""
        return tuple(self._what_now())

    def _what_now(self) -> Iterator[str]:
        now = self.left
        invalid = [name for one in self.told for name in one.invalid]
        if now is Left.NOTHING:
            yield "Ask for it again when what ended the process is mended."
        elif now is Left.ALL:
            yield self._recording("Make the record agree")
        elif invalid:
            for name in invalid:
                yield f'Drop the invalid index: DROP INDEX CONCURRENTLY IF EXISTS "{name}";'
            yield from self._after_dropping()
        else:
            yield from self._by_hand(now)

    def _after_dropping(self) -> Iterator[str]:
        told = tuple(
            replace(one, shown=one.once_dropped, invalid=()) if one.once_dropped else one
            for one in self.told
        )
        match left(told, whole=self.whole):
            case Left.NOTHING:
                yield f"Then nothing of {self.key} is left, and it can be asked for again."
            case Left.ALL:
                yield self._recording("Then make the record agree")
            case other:
                yield from self._by_hand(other)

    def _by_hand(self, now: Left) -> Iterator[str]:
        sql = f" (its SQL: {self.show})" if self.show else ""
        shown = {one.shown for one in self.told}
        if Shown.UNTOLD in shown:
            yield "Look by hand whether what cannot be told has done its work."
        if now is Left.UNTOLD and Shown.NOT_DONE in shown:
            yield "If nothing of it has, ask for it again."
        if shown <= {Shown.DONE, Shown.UNTOLD, Shown.NOTHING}:
            yield self._recording("If all of it has, make the record agree")
            yield "If it has not, finish it by hand first, or take back what is done and ask again."
            return
        yield f"Either send by hand what is not done{sql}."
        yield self._recording("Then make the record agree")
        yield "Or take back by hand what is done, and ask for it again."

    def _recording(self, what: str) -> str:
        if self.record:
            return f"{what}: {self.record}"
        row = "delete its row from" if self.backward else "add its row to"
        return f"{what}: {row} django_migrations."


def _lines(told: Sequence[Told]) -> Iterator[str]:
    for _, grouped in groupby(enumerate(told), key=_likeness):
        group = [one for _, one in grouped]
        if len(group) > ALIKE:
            first, last = (_short(one.words, LINE // 3) for one in (group[0], group[-1]))
            yield f"- {group[0].shown}: {len(group)} operations, from {first!r} to {last!r}"
        else:
            yield from (f"- {_short(one.line, LINE)}" for one in group)


def _likeness(numbered: tuple[int, Told]) -> object:
    """Operations that have nothing to add are alike; every other stands alone."""
    at, one = numbered
    return one.shown if not one.because else at


def _short(text: str, limit: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
