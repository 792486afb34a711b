"""What a catalogue shows of operations, from values alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from bot.route.telling import left, tell
from bot.route.traces import Change, Expected, Kind, Left, Look, Shown, Thing, Told

PRICE = Thing(kind=Kind.COLUMN, table="item", name="price")
COST = Thing(kind=Kind.COLUMN, table="item", name="cost")
INDEX = Thing(kind=Kind.INDEX, table="item", name="by_price")
PLAIN: Look = {"type": "integer", "default": "without"}
PYTHON = Expected(words="python", hidden="python leaves no trace")


def adds(thing: Thing, look: Look = PLAIN) -> Expected:
    return Expected(words="add", changes=(Change(thing=thing, before=None, after=look),))


def removes(thing: Thing, look: Look = PLAIN) -> Expected:
    return Expected(words="remove", changes=(Change(thing=thing, before=look, after=None),))


def shown(seen: Mapping[Thing, Look], *operations: Expected) -> list[Shown]:
    return [one.shown for one in tell(operations, seen)]


def test_what_is_as_it_should_be_afterwards_is_done() -> None:
    assert shown({PRICE: PLAIN}, adds(PRICE)) == [Shown.DONE]
    assert shown({PRICE: None}, removes(PRICE)) == [Shown.DONE]


def test_what_is_as_it_was_is_not_done() -> None:
    assert shown({PRICE: None}, adds(PRICE)) == [Shown.NOT_DONE]
    assert shown({PRICE: PLAIN}, removes(PRICE)) == [Shown.NOT_DONE]


def test_what_nobody_looked_at_is_not_told() -> None:
    assert shown({}, adds(PRICE)) == [Shown.UNTOLD]


def test_a_default_that_no_moment_of_the_step_has_is_half_done() -> None:
    (told,) = tell([adds(PRICE)], {PRICE: {"type": "integer", "default": "with a default"}})
    assert (told.shown, told.because) == (
        Shown.HALF,
        "column price of item is there, but with a default",
    )


def test_a_type_by_another_name_is_no_fault_of_a_column_that_comes() -> None:
    assert shown({PRICE: {"type": "int4", "default": "without"}}, adds(PRICE)) == [Shown.DONE]


def test_a_type_that_is_neither_is_not_told() -> None:
    change = Change(thing=PRICE, before={"type": "integer"}, after={"type": "bigint"})
    alters = Expected(words="alter", changes=(change,))
    assert shown({PRICE: {"type": "int8"}}, alters) == [Shown.UNTOLD]
    assert shown({PRICE: {"type": "bigint"}}, alters) == [Shown.DONE]


def test_what_no_catalogue_shows_is_not_told_even_beside_what_it_shows() -> None:
    before, after = {"type": "a", "~collation": "x"}, {"type": "b", "~collation": "y"}
    alters = Expected(words="a", changes=(Change(thing=PRICE, before=before, after=after),))
    assert shown({PRICE: {"type": "b"}}, alters) == [Shown.UNTOLD]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({PRICE: None, COST: None}, [Shown.NOT_DONE, Shown.NOT_DONE]),
        ({PRICE: PLAIN, COST: None}, [Shown.DONE, Shown.NOT_DONE]),
        ({PRICE: None, COST: PLAIN}, [Shown.DONE, Shown.DONE]),
    ],
)
def test_what_comes_and_goes_in_one_step_is_told_by_its_place(
    now: dict[Thing, Look], expected: list[Shown]
) -> None:
    """The column is not there before the first operation and not there after the second."""
    renames = Expected(
        words="rename",
        changes=(
            Change(thing=PRICE, before=PLAIN, after=None),
            Change(thing=COST, before=None, after=PLAIN),
        ),
    )
    assert shown(now, adds(PRICE), renames) == expected


def test_what_comes_and_goes_with_nothing_else_to_go_by_is_not_told() -> None:
    assert shown({PRICE: None}, adds(PRICE), removes(PRICE)) == [Shown.UNTOLD, Shown.UNTOLD]


def test_python_after_what_is_not_done_has_not_begun() -> None:
    assert shown({PRICE: None}, adds(PRICE), PYTHON) == [Shown.NOT_DONE, Shown.NOT_DONE]


def test_python_is_not_told_where_the_order_of_running_does_not_hold() -> None:
    """Somebody has made by hand what comes after it."""
    seen = {PRICE: None, COST: PLAIN}
    assert shown(seen, adds(PRICE), PYTHON, adds(COST)) == [
        Shown.NOT_DONE,
        Shown.UNTOLD,
        Shown.DONE,
    ]


def test_what_should_stay_and_is_gone_counts_for_the_first_operation_that_is_not_done() -> None:
    kept = Change(thing=INDEX, before={}, after={})
    first, second = adds(PRICE), adds(COST)
    operations = [Expected(words=o.words, changes=(*o.changes, kept)) for o in (first, second)]
    seen: dict[Thing, Look] = {PRICE: PLAIN, COST: None, INDEX: None}
    assert [one.shown for one in tell(operations, seen)] == [Shown.DONE, Shown.HALF]


@pytest.mark.parametrize(
    ("told", "whole", "expected"),
    [
        ("", False, Left.NOTHING),
        ("i", False, Left.NOTHING),
        ("n", False, Left.NOTHING),
        ("di", False, Left.ALL),
        ("dn", False, Left.PART),
        ("h", False, Left.PART),
        ("hu", True, Left.PART),
        ("u", False, Left.UNTOLD),
        ("u", True, Left.UNTOLD),
        ("du", False, Left.UNTOLD),
        ("du", True, Left.ALL),
        ("nu", False, Left.UNTOLD),
        ("nu", True, Left.NOTHING),
        ("dnu", True, Left.PART),
    ],
)
def test_what_is_left_of_a_step(told: str, whole: bool, expected: Left) -> None:
    letters = {
        "d": Shown.DONE,
        "n": Shown.NOT_DONE,
        "h": Shown.HALF,
        "u": Shown.UNTOLD,
        "i": Shown.NOTHING,
    }
    found = [Told(words="w", shown=letters[letter]) for letter in told]
    assert left(found, whole=whole) is expected
