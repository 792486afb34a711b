from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import audit, operations
from bot.carry_out import Watch
from bot.database.messages import Locked, Stopped
from bot.models import AuditEntry, Freeze, Run
from bot.operations import running
from bot.operations.running import LeaseLost
from bot.route.states import State
from tests.operations.claiming import LATER, basis, claimed
from tests.plans import NOW

pytestmark = pytest.mark.django_db


def test_a_job_delivered_eight_times_is_claimed_once(queued: Run) -> None:
    claims = [running.claim(queued.pk, worker=f"w{n}", now=NOW) for n in range(8)]
    assert sum(claim is not None for claim in claims) == 1


def test_a_run_goes_from_claim_to_success_and_its_steps_are_told(queued: Run) -> None:
    hold = claimed(queued)
    assert running.start(hold, basis(queued), now=NOW).state == State.RUNNING
    for name in ("0002_more", "0003_third"):
        running.step_starting(hold, "shop", name, now=NOW)
        running.step_done(hold, "shop", name, milliseconds=1500, now=NOW)
    run = running.succeed(hold, ["shop.0002_more", "shop.0003_third"], now=LATER)
    assert run.state == State.SUCCEEDED
    assert [step["state"] for step in run.steps] == ["applied", "applied"]
    assert run.steps[0]["seconds"] == 1.5
    assert run.active_key is None
    events = list(AuditEntry.objects.order_by("seq").values_list("event", flat=True))
    assert events[3:] == ["run.started", "step.applied", "step.applied", "run.succeeded"]
    assert audit.verify().sound


def test_another_basis_under_the_lock_makes_it_stale_and_nothing_starts(queued: Run) -> None:
    hold = claimed(queued)
    found = replace(basis(queued), rests_on=("shop.0001_initial", "shop.0002_more"))
    run = running.start(hold, found, now=NOW)
    assert run.state == State.STALE
    assert run.stale_because == ["shop.0002_more was applied meanwhile."]
    assert run.started_at is None


def freeze() -> Freeze:
    return Freeze.objects.create(owner="1", owner_name="ada", reason="the sale", since=NOW)


def test_a_queued_run_waits_while_a_freeze_lasts(queued: Run) -> None:
    end = freeze()
    assert running.claim(queued.pk, worker="w1", now=NOW) is None
    assert running.wake_forgotten(now=LATER, after=2) == 0
    queued.refresh_from_db()
    assert queued.state == State.QUEUED
    assert queued.waiting_for[0].startswith("Every database is frozen by ada since ")
    end.delete()
    assert running.wake_forgotten(now=LATER, after=2) == 1
    assert claimed(queued).run == queued.pk


def test_a_freeze_that_comes_before_the_lock_is_had_gives_the_run_back(queued: Run) -> None:
    watch = Watch(hold=claimed(queued), clock=lambda: NOW)
    freeze()
    answer = watch.hear(Locked(basis=basis(queued)))
    assert answer is not None
    assert not answer.go
    watch.hear(Stopped(because=answer.because, done=()))
    queued.refresh_from_db()
    assert (queued.state, queued.claimed_by) == (State.QUEUED, "")
    assert queued.started_at is None


def test_a_worker_thawed_past_its_lease_can_change_nothing(queued: Run) -> None:
    frozen = claimed(queued, "frozen")
    fresh = claimed(queued, "fresh", LATER)
    for late in (
        lambda: running.renew(frozen, now=LATER),
        lambda: running.start(frozen, basis(queued), now=LATER),
        lambda: running.step_starting(frozen, "shop", "0002_more", now=LATER),
        lambda: running.succeed(frozen, [], now=LATER),
        lambda: running.fail(frozen, error="x", now=LATER),
    ):
        with pytest.raises(LeaseLost):
            late()
    assert running.start(fresh, basis(queued), now=LATER).state == State.RUNNING


def test_a_failure_keeps_step_statement_error_and_traceback(queued: Run) -> None:
    hold = claimed(queued)
    running.start(hold, basis(queued), now=NOW)
    run = running.fail(
        hold,
        error="IntegrityError: \x00 column",
        step="shop.0003_third",
        statement="ALTER TABLE x",
        traceback="Traceback …",
        done=["shop.0002_more"],
        now=LATER,
    )
    assert run.state == State.FAILED
    assert [step["state"] for step in run.steps] == ["applied", "failed"]
    assert run.error == "IntegrityError: \u2400 column"
    entry = AuditEntry.objects.get(event="run.failed")
    assert "Traceback" not in entry.data


def test_a_run_whose_lock_was_held_is_given_back_and_woken_again(queued: Run) -> None:
    running.let_go(claimed(queued), because="default is being migrated by run 3.", now=NOW)
    assert running.wake_forgotten(now=NOW, after=2) == 0
    assert running.wake_forgotten(now=LATER, after=2) == 1
    assert running.claim(queued.pk, worker="w2", now=LATER) is not None


def test_a_queued_run_that_no_worker_takes_expires(queued: Run) -> None:
    assert operations.expire(now=NOW + timedelta(hours=5)) == 1
    queued.refresh_from_db()
    assert queued.state == State.EXPIRED
    assert queued.active_key is None
