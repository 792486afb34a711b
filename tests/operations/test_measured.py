from __future__ import annotations

import pytest

from bot import operations
from bot.operations import rehearsing
from bot.operations.measured import measured_of, measured_plan, standing_of
from bot.route.findings import Risk
from bot.route.people import Actor
from bot.route.rehearsing import Stage
from tests.operations.rehearsals import RISKY, asked, made
from tests.plans import NOW, a_plan, a_rehearsal, a_step, measured

pytestmark = pytest.mark.django_db


def test_the_stored_plan_stays_as_it_was_and_everybody_reads_it_as_measured(robin: Actor) -> None:
    row = made(asked(robin), a_rehearsal(RISKY, measured(Risk.DANGEROUS)))
    stored = row.stored_plan
    stored.refresh_from_db()
    assert stored.plan == RISKY
    assert measured_plan(stored).risk is Risk.DANGEROUS
    assert [f.code for f in measured_plan(stored).all_findings] == ["measured_test"]
    assert measured_of(a_plan(a_step(name="0003_other"))).risk is Risk.SAFE


def test_the_newest_rehearsal_that_measured_something_speaks(robin: Actor) -> None:
    plan = made(asked(robin), a_rehearsal(RISKY, measured(Risk.DANGEROUS))).stored_plan
    later = NOW + rehearsing.FRESH
    again = operations.ask_for_rehearsal(plan.pk, actor=robin, now=later)
    assert measured_plan(plan).risk is Risk.DANGEROUS
    made(again, a_rehearsal(RISKY, because="No place."), later)
    assert measured_plan(plan).risk is Risk.DANGEROUS
    standing = standing_of(plan.fingerprint)
    assert (standing.stage, standing.because) == (Stage.NOT_REHEARSED, "No place.")
