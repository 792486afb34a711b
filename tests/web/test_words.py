from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from bot.web.words import clock, count, distance, duration

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.417, "417 ms"),
        (12.34, "12.3 s"),
        (125.2, "2 min 5 s"),
        (3600, "1 h 0 min"),
        (7384, "2 h 3 min"),
    ],
)
def test_a_duration_in_words(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "now"),
        (-20, "20 s ago"),
        (-300, "5 min ago"),
        (7200, "in 2 h"),
        (-3 * 86400, "3 days ago"),
    ],
)
def test_a_distance_in_words(seconds: int, words: str) -> None:
    assert distance(NOW + timedelta(seconds=seconds), NOW) == words


def test_a_time_is_shown_in_the_sites_zone() -> None:
    with override_settings(TIME_ZONE="Europe/Berlin"):
        assert clock(NOW) == "23 Nov 2026, 13:00 CET"


def test_one_is_one_and_two_are_many() -> None:
    assert (count(1, "step"), count(2, "step")) == ("1 step", "2 steps")
