"""The supervisor with children that are as small as can be; tests.story has the real ones."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bot import clock
from bot.models import Worker
from bot.worker import FIRST_PAUSE, LONGEST_PAUSE, YOUNG, Part, Supervisor

pytestmark = pytest.mark.django_db


def child(source: str) -> Callable[[], int]:
    command = [sys.executable, "-I", "-S", "-c", source]
    return lambda: os.posix_spawn(command[0], command, os.environ)


@pytest.fixture(autouse=True)
def kept_signals(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The supervisor's handlers go with the test; its clock has nothing to do."""
    monkeypatch.setattr(clock, "tick", lambda *, now, ahead: None)
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Listening:
    """Stops the supervisor once ``enough`` says so."""

    def __init__(self, enough: Callable[[Supervisor], bool]) -> None:
        self.enough = enough
        self.said: list[str] = []

    def supervise(self, parts: list[Part], **options: Any) -> Supervisor:
        supervisor = Supervisor(parts, say=self.said.append, every=0.01, **options)
        own = supervisor._tell_time

        def tell_time() -> None:
            own()
            if self.enough(supervisor) and not supervisor.stopping:
                os.kill(os.getpid(), signal.SIGTERM)

        supervisor._tell_time = tell_time  # type: ignore[method-assign]
        supervisor.run()
        return supervisor


def test_a_child_that_dies_is_told_of_and_started_again() -> None:
    starts: list[int] = []

    def start() -> int:
        source = "raise SystemExit(3)" if not starts else "import time; time.sleep(60)"
        starts.append(child(source)())
        return starts[-1]

    listening = Listening(lambda _: len(starts) == 2)
    listening.supervise([Part(name="runs", start=start)])
    assert "runs ended with 3; starting it again" in listening.said
    assert listening.said[-1] == "worker stopped"


def test_a_child_is_started_only_while_something_waits_and_may_end_in_order() -> None:
    starts: list[int] = []
    waiting: list[str] = []
    looks = 0

    def start() -> int:
        waiting.clear()
        starts.append(child("")())
        return starts[-1]

    def enough(supervisor: Supervisor) -> bool:
        nonlocal looks
        looks += 1
        if looks == 5:
            assert starts == []
            waiting.append("runs")
        return looks > 10 and bool(starts) and not supervisor.parts[0].pid

    listening = Listening(enough)
    listening.supervise([Part(name="runs", start=start)], waiting=lambda: waiting)
    assert len(starts) == 1
    assert not [words for words in listening.said if "starting it again" in words]


def test_a_queue_that_cannot_be_looked_at_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.worker.AFTER_TROUBLE", 0.05)
    looks = 0

    def waiting() -> list[str]:
        nonlocal looks
        looks += 1
        raise OSError("the database is down")

    listening = Listening(lambda _: looks > 2)
    listening.supervise([Part(name="runs", start=child(""))], waiting=waiting)
    assert listening.said[-1] == "worker stopped"


def test_a_clock_that_fails_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.worker.AFTER_TROUBLE", 0.05)
    ticks = 0

    def tick(*, now: Any, ahead: float | None) -> None:
        nonlocal ticks
        ticks += 1
        raise RuntimeError("something that nobody foresaw")

    monkeypatch.setattr(clock, "tick", tick)
    listening = Listening(lambda _: ticks > 1)
    listening.supervise([])
    assert listening.said[-1] == "worker stopped"


def test_a_worker_tidies_soon_after_its_start_and_then_once_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.worker.FIRST_TIDY", 0.05)
    tidied: list[str] = []
    monkeypatch.setattr(clock, "tidy", lambda *, now: tidied.append("clock"))
    looks: list[int] = []

    def enough(supervisor: Supervisor) -> bool:
        looks.extend([1] if tidied else [])
        return len(looks) > 10

    Listening(enough).supervise([], tidy=lambda now: tidied.append("engine"))
    assert tidied == ["clock", "engine"]


def test_the_heartbeat_is_there_while_it_runs_and_gone_when_it_has_stopped() -> None:
    listening = Listening(lambda supervisor: Worker.objects.filter(pk=supervisor.name).exists())
    supervisor = listening.supervise([])
    assert supervisor.name.endswith(":worker")
    assert Worker.objects.count() == 0


def test_a_child_that_dies_young_again_and_again_is_started_ever_more_slowly() -> None:
    part = Part(name="runs", start=lambda: 0)
    pauses = []
    for _ in range(10):
        part.started_at = 100.0
        part.ended(101.0, in_order=False)
        pauses.append(part.due_at - 101.0)
    assert pauses[:3] == [FIRST_PAUSE, FIRST_PAUSE * 2, FIRST_PAUSE * 4]
    assert pauses[-1] == LONGEST_PAUSE
    part.started_at = 0.0
    part.ended(YOUNG + 1, in_order=False)
    assert part.due_at == YOUNG + 1 + FIRST_PAUSE
    part.ended(200.0, in_order=True)
    assert part.due_at == 200.0
