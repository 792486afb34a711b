"""What the watching side makes of what a child says; tests.story has real children."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError

from bot import carry_out, operations
from bot.carry_out import Watch
from bot.database.messages import (
    Broke,
    DataAsked,
    Died,
    Finished,
    FoundStale,
    Locked,
    Message,
    RefusedHere,
    Retrying,
    StepDone,
    StepStarting,
    Stopped,
)
from bot.models import AuditEntry, Run
from bot.operations import running
from bot.route.plan import Direction
from bot.route.states import State
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db

FORWARD = Direction.FORWARD
STARTING = StepStarting(app="shop", name="0002_more", direction=FORWARD)
DONE = StepDone(app="shop", name="0002_more", direction=FORWARD, milliseconds=5)
LAST = StepStarting(app="shop", name="0003_third", direction=FORWARD)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.fixture
def watch() -> Watch:
    """Over a claimed run of two steps."""
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    plan = a_plan(a_step(), a_step(name="0003_third"))
    stored = operations.keep_plan(actor=acting(robin), plan=plan, now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    found = running.claim(run.pk, worker="w1", now=NOW)
    assert found is not None
    return Watch(hold=found[0], clock=lambda: NOW)


def row(watch: Watch) -> Run:
    return Run.objects.get(pk=watch.hold.run)


def events(watch: Watch) -> list[str]:
    entries = AuditEntry.objects.filter(run=watch.hold.run).order_by("seq")
    return list(entries.values_list("event", flat=True))[3:]


def says_yes(watch: Watch, message: Message) -> bool:
    answer = watch.hear(message)
    assert answer is not None
    return answer.go


def begin(watch: Watch) -> None:
    assert says_yes(watch, Locked(basis=row(watch).stored_plan.plan.basis))
    assert says_yes(watch, STARTING)


def lose(watch: Watch) -> None:
    """Somebody else has the run now."""
    Run.objects.filter(pk=watch.hold.run).update(fence=99)


class Outage:
    """Makes an operation fail so many times as if its database were down."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, times: int) -> None:
        self.left = times
        own = getattr(running, name)

        def fail(*arguments: Any, **keywords: Any) -> Any:
            if self.left:
                self.left -= 1
                raise OperationalError("server closed the connection unexpectedly")
            return own(*arguments, **keywords)

        monkeypatch.setattr(running, name, fail)


def test_a_run_goes_from_its_lock_to_its_end(watch: Watch) -> None:
    begin(watch)
    assert watch.hear(DONE) is None
    assert says_yes(watch, LAST)
    watch.hear(Finished(applied=("shop.0002_more", "shop.0003_third")))
    assert row(watch).state == State.SUCCEEDED
    assert events(watch) == ["run.started", "step.applied", "run.succeeded"]


