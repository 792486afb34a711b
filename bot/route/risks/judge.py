"""Asks every rule about every operation of a plan."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType, ModuleType

from bot.route.findings import Finding
from bot.route.rehearsal import RehearsedStep
from bot.route.risks import rules as rules_package
from bot.route.risks.facts import Case, Situation, StepCase, StepFacts
from bot.route.risks.matters import matters_of
from bot.route.risks.walking import walk

_Look = Callable[[Case], Iterable[Finding]]
_LookAtStep = Callable[[StepCase], Iterable[Finding]]


@cache
def rules() -> tuple[ModuleType, ...]:
    """Every rule: each module of ``bot.route.risks.rules``, by its code. A rule has ``CODE`` and
    ``look(case)``, or ``look_at_step(step_case)``, which yield findings. Where it has ``ABOUT``, it
    has nothing to say of a step that holds none of that (``bot.route.risks.matters``)."""
    names = [found.name for found in pkgutil.iter_modules(rules_package.__path__)]
    found = [import_module(f"{rules_package.__name__}.{name}") for name in sorted(names)]
    return tuple(sorted(found, key=lambda rule: str(rule.CODE)))


def codes() -> tuple[str, ...]:
    """The codes that findings of these rules have."""
    return tuple(str(rule.CODE) for rule in rules())


def looks_of(asked: Iterable[ModuleType]) -> tuple[tuple[_Look, ...], tuple[_LookAtStep, ...]]:
    """What these rules look at operations with, and what at steps."""
    those = tuple(asked)
    at_cases = tuple(rule.look for rule in those if hasattr(rule, "look"))
    return at_cases, tuple(rule.look_at_step for rule in those if hasattr(rule, "look_at_step"))


@lru_cache(maxsize=512)
def _looks(matters: frozenset[str]) -> tuple[tuple[_Look, ...], tuple[_LookAtStep, ...]]:
    """Of the rules that may have something to say where there are these ``matters``."""
    return looks_of(
        rule for rule in rules() if not hasattr(rule, "ABOUT") or not matters.isdisjoint(rule.ABOUT)
    )


def judge(
    steps: Sequence[StepFacts],
    situation: Situation,
    rehearsed: Mapping[str, RehearsedStep] = MappingProxyType({}),
) -> list[tuple[Finding, ...]]:
    """The findings of each step, the worst first. No finding means: examined and harmless.
    ``rehearsed`` as for ``walk``."""
    return judge_walked(walk(steps, situation, rehearsed))


def judge_walked(walked: Iterable[StepCase]) -> list[tuple[Finding, ...]]:
    """The findings of each step of a plan that was gone over."""
    return [_of_step(step) for step in walked]


def _of_step(step: StepCase) -> tuple[Finding, ...]:
    at_cases, at_steps = _looks(matters_of(step))
    found: list[Finding] = []
    for look in at_cases:
        for case in step.cases:
            found += look(case)
    for look_at_step in at_steps:
        found += look_at_step(step)
    return tuple(sorted(_once(found), key=lambda f: (-f.level.rank, f.operation or 0)))


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Each finding once, though several operations of a step give the same."""
    kept: dict[tuple[str, str, str], Finding] = {}
    for one in found:
        kept.setdefault((one.code, one.table, one.because), one)
    return list(kept.values())
