"""What a run records of how long work over a table took."""

from __future__ import annotations

from typing import Any

import pytest

from bot import operations
from bot.models import RecordedWork, Run
from bot.operations import reading, running
from bot.route.plan import Direction, GrowingWork
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db

INDEXED = GrowingWork(kind="index", table="shop_order", rows=40_000)


def started(**fields: Any) -> running.Claim:
    """A run of one step with these works, just begun."""
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    plan = a_plan(a_step(**fields))
    stored = operations.keep_plan(actor=acting(robin), plan=plan, now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    found = running.claim(run.pk, worker="w1", now=NOW)
    assert found is not None
    running.start(found[0], plan.basis, now=NOW)
    running.step_starting(found[0], "shop", "0002_more", now=NOW)
    return found[0]


def done(hold: running.Claim) -> None:
    running.step_done(hold, "shop", "0002_more", milliseconds=120, now=NOW)


def test_a_step_with_one_work_records_what_it_took_once_though_it_is_told_twice() -> None:
    hold = started(works=(INDEXED,))
    done(hold)
    done(hold)
    kept = RecordedWork.objects.get()
    assert (kept.vendor, kept.kind, kept.table) == ("sqlite", "index", "shop_order")
    assert (kept.rows, kept.milliseconds, kept.step) == (40_000, 120, "shop.0002_more")
    assert (kept.database, kept.run, kept.at) == ("default", hold.run, NOW)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"works": (INDEXED, INDEXED)},
        {"works": (INDEXED, GrowingWork(kind="unknown"))},
        {"works": (GrowingWork(kind="index", table="shop_order"),)},
        {"works": (INDEXED,), "direction": Direction.BACKWARD},
    ],
)
def test_a_step_whose_time_may_have_gone_elsewhere_records_nothing(fields: Any) -> None:
    done(started(**fields))
    assert not RecordedWork.objects.exists()


def test_a_step_that_waited_for_a_lock_records_nothing() -> None:
    hold = started(works=(INDEXED,))
    running.waiting(hold, ["pid 7 reads shop_order"], now=NOW)
    running.waiting(hold, [], now=NOW)
    done(hold)
    assert not RecordedWork.objects.exists()


def test_a_step_that_was_tried_again_records_nothing() -> None:
    hold = started(works=(INDEXED,))
    running.retrying(hold, "shop.0002_more", attempt=1, because="no lock", blockers=[], now=NOW)
    running.step_starting(hold, "shop", "0002_more", now=NOW)
    done(hold)
    assert not RecordedWork.objects.exists()


def test_what_is_kept_for_it_is_no_part_of_a_run_as_it_is_told() -> None:
    hold = started(works=(INDEXED,))
    running.waiting(hold, ["pid 7 reads shop_order"], now=NOW)
    (step,) = reading.run_as_json(Run.objects.get(pk=hold.run))["steps"]
    assert set(step) == {"app", "name", "direction", "state", "seconds", "started_at"}
