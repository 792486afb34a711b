"""What rehearsals that were killed have left behind, wherever it is: which of it may go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from bot.conf import get_settings
from bot.database.rehearsal.names import maker_of

GRACE = 60.0
"""Seconds beyond ``rehearsal_timeout`` after which one of another machine may be left behind."""


def is_left_behind(name: str, is_used: Callable[[], bool] | None = None) -> bool:
    """Whether this is the name of something of ours that nobody uses any more.

    ``is_used`` asks whether anybody has it open, where that can be asked.
    """
    maker = maker_of(name)
    oldest = get_settings().rehearsal_timeout + GRACE
    return maker is not None and maker.left_behind(datetime.now(UTC), oldest, is_used)


def dropped(
    names: Iterable[str], is_used: Callable[[str], bool], drop: Callable[[str], bool]
) -> list[str]:
    """Drop those of these databases that were left behind; the names of those that are gone."""
    return [name for name in names if is_left_behind(name, partial(is_used, name)) and drop(name)]


def only_ours(name: str) -> None:
    """Nothing that was there before is ever dropped or written to."""
    if maker_of(name) is None:
        raise AssertionError(f"{name} is no scratch database")
