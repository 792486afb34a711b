"""Seconds are said of recorded runs alone, and as a range that is wider than what was seen."""

from __future__ import annotations

import pytest

from bot.route.risks.durations import range_words, rate_of
from bot.route.risks.facts import Rate, Size
from tests.route.risks.cases import found

INDEX = 'CREATE INDEX "totals" ON "shop_order" ("total")'
CONCURRENTLY = 'CREATE INDEX CONCURRENTLY "totals" ON "shop_order" ("total")'
UPDATE = 'UPDATE "shop_order" SET "total" = 1'
MILLION = Size(rows=1_000_000, bytes=10**8)
RATE = Rate(lowest=8e-6, highest=6e-6 + 3e-7, runs=5)


def test_three_runs_make_a_rate_and_two_do_not() -> None:
    two = [(10_000, 20), (20_000, 100)]
    assert rate_of(two) is None
    rate = rate_of([*two, (1_000, 3)])
    assert rate == Rate(lowest=2e-6, highest=5e-6, runs=3)


def test_runs_over_few_rows_do_not_count() -> None:
    assert rate_of([(10_000, 20), (20_000, 100), (999, 3)]) is None
    small = [(999, 9_000)] * 60
    assert rate_of([*small, *[(1_000, 1)] * 3]) == Rate(lowest=1e-6, highest=1e-6, runs=3)


def test_the_newest_fifty_count() -> None:
    rate = rate_of([(1_000, 1)] * 50 + [(1_000, 900)] * 10)
    assert rate == Rate(lowest=1e-6, highest=1e-6, runs=50)


@pytest.mark.parametrize(
    ("rows", "lowest", "highest", "words"),
    [
        (1_000_000, 8e-6, 6.1e-6, "3 to 9 s"),
        (1_000_000, 0.0, 2e-6, "up to 3 s"),
        (1_000, 0.0, 0.0, "less than 1 s"),
        (40_000_000, 1e-6, 5e-6, "16 s to 5 min"),
        (40_000_000, 1e-5, 2e-5, "2 to 20 min"),
        (1_000_000_000, 1e-5, 1e-4, "66 min to 40 h"),
        (100_000_000_000, 1e-5, 1e-4, "4 to 166 d"),
    ],
)
def test_a_range_is_rounded_away_from_its_middle(
    rows: int, lowest: float, highest: float, words: str
) -> None:
    rate = Rate(lowest=lowest, highest=highest, runs=5)
    assert range_words(Size(rows=rows), rate) == f"{words}, by 5 recorded runs here"


@pytest.mark.parametrize(
    "size",
    [
        None,
        Size(bytes=10**9, analysed=False),
        Size(rows=1_000_000, at_most=True),
        Size(rows=999),
    ],
)
def test_nothing_is_said_of_rows_that_are_not_known_or_few(size: Size | None) -> None:
    assert range_words(size, Rate(lowest=1e-6, highest=1e-6, runs=9)) == ""


def test_nothing_is_said_without_records_of_this_kind_of_work() -> None:
    assert range_words(MILLION, None) == ""
    because = found(INDEX, size=MILLION, rates={"scan": RATE})["indexes_under_lock"].because
    assert " s, by" not in because
    assert "grows with size, waiting for the lock comes on top" in because


def test_whoever_waits_is_told_the_range_and_that_the_lock_comes_on_top() -> None:
    rate = Rate(lowest=8e-6, highest=6.1e-6, runs=5)
    assert found(INDEX, size=MILLION, rates={"index": rate})["indexes_under_lock"].because == (
        "Blocks writes to shop_order while its index is built (about 1M rows, 95 MB; 3 to 9 s, by "
        "5 recorded runs here; waiting for the lock comes on top)."
    )


def test_work_that_nobody_waits_for_is_told_with_its_range_too() -> None:
    rate = Rate(lowest=8e-6, highest=6.1e-6, runs=5)
    told = "shop_order (about 1M rows, 95 MB; 3 to 9 s, by 5 recorded runs here)"
    assert told in found(CONCURRENTLY, size=MILLION, rates={"index": rate})["scans_online"].because
    assert told in found(UPDATE, size=MILLION, rates={"rows": rate})["mass_write"].because
