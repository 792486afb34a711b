"""How long work over a table may take, from nothing but what was recorded here: never without it.

A step's time over its rows is no constant: it was off by 0.40 to 1.43 when it was carried on from
one size to another on an idle machine. So what is said is a range, and wider than what was seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from bot.route.risks.facts import Rate, Size

FEWEST_ROWS = 1_000
"""With fewer, a step's time is spent on everything but the rows."""
NEWEST = 50
"""Recorded runs that count; machines and databases change."""
FEWEST_RUNS = 3
LEAST_OFF, MOST_OFF = 0.40, 1.43
"""How far carrying on from one size to another was off."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def rate_of(recorded: Iterable[tuple[int, int]]) -> Rate | None:
    """The rate of recorded rows and milliseconds, the newest first; None when they are too few."""
    counted = [(rows, taken) for rows, taken in recorded if rows >= FEWEST_ROWS][:NEWEST]
    if len(counted) < FEWEST_RUNS:
        return None
    each = [taken / 1000 / rows for rows, taken in counted]
    return Rate(lowest=min(each), highest=max(each), runs=len(each))


def range_words(size: Size | None, rate: Rate | None) -> str:
    """``3 to 9 s, by 5 recorded runs here``; empty where the rows or the rate are not known."""
    rows = counted_rows(size)
    if rate is None or rows is None or rows < FEWEST_ROWS:
        return ""
    least, most = rows * rate.lowest * LEAST_OFF, rows * rate.highest * MOST_OFF
    return f"{_range(least, most)}, by {rate.runs} recorded runs here"


def counted_rows(size: Size | None) -> int | None:
    """The catalogue's estimate of the rows; None where it has none, or only a limit to them."""
    return None if size is None or size.at_most else size.rows


def _range(least: float, most: float) -> str:
    """The least rounded down and the most rounded up, each in a unit that suits it."""
    if least < 1:
        return f"up to {_words(most, math.ceil)}" if most > 0 else "less than 1 s"
    low, high = _words(least, math.floor), _words(most, math.ceil)
    (number, unit), (_, other) = low.split(), high.split()
    return f"{number if unit == other else low} to {high}"


def _words(seconds: float, rounded: Callable[[float], int]) -> str:
    """``90 s`` and ``3 min``: a unit once there are two of it, so that rounding leaves it wide."""
    for length, unit in _UNITS:
        if seconds >= 2 * length or unit == "s":
            break
    return f"{rounded(seconds / length)} {unit}"