def test_a_step_waits_for_a_database_that_is_down_and_begins_when_its_row_says_so(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(watch)
    outage = Outage(monkeypatch, "step_starting", 2)
    assert says_yes(watch, LAST)
    assert outage.left == 0
    assert row(watch).steps[1]["state"] == "running"


def test_a_database_that_stays_down_is_a_no(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    begin(watch)
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "lease": 0.01}
    Outage(monkeypatch, "step_starting", 10**9)
    answer = watch.hear(LAST)
    assert answer is not None
    assert not answer.go
    assert "do not answer" in answer.because


def test_a_step_whose_end_could_not_be_written_is_in_the_audit_all_the_same(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(watch)
    Outage(monkeypatch, "step_done", 1)
    watch.hear(DONE)
    assert "step.applied" not in events(watch)
    assert says_yes(watch, LAST)
    assert events(watch) == ["run.started", "step.applied"]


def test_what_todays_data_said_is_in_the_audit_before_the_run_begins_though_the_database_was_gone(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    Outage(monkeypatch, "data_checked", 2)
    watch.hear(DataAsked(holds=("total has no NULL",), broken=(), not_checked=()))
    begin(watch)
    assert events(watch) == ["run.data_checked", "run.started"]


def test_a_run_does_not_begin_before_what_todays_data_said_can_be_written(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "lease": 0.01}
    Outage(monkeypatch, "data_checked", 10**9)
    watch.hear(DataAsked(holds=(), broken=("total has a NULL",), not_checked=()))
    assert not says_yes(watch, Locked(basis=row(watch).stored_plan.plan.basis))
    assert row(watch).state == State.QUEUED


def test_a_retry_that_could_not_be_written_is_in_the_audit_all_the_same(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(watch)
    Outage(monkeypatch, "retrying", 1)
    watch.hear(
        Retrying(step=DONE.key, attempt=1, because="no lock", blockers=("\0",), wait_milliseconds=5)
    )
    watch.hear(DONE)
    watch.hear(Finished(applied=("shop.0002_more", "shop.0003_third")))
    assert events(watch) == ["run.started", "step.retried", "step.applied", "run.succeeded"]
    assert row(watch).waiting_for == []


def test_the_last_word_is_tried_again(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(watch)
    Outage(monkeypatch, "fail", 3)
    watch.hear(Broke(error="no such column", error_type="OperationalError", step=STARTING.key))
    assert row(watch).state == State.FAILED
    assert row(watch).error == "OperationalError: no such column"


def test_a_step_told_twice_stands_in_the_audit_once(watch: Watch) -> None:
    begin(watch)
    watch.hear(DONE)
    watch.hear(DONE)
    assert events(watch).count("step.applied") == 1


def test_a_start_that_is_asked_again_after_its_answer_was_lost_is_a_yes(watch: Watch) -> None:
    begin(watch)
    assert says_yes(watch, Locked(basis=row(watch).stored_plan.plan.basis))
    assert events(watch) == ["run.started"]


@pytest.mark.parametrize("message", [STARTING, LAST])
def test_no_step_begins_once_the_lease_is_lost(watch: Watch, message: StepStarting) -> None:
    begin(watch)
    lose(watch)
    watch.hear(None)
    assert not says_yes(watch, message)


@pytest.mark.parametrize(
    "last",
    [
        Finished(applied=()),
        Broke(error="x", error_type="E"),
        Stopped(because="x"),
        Died(exit_code=1, signal=0, output=""),
    ],
    ids=lambda message: type(message).__name__,
)
def test_who_lost_the_lease_writes_nothing(watch: Watch, last: Any) -> None:
    begin(watch)
    lose(watch)
    watch.hear(last)
    assert row(watch).state == State.RUNNING
    assert events(watch) == ["run.started"]
    assert not watch.interrupted


def test_a_child_that_died_before_it_began_has_run_nothing_and_one_that_had_is_interrupted(
    watch: Watch,
) -> None:
    watch.hear(Died(exit_code=1, signal=0, output="Traceback"))
    assert row(watch).state == State.FAILED
    assert "Nothing had been run." in row(watch).error


def test_a_child_that_died_in_a_step_leaves_it_to_the_database(watch: Watch) -> None:
    begin(watch)
    watch.hear(Died(exit_code=0, signal=9, output=""))
    assert watch.interrupted
    assert row(watch).state == State.INTERRUPTED


def test_a_refusal_that_is_worth_another_try_gives_the_run_back(watch: Watch) -> None:
    watch.hear(RefusedHere(code="lock_held", sentence="It is being migrated.", retry=True))
    given_back = row(watch)
    assert (given_back.state, given_back.claimed_by) == (State.QUEUED, "")
    assert given_back.waiting_for == ["It is being migrated."]


def test_any_other_refusal_ends_it(watch: Watch) -> None:
    watch.hear(RefusedHere(code="broken", sentence="The code does not load.", detail="Traceback"))
    assert (row(watch).state, row(watch).error) == (State.FAILED, "The code does not load.")
    assert row(watch).traceback == "Traceback"


def test_what_the_child_found_to_be_another_plan_is_stale(watch: Watch) -> None:
    from dataclasses import replace

    basis = row(watch).stored_plan.plan.basis
    watch.hear(FoundStale(basis=replace(basis, steps=basis.steps[:1])))
    assert row(watch).state == State.STALE
    assert row(watch).stale_because == ["shop.0003_third was approved, but is not pending now."]


def test_nothing_is_done_for_a_run_that_somebody_else_has(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("bot.database.process.start")
    carry_out.carry_out(watch.hold.run, clock=lambda: NOW)
    assert row(watch).fence == watch.hold.fence
