"""What a worker makes of what it hears of an interrupted run; tests.story has real children."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.test import override_settings

from bot import operations, settle
from bot.database import process
from bot.database.messages import Died, Message, Reconciled, RefusedHere
from bot.database.reconcile import Found
from bot.models import Run
from bot.operations import interrupting, running
from bot.route.refusals import LockHeld
from bot.route.states import State
from tests.operations.claiming import LATER, basis, claimed
from tests.plans import NOW, a_plan, acting, an_account

pytestmark = pytest.mark.django_db

BROKEN = RefusedHere(code="broken", sentence="The code does not load.")
FOUND = Found(state=State.FAILED, done=(), because="Seen here.")


@pytest.fixture
def lost() -> Run:
    """An interrupted run of one step."""
    robin, ada = an_account("robin", "request_run"), an_account("ada", "approve_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    operations.approve(run.pk, actor=acting(ada), now=NOW)
    running.start(claimed(run), basis(run), now=NOW)
    assert interrupting.interrupt(run.pk, because="It is gone.", now=LATER)
    return run


class Says:
    """A child that says these things."""

    def __init__(self, messages: Iterable[Message | None]) -> None:
        self._messages = messages

    def __enter__(self) -> Says:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is to be ended."""

    def messages(self, every: float) -> Iterator[Message | None]:
        yield from self._messages


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    """What becomes of the run when the child says ``messages`` and this process finds ``here``."""

    def settle_it(run: Run, messages: Iterable[Message | None], here: Callable[[], Found]) -> Run:
        monkeypatch.setattr(process, "start", lambda job: Says(messages))
        monkeypatch.setattr(settle, "reconcile", lambda *given, **known: here())
        with override_settings(MIGRATION_BOT={"reconcile_timeout": 0.2}):
            settle.reconcile_run(run.pk, clock=lambda: LATER)
        run.refresh_from_db()
        return run

    return settle_it


def not_asked() -> Found:
    raise AssertionError("The child has said it.")


def test_what_the_child_found_is_what_became_of_it(lost: Run, settled: Any) -> None:
    said = Reconciled(state="succeeded", done=("shop.0002_more",), because="Seen there.")
    assert settled(lost, [None, said], here=not_asked).state == State.SUCCEEDED
    assert settled(lost, [], here=not_asked).state == State.SUCCEEDED, "it is settled"


def test_what_is_only_not_there_now_is_asked_again_soon(lost: Run, settled: Any) -> None:
    later = RefusedHere(code="locked", sentence="Somebody works there.", retry=True)
    run = settled(lost, [later], here=not_asked)
    assert (run.state, run.waiting_for, run.woken_at) == (State.INTERRUPTED, [], LATER)


@pytest.mark.parametrize("word", [BROKEN, Died(exit_code=1, signal=0, output="")])
def test_where_the_code_does_not_load_this_process_asks(
    lost: Run, settled: Any, word: Message
) -> None:
    run = settled(lost, [word], here=lambda: FOUND)
    assert (run.state, run.error) == (State.FAILED, "Seen here.")


def test_what_this_process_is_refused_is_asked_again_soon(lost: Run, settled: Any) -> None:
    def held() -> Found:
        raise LockHeld(database="default", holder="somebody")

    run = settled(lost, [BROKEN], here=held)
    assert (run.state, run.waiting_for, run.woken_at) == (State.INTERRUPTED, [], LATER)


def test_an_error_that_nobody_foresaw_is_not_swallowed(lost: Run, settled: Any) -> None:
    def broken() -> Found:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        settled(lost, [BROKEN], here=broken)
    lost.refresh_from_db()
    assert lost.state == State.INTERRUPTED


def test_a_database_that_says_nothing_to_this_process_either_is_told_and_asked_again(
    lost: Run, settled: Any
) -> None:
    answers = threading.Event()

    def silent() -> Found:
        answers.wait(10)
        return FOUND

    try:
        run = settled(lost, [BROKEN], here=silent)
    finally:
        answers.set()
    assert (run.state, run.woken_at) == (State.INTERRUPTED, LATER)
    assert "nothing was heard for 0.2 s" in run.waiting_for[0]


def test_a_child_that_says_nothing_is_told_and_asked_again(lost: Run, settled: Any) -> None:
    def silence() -> Iterator[None]:
        pause = threading.Event()
        while True:
            pause.wait(0.02)
            yield None

    run = settled(lost, silence(), here=not_asked)
    assert (run.state, run.woken_at) == (State.INTERRUPTED, LATER)
    assert "nothing was heard for 0.2 s" in run.waiting_for[0]
