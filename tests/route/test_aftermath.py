"""The sentences on a step that was cut off, and the advice."""

from __future__ import annotations

from typing import Any

import pytest

from bot.route.aftermath import LINE, LINES, Aftermath
from bot.route.traces import Shown, Told

FAKE = "python manage.py migrate shop 0007 --fake"
SQL = "python manage.py migration_bot show 12 --sql"


def aftermath(*shown: Shown, **options: Any) -> Aftermath:
    told = tuple(Told(words=f"operation {number}", shown=one) for number, one in enumerate(shown))
    options = {"told": told, "key": "shop.0007", "backward": False, "record": FAKE, **options}
    return Aftermath(show=SQL, **options)


@pytest.mark.parametrize(
    ("shown", "backward", "words"),
    [
        (Shown.DONE, False, "All of shop.0007 is in the database, but it is not recorded as"),
        (Shown.DONE, True, "All of shop.0007 has been undone, but it is still recorded as"),
        (Shown.NOT_DONE, False, "Nothing of shop.0007 is in the database."),
        (Shown.NOT_DONE, True, "Nothing of shop.0007 has been undone."),
        (Shown.HALF, False, "Only a part of shop.0007 is in the database."),
        (Shown.UNTOLD, True, "Whether all of shop.0007 has been undone cannot be told from"),
    ],
)
def test_the_first_line_says_the_whole_of_it(shown: Shown, backward: bool, words: str) -> None:
    assert aftermath(shown, backward=backward).headline.startswith(words)


def test_what_is_all_there_is_recorded_by_the_command_that_is_named() -> None:
    assert aftermath(Shown.DONE).what_now == (f"Make the record agree: {FAKE}",)


@pytest.mark.parametrize(
    ("backward", "row"), [(False, "add its row to"), (True, "delete its row from")]
)
def test_where_no_command_does_only_that_the_row_is_named(backward: bool, row: str) -> None:
    (line,) = aftermath(Shown.DONE, backward=backward, record="").what_now
    assert line == f"Make the record agree: {row} django_migrations."


def test_a_part_is_finished_or_taken_back() -> None:
    assert aftermath(Shown.DONE, Shown.NOT_DONE).what_now == (
        f"Either send by hand what is not done (its SQL: {SQL}).",
        f"Then make the record agree: {FAKE}",
        "Or take back by hand what is done, and ask for it again.",
    )


def test_what_cannot_be_told_is_for_a_person_to_look_at_first() -> None:
    assert aftermath(Shown.DONE, Shown.UNTOLD).what_now == (
        "Look by hand whether what cannot be told has done its work.",
        f"If all of it has, make the record agree: {FAKE}",
        "If it has not, finish it by hand first, or take back what is done and ask again.",
    )


def test_what_may_not_have_begun_is_asked_for_again_if_it_has_not() -> None:
    now = aftermath(Shown.UNTOLD, Shown.NOT_DONE).what_now
    assert now[1] == "If nothing of it has, ask for it again."


@pytest.mark.parametrize(
    ("others", "once_dropped", "then"),
    [
        ((), Shown.NOT_DONE, "Then nothing of shop.0007 is left, and it can be asked for again."),
        ((), Shown.DONE, f"Then make the record agree: {FAKE}"),
        ((Shown.DONE,), Shown.NOT_DONE, f"Either send by hand what is not done (its SQL: {SQL})."),
    ],
)
def test_an_invalid_index_is_dropped_and_what_is_left_without_it_is_told(
    others: tuple[Shown, ...], once_dropped: Shown, then: str
) -> None:
    index = Told(words="i", shown=Shown.HALF, invalid=("by_name",), once_dropped=once_dropped)
    told = (*(Told(words="other", shown=one) for one in others), index)
    now = aftermath(told=told).what_now
    assert now[:2] == ('Drop the invalid index: DROP INDEX CONCURRENTLY IF EXISTS "by_name";', then)


def test_a_long_list_stays_readable() -> None:
    alike = aftermath(*[Shown.DONE] * 40, Shown.HALF, *[Shown.NOT_DONE] * 3)
    assert alike.lines[:2] == (
        "- done: 40 operations, from 'operation 0' to 'operation 39'",
        "- half done: operation 40",
    )
    assert len(alike.lines) == 5
    long = tuple(Told(words="w" * 900, shown=Shown.HALF, because="b") for _ in range(200))
    lines = aftermath(told=long).lines
    assert len(lines) == LINES + 1
    assert lines[-1] == f"- and {200 - LINES} more"
    assert max(map(len, lines)) <= LINE + 2
