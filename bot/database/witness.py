"""Notes what is seen of each operation while a plan's steps are previewed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.database.deeds import DEEDS, kind_of
from bot.database.facts import FactsReader
from bot.database.targets import describe_error
from bot.route.plan import Belief, Statement
from bot.route.risks.facts import Deed, OperationFacts

_TOLD_UNSENT = (Deed.ADD_RULE, Deed.ADD_INDEX)
"""A rule that the database makes nothing of is a finding; others that send nothing do nothing."""
_CONCURRENT = ("AddIndexConcurrently", "RemoveIndexConcurrently")


@dataclass
class Leaf:
    """One operation, those inside SeparateDatabaseAndState one by one, while its step is made."""

    facts: OperationFacts
    statements: list[Statement] = field(default_factory=list)
    deferred: list[Statement] = field(default_factory=list)

    def finished(self) -> OperationFacts:
        """With all its statements. What could not be previewed, or is Python, has another deed."""
        deed, note = self._deed()
        if deed is self.facts.deed and not self.deferred:
            return self.facts
        return replace(self.facts, deed=deed, note=note, deferred=_texts(self.deferred))

    def _deed(self) -> tuple[Deed, str]:
        for one in self.statements:
            if one.belief is Belief.HIDDEN:
                return Deed.UNKNOWN, one.note
            if one.belief is Belief.PYTHON:
                return Deed.PYTHON, one.note.removesuffix(_NOT_RUN)
        if self.facts.deed is Deed.PYTHON:  # noop, or another database's.
            return Deed.NOTHING, self.facts.note
        return self.facts.deed, self.facts.note


_NOT_RUN = " It is not run for a plan."


class Witness:
    """Notes what a previewer sees of each operation. ``leaves`` are those of the step at hand."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.place = 0
        self.leaves: list[Leaf] = []
        self._owners: dict[int, Leaf] = {}

    def begin_step(self) -> None:
        self.place, self.leaves, self._owners = 0, [], {}

    def note(self, editor: Any, facts: OperationFacts, statements: list[Statement]) -> None:
        """An operation was previewed: ``facts`` are what ``look`` gave."""
        self.leaves.append(Leaf(facts=facts, statements=list(statements)))
        leaf = self.leaves[-1]
        for kept_back in editor.deferred_sql:
            self._owners.setdefault(id(kept_back), leaf)

    def note_deferred(self, kept_back: Any, statements: list[Statement]) -> None:
        """A statement that was kept back until the end of the step."""
        leaf = self._owners.get(id(kept_back))
        if leaf is None and self.leaves:
            leaf = self.leaves[-1]
        if leaf is not None:
            leaf.deferred += statements

    def finish_step(self) -> tuple[OperationFacts, ...]:
        return tuple(leaf.finished() for leaf in self.leaves)

    def look(
        self,
        app_label: str,
        operation: Any,
        states: tuple[Any, Any] | None,
        backwards: bool,
        *,
        statements: Sequence[Statement],
        kept_back: bool = False,
    ) -> OperationFacts:
        """The operation, without statements that are kept back until the end of its step, which
        ``kept_back`` says there are. ``states`` are those before and after it in the direction of
        the plan, None when its code was not called."""
        kind = kind_of(operation)
        deed = DEEDS[kind][backwards] if kind in DEEDS else Deed.UNKNOWN
        known: dict[str, Any] = {
            "place": self.place,
            "kind": type(operation).__name__,
            "app": app_label,
            "concurrently": kind in _CONCURRENT,
            "statements": _texts(statements),
        }
        if states is None or deed in (Deed.UNKNOWN, Deed.NOTHING, Deed.INSTALL, Deed.SQL):
            return OperationFacts(deed=deed, **known)
        if not (statements or kept_back) and deed not in _TOLD_UNSENT:
            return OperationFacts(deed=Deed.NOTHING, **known)
        try:
            return FactsReader(self.connection, app_label, operation, states).read(deed, known)
        except Exception as error:  # noqa: BLE001 Fields and constraints are anybody's code.
            note = f"Its fields could not be examined: {describe_error(error)}."
            return OperationFacts(deed=Deed.UNKNOWN, note=note, **known)


def _texts(statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(one.sql for one in statements if one.sql.strip())
