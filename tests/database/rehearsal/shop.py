"""Migrations of the shop and rehearsals of them, for the tests of this folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from bot.database.rehearsal.rehearse import rehearse
from bot.route.plan import Plan, Target
from bot.route.rehearsal import Rehearsal, RehearsedStep
from bot.route.risks.effects import Effect
from tests.database.migrating import MadeUpApp, forget_migrations
from tests.database.planning import NOW, plan, source
from tests.database.shop import BASE


def write(shop: MadeUpApp, *steps: str, before: str = "", **options: str) -> None:
    """The base, with ``before`` in it, and one migration for each of ``steps``."""
    sources = {"0001_initial": source(BASE + before, head=options.get("head", ""))}
    last = "0001_initial"
    for number, operations in enumerate(steps, 2):
        name = f"{number:04}_step"
        sources[name] = source(operations, after=(("shop", last),), **options)
        last = name
    shop.write(sources)


def rehearsed(database: str, *words: str) -> Rehearsal:
    """A rehearsal of the plan by the code as it lies on disk now."""
    return with_plan(database, *words)[1]


def with_plan(database: str, *words: str) -> tuple[Plan, Rehearsal]:
    """The plan and its rehearsal, by the code as it lies on disk now."""
    made = plan(database, *words)
    forget_migrations()
    return made, rehearse(database, Target.parse(" ".join(words)), made.basis, now=NOW)


def effects(step: RehearsedStep) -> Mapping[str, tuple[Effect, ...]]:
    """What was measured of each table, without words."""
    found: dict[str, dict[Effect, None]] = {}
    for statement in step.measured:
        for effect in statement.effects:
            bare = dataclasses.replace(effect, words="", raised=False)
            found.setdefault(effect.table, {})[bare] = None
    return {table: tuple(these) for table, these in found.items()}
