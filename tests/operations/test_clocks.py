from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import override_settings

from bot import clock, operations
from bot.models import Run, Worker
from bot.moment import utc_now
from bot.operations import clocks, running
from bot.route.states import State
from bot.slack.doctor import machine_clocks
from tests.plans import NOW, a_plan, acting, an_account

pytestmark = pytest.mark.django_db

PAST_LEASE = NOW + timedelta(seconds=31)


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_a_machine_knows_how_far_its_clock_is_from_the_databases(target: str, hours: int) -> None:
    with override_settings(MIGRATION_BOT={"state_database": target}):
        ahead = clocks.ahead(clock=lambda: utc_now() + timedelta(hours=hours))
        if connections[target].vendor == "sqlite":
            assert ahead is None
            return
        assert ahead is not None
        assert round(ahead / 3600) == hours
        assert clocks.is_off(ahead) is bool(hours)


@pytest.fixture
def started() -> Run:
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    found = running.claim(run.pk, worker="w1", now=NOW)
    assert found is not None
    return running.start(found[0], stored.plan.basis, now=NOW)


@pytest.mark.parametrize("ahead", [31.0, -31.0])
def test_a_clock_that_is_off_calls_no_worker_dead_and_says_so_once_a_minute(
    started: Run, ahead: float, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_complained", -clock.COMPLAIN)
    with caplog.at_level(logging.ERROR, "migration_bot"):
        for _ in range(3):
            clock.tick(now=PAST_LEASE, ahead=ahead)
    started.refresh_from_db()
    assert started.state == State.RUNNING
    assert len(caplog.records) == 1
    assert "31 s" in caplog.text
    clock.tick(now=PAST_LEASE, ahead=9.0)
    started.refresh_from_db()
    assert started.state == State.INTERRUPTED


def test_a_clock_that_is_off_expires_no_request() -> None:
    robin = an_account("robin", "request_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    clock.tick(now=NOW + timedelta(hours=25), ahead=25 * 3600.0)
    run.refresh_from_db()
    assert run.state == State.REQUESTED


def test_the_doctor_names_a_worker_whose_clock_is_off() -> None:
    for name, ahead in (("a:1:worker", 0), ("b:1:worker", -60_000), ("c:1:worker", None)):
        beat = NOW + timedelta(milliseconds=ahead or 0)
        Worker.objects.create(name=name, kind="w", started_at=NOW, beat_at=beat, ahead=ahead)
    (found,) = machine_clocks(now=NOW)
    assert (found.name, found.ok) == ("clock of b:1:worker", False)
    assert "60 s behind the clock of the bot's database" in found.words
    assert not list(machine_clocks(now=NOW + timedelta(hours=1))), "it is long gone"
