from __future__ import annotations

import io

from django.core.management.base import OutputWrapper

from bot.management.progress import Progress
from tests.management.conftest import Screen


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_terminal_sees_a_bar_that_is_wiped_at_the_end() -> None:
    screen, clock = Screen(), Clock()
    with Progress(OutputWrapper(screen), label="planning", clock=clock) as progress:
        clock.now = 65
        progress.update(1, 4, "shop.0002")
    assert "planning [#####...............] 1 of 4 1:05 shop.0002" in screen.getvalue()
    assert screen.getvalue().endswith("\r\x1b[K")


def test_a_log_sees_a_line_now_and_then() -> None:
    log, clock = io.StringIO(), Clock()
    with Progress(OutputWrapper(log), label="planning", clock=clock) as progress:
        for step in range(50):
            clock.now = step / 10
            progress.update(step, 50, f"shop.{step:04}")
    assert log.getvalue() == "planning 20 of 50 shop.0020\nplanning 40 of 50 shop.0040\n"


def test_what_is_soon_done_writes_nothing_into_a_log() -> None:
    log = io.StringIO()
    with Progress(OutputWrapper(log), label="planning", clock=Clock()) as progress:
        progress.update(1, 2, "shop.0002")
    assert log.getvalue() == ""


def test_the_bar_fits_the_line_and_shows_hidden_characters() -> None:
    progress = Progress(OutputWrapper(Screen()), label="planning", clock=Clock())
    assert len(progress.bar(1, 2, "x" * 200, columns=80)) < 80
    assert "\\x1b" in progress.bar(1, 2, "\x1b[2J", columns=80)


def test_lines_that_stay_stand_above_the_bar() -> None:
    screen = Screen()
    progress = Progress(OutputWrapper(screen), label="running", clock=Clock())
    progress.update(1, 2, "a")
    progress.line("Run 1 approved by ada\x1b")
    assert screen.getvalue().endswith("\r\x1b[KRun 1 approved by ada\\x1b\n")
