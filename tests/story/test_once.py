"""Once: whatever is delivered twice, lost, or done by two machines at the same time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.story.conftest import SiteFactory
from tests.story.site import WAIT

pytestmark = pytest.mark.slow


def test_eight_wakes_and_two_machines_give_one_execution(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, then=WAIT)
    site.worker()
    site.worker()
    run = site.requested()
    site.ask("wake", run=run, times=4)
    site.ask("approve", run=run)
    site.ask("wake", run=run, times=4)
    site.in_the_second_step(run)
    second = site.approved("shop 0003")
    assert site.ask("show", run=second)["state"] == "approved", "one at a time: it is not queued"
    site.go()
    site.until(run, "succeeded")
    site.wait(lambda: site.ask("waiting", also="RUNNING") == 0, "every wake")
    assert site.items() == 1
    events = site.ask("events", run=run)
    assert events.count("run.started") == events.count("run.succeeded") == 1
    assert site.ask("show", run=run)["fence"] == 1
    late = site.until(second, "stale", "succeeded", "failed")
    assert late["state"] == "stale"
    assert late["stale_because"] == [
        "shop.0002_rows was approved, but is not pending now.",
        "shop.0003_price was approved, but is not pending now.",
    ]
    assert site.items() == 1


def test_a_run_whose_wake_was_lost_is_started_by_the_clock(new_site: SiteFactory) -> None:
    site = new_site("sqlite")
    first = site.worker()
    run = site.requested()
    first.terminate()
    assert first.wait(60) == 0
    site.ask("approve", run=run)
    assert site.ask("lose_wakes")
    site.worker()
    site.until(run, "succeeded")


def test_a_run_for_later_waits_for_its_time(new_site: SiteFactory) -> None:
    site = new_site("sqlite")
    site.worker()
    after = datetime.now(UTC) + timedelta(seconds=6)
    run = site.approved(after=after.isoformat())
    assert site.ask("show", run=run)["state"] == "approved"
    done = site.until(run, "succeeded", "failed")
    assert done["state"] == "succeeded"
    assert datetime.fromisoformat(done["started_at"]) >= after
