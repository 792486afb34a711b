"""A plan is rehearsed on a scratch database, and nothing of it is left."""

from __future__ import annotations

import pytest

from bot.route.findings import Evidence
from bot.route.rehearsal import Outcome
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp, migrate
from tests.database.planning import source
from tests.database.rehearsal.left import databases
from tests.database.rehearsal.shop import rehearsed
from tests.database.shop import BASE

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])


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
