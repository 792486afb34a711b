from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot import clock, operations
from bot.models import Run, StoredPlan, Worker
from bot.operations import interrupting, running
from bot.route.states import State
from tests.plans import NOW, a_plan, acting, an_account

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=3)
PAST_LEASE = NOW + timedelta(seconds=31)


@pytest.fixture
def queued() -> Run:
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    return operations.approve(run.pk, actor=acting(ada), now=NOW)


def test_a_wake_that_was_lost_is_given_again_but_not_at_each_tick(queued: Run, woken: Any) -> None:
    assert woken(NOW) == []
    assert woken(LATER) == [("carry_out", str(queued.pk))]
    assert woken(LATER) == []
    assert woken(LATER + timedelta(seconds=3)) == [("carry_out", str(queued.pk))]


def test_a_claimed_run_is_not_woken_until_its_claim_is_dead(queued: Run, woken: Any) -> None:
    running.claim(queued.pk, worker="w1", now=NOW)
    assert woken(LATER) == []
    assert woken(PAST_LEASE) == [("carry_out", str(queued.pk))]


def test_an_interrupted_run_is_reconciled_again_and_again_until_it_is_settled(
    queued: Run, woken: Any
) -> None:
    found = running.claim(queued.pk, worker="w1", now=NOW)
    assert found is not None
    running.start(found[0], queued.stored_plan.plan.basis, now=NOW)
    assert woken(LATER) == []
    assert woken(PAST_LEASE) == [("reconcile", str(queued.pk))]
    assert woken(PAST_LEASE + timedelta(seconds=3)) == [("reconcile", str(queued.pk))]
    interrupting.reconciled(queued.pk, state=State.FAILED, done=[], because="Seen.", now=PAST_LEASE)
    assert woken(PAST_LEASE + timedelta(seconds=6)) == []


def test_while_somebody_asks_what_became_of_a_run_nobody_else_is_woken_for_it(
    queued: Run, woken: Any
) -> None:
    found = running.claim(queued.pk, worker="w1", now=NOW)
    assert found is not None
    running.start(found[0], queued.stored_plan.plan.basis, now=NOW)
    assert woken(PAST_LEASE) == [("reconcile", str(queued.pk))]
    until = PAST_LEASE + timedelta(seconds=60)
    interrupting.looking(queued.pk, until=until)
    assert woken(PAST_LEASE + timedelta(seconds=50)) == []
    assert woken(until + timedelta(seconds=3)) == [("reconcile", str(queued.pk))]
    interrupting.looking(queued.pk, until=until + timedelta(seconds=90))
    interrupting.not_known_yet(queued.pk, because="It is silent.", now=until)
    queued.refresh_from_db()
    assert (queued.state, queued.waiting_for) == (State.INTERRUPTED, ["It is silent."])
    assert woken(until + timedelta(seconds=6)) == [("reconcile", str(queued.pk))]
    interrupting.reconciled(queued.pk, state=State.FAILED, done=[], because="Seen.", now=until)
    interrupting.not_known_yet(queued.pk, because="It is silent.", now=until)
    queued.refresh_from_db()
    assert (queued.state, queued.waiting_for) == (State.FAILED, [])


def test_a_run_that_a_dead_worker_had_claimed_expires_like_any_other(
    queued: Run, woken: Any
) -> None:
    running.claim(queued.pk, worker="dead", now=NOW)
    assert woken(NOW + timedelta(hours=5)) == []
    queued.refresh_from_db()
    assert queued.state == State.EXPIRED


def test_a_wake_that_comes_after_the_approval_expired_runs_nothing(queued: Run) -> None:
    assert running.claim(queued.pk, worker="w1", now=NOW + timedelta(hours=5)) is None


def test_a_run_for_later_is_queued_when_its_time_has_come(woken: Any) -> None:
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    at = NOW + timedelta(hours=1)
    run = operations.request(stored.pk, actor=acting(robin), reason="x", now=NOW, run_after=at)
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    assert woken(at - timedelta(seconds=1)) == []
    assert woken(at) == [("carry_out", str(run.pk))]


def test_a_plan_that_nobody_makes_is_woken_again(woken: Any) -> None:
    robin = an_account("robin", "request_run")
    plan = operations.ask_for_plan(actor=acting(robin), database="default", target="", now=NOW)
    assert woken(NOW) == []
    assert woken(LATER) == [("make_plan", str(plan.pk))]
    operations.claim_plan(plan.pk, now=LATER)
    assert woken(LATER + timedelta(seconds=5)) == []
    assert woken(LATER + timedelta(seconds=31)) == [("make_plan", str(plan.pk))]


def test_a_tidying_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail(*, now: Any) -> None:
        raise OverflowError("date value out of range")

    done: list[Any] = []
    monkeypatch.setattr(clock, "prune_plans", fail)
    monkeypatch.setattr("bot.work.tidies", lambda: [fail, lambda *, now: done.append(now)])
    Worker.objects.create(name="dead", kind="worker", started_at=NOW, beat_at=NOW)
    at = NOW + timedelta(days=40)
    clock.tidy(now=at)
    assert not Worker.objects.exists()
    assert done == [at]
    assert len([record for record in caplog.records if record.exc_info]) == 2


def test_tidying_forgets_old_plans_and_dead_workers_and_keeps_what_was_requested(
    queued: Run,
) -> None:
    robin = acting(an_account("kim"))
    operations.ask_for_plan(actor=robin, database="default", target="", now=NOW)
    for name, at in (("dead", NOW), ("alive", NOW + timedelta(days=40))):
        Worker.objects.create(name=name, kind="worker", started_at=NOW, beat_at=at)
    clock.tidy(now=NOW + timedelta(days=40))
    assert [plan.pk for plan in StoredPlan.objects.all()] == [queued.stored_plan_id]
    assert [worker.name for worker in Worker.objects.all()] == ["alive"]
