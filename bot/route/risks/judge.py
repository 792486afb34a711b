"""Goes over a plan's steps in order and asks every rule about every operation."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from types import ModuleType

from bot.route.findings import Finding
from bot.route.risks import rules as rules_package
from bot.route.risks.facts import (
    Case,
    Effect,
    Lock,
    Situation,
    StepCase,
    StepFacts,
    Work,
)
from bot.route.risks.reading import Action, Verb, actions
from bot.route.risks.vendors import effects_of
from bot.route.risks.vendors.sqlite import NEW


@cache
def rules() -> tuple[ModuleType, ...]:
    """Every rule: each module of ``bot.route.risks.rules``, by its code. A rule has ``CODE`` and
    ``look(case)``, or ``look_at_step(step_case)``, which yield findings."""
    names = [found.name for found in pkgutil.iter_modules(rules_package.__path__)]
    found = [import_module(f"{rules_package.__name__}.{name}") for name in sorted(names)]
    return tuple(sorted(found, key=lambda rule: str(rule.CODE)))


def codes() -> tuple[str, ...]:
    """The codes that findings of these rules have."""
    return tuple(str(rule.CODE) for rule in rules())


def judge(steps: Sequence[StepFacts], situation: Situation) -> list[tuple[Finding, ...]]:
    """The findings of each step, the worst first. No finding means: examined and harmless."""
    walk = _Walk(situation=situation)
    return [walk.step(step) for step in steps]


def cases_of(steps: Sequence[StepFacts], situation: Situation) -> list[Case]:
    """What the rules are shown of each operation, in order; tests and rehearsals compare these."""
    walk = _Walk(situation=situation)
    return [case for step in steps for case in walk.cases(step)]


@dataclass
class _Walk:
    """What has become of tables and names so far in the plan."""

    situation: Situation
    fresh: set[str] = field(default_factory=set)
    was: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.taken |= self.situation.names

    def step(self, step: StepFacts) -> tuple[Finding, ...]:
        cases = self.cases(step)
        found: list[Finding] = []
        for rule in rules():
            look = getattr(rule, "look", None)
            if look is not None:
                found += [finding for case in cases for finding in look(case)]
            look = getattr(rule, "look_at_step", None)
            if look is not None:
                whole = StepCase(step=step, cases=tuple(cases), situation=self.situation)
                found += look(whole)
        return tuple(sorted(_once(found), key=lambda f: (-f.level.rank, f.operation or 0)))

    def cases(self, step: StepFacts) -> list[Case]:
        held: list[Effect] = []
        cases = []
        for facts in step.operations:
            effects = effects_of(facts, self.situation)
            read = [action for sql in facts.all_statements for action in actions(sql)]
            made = _made(read)
            fresh = frozenset(self.fresh | made)
            mine = tuple(
                _without_fresh_work(effect, fresh)
                for effect in effects
                if effect.table not in fresh
            )
            if step.atomic:
                mine = _raised(mine, held)
            cases.append(
                Case(
                    step=step,
                    facts=facts,
                    effects=mine,
                    situation=self.situation,
                    fresh=fresh,
                    held=tuple(held) if step.atomic else (),
                    was=dict(self.was),
                    taken=frozenset(self.taken),
                )
            )
            held += [effect for effect in mine if effect.lock >= Lock.SHARE]
            self.fresh |= made
            for action in read:
                self._follow(action)
        return cases

    def _follow(self, action: Action) -> None:
        if action.verb is Verb.RENAME_TABLE and not action.table.startswith(NEW):
            if action.table in self.fresh:
                self.fresh.discard(action.table)
                self.fresh.add(action.to)
            self.was[action.to] = self.was.pop(action.table, action.table)
        elif action.verb is Verb.INSERT and action.to and not action.table.startswith(NEW):
            self.was.setdefault(action.table, self.was.get(action.to, action.to))
        elif action.verb is Verb.DROP_TABLE:
            self.fresh.discard(action.table)
        elif action.verb in (Verb.CREATE_INDEX, Verb.ADD_UNIQUE, Verb.ADD_CHECK) and action.name:
            self.taken.add(action.name)
        elif action.verb in (Verb.DROP_INDEX, Verb.DROP_CONSTRAINT):
            self.taken.discard(action.name)


def _made(read: list[Action]) -> set[str]:
    """Tables that are made and stay empty: one that old rows are copied into is no fresh one."""
    filled = {action.table for action in read if action.verb is Verb.INSERT and action.to}
    return {
        action.table
        for action in read
        if action.verb is Verb.CREATE_TABLE
        and not action.table.startswith(NEW)
        and action.table not in filled
        and not action.to
    }


def _without_fresh_work(effect: Effect, fresh: frozenset[str]) -> Effect:
    """A parent waits no time for a table that the plan makes: it is empty, or the plan's own."""
    return replace(effect, work=Work.NONE) if effect.over in fresh else effect


def _raised(effects: Iterable[Effect], held: Iterable[Effect]) -> tuple[Effect, ...]:
    """Work on a table whose lock of before is still held goes on under the stronger one."""
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


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, though several operations of a step give the same."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for one in found:
        kept.setdefault((one.code, one.table, one.because), one)
    return list(kept.values())
