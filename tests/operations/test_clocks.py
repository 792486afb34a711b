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
from bot.operations import clocks, rehearsing, running
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


def test_a_run_for_later_does_not_begin_on_the_word_of_a_clock_that_is_ahead() -> None:
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    later = NOW + timedelta(hours=3)
    run = operations.request(
        stored.pk, actor=acting(robin), reason="totals", now=NOW, run_after=later
    )
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    clock.tick(now=later, ahead=10800.0)
    run.refresh_from_db()
    assert run.state == State.APPROVED, "it queues nothing"
    clock.tick(now=later)  # As one that does not know how it stands would.
    assert running.claim(run.pk, worker="w1", now=NOW) is None, "nor does anybody take it early"
    assert running.claim(run.pk, worker="w1", now=later) is not None


@pytest.mark.parametrize("ahead", [31.0, -31.0])
def test_a_clock_that_is_off_calls_no_worker_dead_and_says_so_once_a_minute(
    started: Run, ahead: float, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clocks, "_complained", -clocks.COMPLAIN)
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


@pytest.fixture
def off(request: Any, monkeypatch: pytest.MonkeyPatch) -> float:
    """By how much this machine's clock is ahead, as it will be found."""
    seconds: float = request.param
    monkeypatch.setattr(clocks, "ahead", lambda: seconds)
    monkeypatch.setattr(clocks, "_complained", -clocks.COMPLAIN)
    return seconds


@pytest.mark.parametrize("off", [41.0, -41.0], indirect=True)
def test_a_worker_whose_clock_is_off_takes_no_run_until_it_is_right_and_the_run_says_so(
    queued: Run, off: float, caplog: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = NOW + timedelta(seconds=off)
    with caplog.at_level(logging.ERROR, "migration_bot"):
        assert running.claim(queued.pk, worker="w1", now=theirs) is None
        assert running.claim(queued.pk, worker="w1", now=theirs) is None
    assert [record.getMessage().count("takes no run") for record in caplog.records] == [1]
    queued.refresh_from_db()
    assert queued.waiting_for == [clocks.WAITS]
    monkeypatch.setattr(clocks, "ahead", lambda: 9.0)
    found = running.claim(queued.pk, worker="w1", now=NOW)
    assert found is not None
    assert running.start(found[0], found[1].stored_plan.plan.basis, now=NOW).waiting_for == []


@pytest.mark.parametrize("off", [41.0], indirect=True)
def test_a_worker_whose_clock_is_ahead_takes_no_run_of_a_worker_that_lives(
    queued: Run, off: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as right:
        right.setattr(clocks, "ahead", lambda: 0.0)
        found = running.claim(queued.pk, worker="w1", now=NOW)
    assert found is not None
    assert running.claim(queued.pk, worker="w2", now=NOW + timedelta(seconds=off)) is None
    running.renew(found[0], now=NOW)
    queued.refresh_from_db()
    assert queued.waiting_for == []


@pytest.mark.parametrize("off", [41.0, -41.0], indirect=True)
def test_a_worker_whose_clock_is_off_takes_no_rehearsal_until_it_is_right(
    off: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    robin = acting(an_account("robin", "request_run"))
    stored = operations.keep_plan(actor=robin, plan=a_plan(), now=NOW)
    asked = operations.ask_for_rehearsal(stored.pk, actor=robin, now=NOW)
    assert rehearsing.claim(asked.pk, now=NOW + timedelta(seconds=off)) is None
    monkeypatch.setattr(clocks, "ahead", lambda: None)
    assert rehearsing.claim(asked.pk, now=NOW) is not None


def test_the_doctor_names_a_worker_whose_clock_is_off() -> None:
    for name, ahead in (("a:1:worker", 0), ("b:1:worker", -60_000), ("c:1:worker", None)):
        beat = NOW + timedelta(milliseconds=ahead or 0)
        Worker.objects.create(name=name, kind="w", started_at=NOW, beat_at=beat, ahead=ahead)
    (found,) = machine_clocks(now=NOW)
    assert (found.name, found.ok) == ("clock of b:1:worker", False)
    assert "60 s behind the clock of the bot's database" in found.words
    assert not list(machine_clocks(now=NOW + timedelta(hours=1))), "it is long gone"
