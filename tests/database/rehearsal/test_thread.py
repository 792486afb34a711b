"""A plan is rehearsed on a scratch database, and nothing of it is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database.rehearsal.names import PREFIX, maker_of
from bot.database.rehearsal.rehearse import rehearse
from bot.route.findings import Evidence
from bot.route.plan import Target
from bot.route.rehearsal import Outcome, Rehearsal
from bot.route.risks.facts import Lock, Work
from tests.database.migrating import MadeUpApp, forget_migrations, installed, migrate
from tests.database.planning import NOW, plan, source
from tests.database.shop import BASE

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])


@pytest.fixture
def shop(
    tmp_path: Path,
    settings: Any,
    target: str,
    register_alias: Callable[[str, str], str],
    new_database: Callable[[str], str],
) -> Iterator[MadeUpApp]:
    register_alias("scratch", new_database("postgresql"))
    with installed(tmp_path, settings, "shop") as apps:
        settings.MIGRATION_BOT = {
            **settings.MIGRATION_BOT,
            "rehearsal_databases": {"target": "scratch"},
        }
        yield apps["shop"]


def rehearsed(database: str, *words: str) -> Rehearsal:
    made = plan(database, *words)
    forget_migrations()
    return rehearse(database, Target.parse(" ".join(words)), made.basis, now=NOW)


def databases(alias: str) -> set[str]:
    """Those that this process made: others may rehearse meanwhile."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
        names = {name for (name,) in cursor.fetchall()}
    return {name for name in names if (made := maker_of(name)) and made.pid == os.getpid()}


def test_locks_and_rewrites_are_measured_and_nothing_is_left(target: str, shop: MadeUpApp) -> None:
    shop.write(
        {
            "0001_initial": source(BASE),
            "0002_change": source(
                "migrations.AlterField('Item', 'count', models.BigIntegerField())",
                "migrations.AddIndex('Item', models.Index(fields=['must'], name='musts'))",
                after=(("shop", "0001_initial"),),
            ),
        }
    )
    migrate(target, "shop", "0001")
    before = databases("scratch")
    found = rehearsed(target, "shop")
    assert found.because == ""
    assert [step.outcome for step in found.steps] == [Outcome.WORKS]
    effects = {
        (one.operation, effect.table, effect.lock, effect.work, effect.evidence)
        for one in found.steps[0].measured
        for effect in one.effects
    }
    assert effects == {
        (0, "shop_item", Lock.ALL, Work.REWRITE, Evidence.MEASURED),
        (1, "shop_item", Lock.ALL, Work.INDEX, Evidence.MEASURED),
    }
    assert found.where.startswith("a scratch database on scratch (PostgreSQL ")
    assert databases("scratch") == before
