"""Goes over a plan's steps in order and keeps book of what has become of tables, columns and names:
each operation in its place is what the rules are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from bot.route.data_checks import by_operation
from bot.route.rehearsal import RehearsedStep
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Case, Deed, OperationFacts, Rate, Situation, StepCase, StepFacts
from bot.route.risks.filling import filled_after, made_empty, remade, without
from bot.route.risks.measured import as_sent, effects_measured, was_measured
from bot.route.risks.reading import Action, Verb
from bot.route.risks.vendors import effects_of
from bot.route.risks.vendors.postgresql import in_its_time_zone
from bot.route.risks.vendors.sqlite import NEW


def walk(
    steps: Sequence[StepFacts],
    situation: Situation,
    rehearsed: Mapping[str, RehearsedStep] = MappingProxyType({}),
) -> list[StepCase]:
    """Every step with its operations in their place.

    ``rehearsed`` has steps by their key: what was measured there stands in place of what is
    predicted, operation by operation; what was not stays predicted.
    """
    # Only a table that is made can be there already, and to look may cost a question.
    makes = any(Verb.CREATE_TABLE in one.verbs for step in steps for one in step.operations)
    there = frozenset(situation.sizes) if makes else frozenset()
    walker = _Walker(situation=situation, rehearsed=rehearsed, there=there)
    return [walker.step(step) for step in steps]


def with_rates(walked: Sequence[StepCase], rates: Mapping[str, Rate]) -> list[StepCase]:
    """The same, where it is known what earlier runs took."""
    if not rates:
        return list(walked)

    def told(situation: Situation) -> Situation:
        return replace(situation, rates=rates)

    return [
        replace(
            step,
            situation=told(step.situation),
            cases=tuple(replace(case, situation=told(case.situation)) for case in step.cases),
        )
        for step in walked
    ]


@dataclass
class _Walker:
    """What has become of tables and names so far in the plan. What the rules are shown is replaced
    and never changed: most operations change nothing of it, and share it."""

    situation: Situation
    rehearsed: Mapping[str, RehearsedStep]
    fresh: frozenset[str] = frozenset()
    filled: Mapping[str, str] = field(default_factory=dict)
    was: Mapping[str, str] = field(default_factory=dict)
    taken: frozenset[str] = frozenset()
    made: set[str] = field(default_factory=set)
    """All tables that the plan makes, also those into which it then copies rows of others."""
    columns: frozenset[tuple[str, str]] = frozenset()
    there: frozenset[str] = frozenset()
    unproven: dict[tuple[str, str], str] = field(default_factory=dict)
    """Columns of which a CHECK that the plan adds says IS NOT NULL, by its table and name."""

    def __post_init__(self) -> None:
        self.taken = self.situation.names
        self.answers = by_operation(self.situation.data)

    def step(self, step: StepFacts) -> StepCase:
        rehearsed = self.rehearsed.get(step.key)
        held: list[Effect] = []
        cases = []
        leaves: dict[int, int] = {}
        views = _views(step)
        for facts in step.operations:
            leaf = leaves.get(facts.place, 0)
            leaves[facts.place] = leaf + 1
            anew: set[str] = set()
            if Verb.CREATE_TABLE in facts.verbs:
                made, anew = made_empty(facts.actions), remade(facts.actions)
                self.fresh |= made
                self.filled = without(self.filled, made)
            effects = self._effects(step, facts, leaf, held)
            cases.append(
                Case(
                    step=step,
                    facts=facts,
                    effects=effects,
                    situation=self.situation,
                    fresh=self.fresh,
                    filled=self.filled,
                    own_work=self._own_work(facts),
                    held=tuple(held) if step.atomic else (),
                    was=self.was,
                    new_columns=self.columns,
                    taken=self.taken,
                    there=self.there,
                    views=views,
                    rehearsed=rehearsed,
                    answers=self.answers.get((step.key, facts.place), ()),
                )
            )
            held += [effect for effect in effects if effect.lock >= Lock.SHARE]
            if facts.deed in (Deed.PYTHON, Deed.UNKNOWN):
                self.there = frozenset()  # It may make and drop what it likes.
            self.filled = filled_after(step.key, facts, self.fresh, self.filled)
            for action in facts.actions:
                if not (action.verb is Verb.DROP_TABLE and action.table in anew):
                    self._follow(action)
                self._follow_columns(action)
                self._follow_catalogue(action)
        return StepCase(
            step=step, cases=tuple(cases), situation=self.situation, rehearsed=rehearsed
        )

    def _effects(
        self, step: StepFacts, facts: OperationFacts, leaf: int, held: Sequence[Effect]
    ) -> tuple[Effect, ...]:
        """What the operation does to tables that were there before the plan."""
        rehearsed = self.rehearsed.get(step.key)
        sent = facts if rehearsed is None else as_sent(facts, leaf, rehearsed)
        mine = self._on_old_tables(sent)
        if rehearsed is not None and was_measured(facts, leaf, rehearsed):
            return effects_measured(
                facts,
                leaf,
                rehearsed,
                predicted=mine,
                held=_strongest(held) if step.atomic else {},
                now={before: name for name, before in self.was.items()},
                one_transaction=step.atomic,
            )
        if mine and not step.atomic and facts.deed is Deed.SQL:
            return self._string_by_string(sent)
        return _raised(mine, held) if step.atomic and mine else mine

    def _string_by_string(self, facts: OperationFacts) -> tuple[Effect, ...]:
        """Without a transaction of its own PostgreSQL makes one of each string that it is sent."""
        if self.situation.vendor != "postgresql":
            return self._on_old_tables(facts)
        found: list[Effect] = []
        for sql in facts.all_statements:
            alone = replace(facts, statements=(sql,), deferred=())
            found += _raised(self._on_old_tables(alone), ())
        return tuple(found)

    def _on_old_tables(self, facts: OperationFacts) -> tuple[Effect, ...]:
        effects = effects_of(facts, self.situation)
        if not self.fresh:
            return tuple(effects)
        empty = self.fresh - self.filled.keys()
        return tuple(
            _without_fresh_work(one, empty) for one in effects if one.table not in self.fresh
        )

    def _own_work(self, facts: OperationFacts) -> tuple[Effect, ...]:
        """Work over tables of the plan that may have rows by now."""
        if not self.filled:
            return ()
        found = effects_of(facts, self.situation)
        return tuple(one for one in found if one.grows and one.table in self.filled)

    def _follow(self, action: Action) -> None:
        if action.verb is Verb.RENAME_TABLE and not action.table.startswith(NEW):
            if action.table in self.fresh:
                self.fresh = self.fresh - {action.table} | {action.to}
            was = dict(self.was)
            was[action.to] = was.pop(action.table, action.table)
            self.was = was
        elif action.verb is Verb.CREATE_TABLE:
            self.made.add(action.table)
        elif action.verb is Verb.INSERT and action.to and not action.table.startswith(NEW):
            if action.table in self.made:  # It is as large as the other; else it has its own size.
                self.fresh -= {action.table}
                self.filled = without(self.filled, {action.table})
                self.was = {action.table: self.was.get(action.to, action.to), **self.was}
        elif action.verb is Verb.DROP_TABLE:
            self.fresh -= {action.table}
            self.filled = without(self.filled, {action.table})
        elif action.verb in (Verb.CREATE_INDEX, Verb.ADD_UNIQUE, Verb.ADD_CHECK) and action.name:
            self.taken |= {action.name}
        elif action.verb in (Verb.DROP_INDEX, Verb.DROP_CONSTRAINT):
            self.taken -= {action.name}

    def _follow_columns(self, action: Action) -> None:
        """What columns the plan adds, and of which it has proved that they hold no NULL."""
        at = (action.table, action.name)
        if action.verb is Verb.ADD_COLUMN and action.table not in self.fresh:
            self.columns |= {at}
        elif action.verb is Verb.DROP_COLUMN:
            self.columns -= {at}
        elif action.verb is Verb.RENAME_COLUMN and at in self.columns:
            self.columns = self.columns - {at} | {(action.table, action.to)}
        elif action.verb is Verb.ADD_CHECK and (column := _never_null(action.rest)):
            self.unproven[at] = column
            if not action.not_valid:
                self._proved(action.table, column)
        elif action.verb is Verb.VALIDATE and at in self.unproven:
            self._proved(action.table, self.unproven[at])
        elif action.verb is Verb.DROP_CONSTRAINT:
            self._unproved(action.table, self.unproven.pop(at, ""))

    def _follow_catalogue(self, action: Action) -> None:
        """Which tables are known to be there, and of which columns the catalogue still tells."""
        self.situation = in_its_time_zone(action, self.situation)
        if action.verb is Verb.UNKNOWN:
            self.there = frozenset()
        elif action.verb is Verb.CREATE_TABLE:
            self.there |= {action.table}
        elif action.verb in (Verb.DROP_TABLE, Verb.RENAME_TABLE):
            self.there = (self.there - {action.table}) | ({action.to} if action.to else set())
        known = self.situation.known
        if action.verb in _CHANGES_COLUMN:
            known = known.without_column(action.table, action.name)
            known = known.without_column(action.table, action.to) if action.to else known
        elif action.verb in (Verb.DROP_TABLE, Verb.RENAME_TABLE):
            known = known.without_column(action.table).without_column(action.to)
        if known is not self.situation.known:
            self.situation = replace(self.situation, known=known)

    def _proved(self, table: str, column: str) -> None:
        known = self.situation.checked_not_null | {(table, column)}
        self.situation = replace(self.situation, checked_not_null=known)

    def _unproved(self, table: str, column: str) -> None:
        """A constraint is gone that said so of ``column``, or one that was there before the plan
        and may have said it of any."""
        known = self.situation.checked_not_null
        ours = {(of, never_null) for (of, _), never_null in self.unproven.items()}
        gone = {(table, column)} if column else {one for one in known if one[0] == table} - ours
        if gone:
            self.situation = replace(self.situation, checked_not_null=known - gone)


_CHANGES_COLUMN = {Verb.ADD_COLUMN, Verb.DROP_COLUMN, Verb.RENAME_COLUMN, Verb.ALTER_TYPE}
_VIEW_OF_ALL = re.compile(r"^create view \S+ as select \* from \S+$")


def _views(step: StepFacts) -> frozenset[str]:
    """Views of all columns of a table that one transaction makes."""
    if not step.atomic:
        return frozenset()
    making = (one for one in step.operations if Verb.CREATE_VIEW in one.verbs)
    read = (action for one in making for action in one.actions)
    return frozenset(
        one.table for one in read if one.verb is Verb.CREATE_VIEW and _VIEW_OF_ALL.match(one.rest)
    )


def _never_null(check: str) -> str:
    """The column of which a CHECK, in lower case, says IS NOT NULL and nothing else."""
    found = re.fullmatch(r"\(+\"?([a-z_]\w*)\"? is not null\)+(?: not valid)?", check)
    return found[1] if found else ""


def _without_fresh_work(effect: Effect, empty: frozenset[str]) -> Effect:
    """A parent waits no time for a table that the plan makes, as long as nothing fills it."""
    return replace(effect, work=Work.NONE) if effect.over in empty else effect


def _raised(effects: tuple[Effect, ...], held: Iterable[Effect]) -> tuple[Effect, ...]:
    """Work on a table whose lock of before is still held goes on under the stronger one."""
    if not any(effect.grows for effect in effects):
        return effects
    earlier = _strongest(held)
    now = dict(earlier)
    found = []
    for effect in effects:
        lock = now.get(effect.table, Lock.NONE)
        if lock > effect.lock and effect.grows:
            raised = earlier.get(effect.table, Lock.NONE) > effect.lock
            found.append(replace(effect, lock=lock, raised=raised))
        else:
            found.append(effect)
        if effect.lock >= Lock.SHARE:
            now[effect.table] = max(lock, effect.lock)
    return tuple(found)


def _strongest(effects: Iterable[Effect]) -> dict[str, Lock]:
    found: dict[str, Lock] = {}
    for effect in effects:
        found[effect.table] = max(effect.lock, found.get(effect.table, Lock.NONE))
    return found
