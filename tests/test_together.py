from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot import together
from bot.together import LARGEST, Together


class Desk:
    """Doubles numbers, keeps what it was asked, and can be told to wait while it works."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.open = threading.Event()
        self.open.set()
        self.begun = threading.Event()
        self.poison: frozenset[int] = frozenset()
        self.refused: frozenset[int] = frozenset()

    def work(self, wishes: Sequence[int]) -> list[int | Exception]:
        self.batches.append(list(wishes))
        self.begun.set()
        assert self.open.wait(10)
        if self.poison.intersection(wishes):
            raise ValueError(f"poison among {len(wishes)}")
        return [KeyError(each) if each in self.refused else each * 2 for each in wishes]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def crowd(desk: Desk) -> Callable[..., dict[int, Any]]:
    """Wishes for 1, and for the others while that is being done; what became of each."""

    def make(first: int, others: Sequence[int], doing: Together[int, int]) -> dict[int, Any]:
        def one(wish: int) -> Any:
            try:
                return doing.do(wish)
            except (ValueError, KeyError) as error:
                return error

        desk.open.clear()
        with ThreadPoolExecutor(len(others) + 1) as pool:
            begun = {first: pool.submit(one, first)}
            assert desk.begun.wait(10)
            begun |= {wish: pool.submit(one, wish) for wish in others}
            while len(doing._waiting) < len(others):
                threading.Event().wait(0.001)
            desk.open.set()
            return {wish: future.result(timeout=10) for wish, future in begun.items()}

    return make


def test_one_who_comes_alone_waits_for_nobody(desk: Desk) -> None:
    assert Together(desk.work).do(4) == 8
    assert desk.batches == [[4]]


def test_those_who_come_meanwhile_are_done_at_once_and_each_gets_its_own(
    desk: Desk, crowd: Any
) -> None:
    others = list(range(2, 9))
    told = crowd(1, others, Together(desk.work))
    assert told == {wish: wish * 2 for wish in (1, *others)}
    assert [sorted(batch) for batch in desk.batches] == [[1], others]


def test_a_crowd_is_done_in_parts(desk: Desk, crowd: Any) -> None:
    others = list(range(2, 2 + LARGEST + 4))
    assert crowd(1, others, Together(desk.work)) == {wish: wish * 2 for wish in (1, *others)}
    assert [len(batch) for batch in desk.batches] == [1, LARGEST, 4]


def test_an_answer_that_is_a_refusal_is_raised_to_its_own_thread_alone(
    desk: Desk, crowd: Any
) -> None:
    desk.refused = frozenset({3})
    told = crowd(1, [2, 3, 4], Together(desk.work))
    assert isinstance(told.pop(3), KeyError)
    assert told == {1: 2, 2: 4, 4: 8}


def test_what_breaks_all_of_them_is_done_again_alone_and_hurts_only_whose_it_is(
    desk: Desk, crowd: Any
) -> None:
    desk.poison = frozenset({3})
    told = crowd(1, [2, 3, 4], Together(desk.work))
    assert str(told.pop(3)) == "poison among 1"
    assert told == {1: 2, 2: 4, 4: 8}


def test_a_leader_that_is_cut_off_leaves_nobody_waiting(desk: Desk, crowd: Any) -> None:
    cut = iter([True])

    def work(wishes: Sequence[int]) -> list[int | Exception]:
        if len(wishes) > 1 and next(cut, False):
            raise SystemExit
        return desk.work(wishes)

    doing = Together(work)
    with pytest.raises(SystemExit):
        crowd(1, [2, 3, 4], doing)
    assert doing.do(5) == 10
    done = {wish for batch in desk.batches for wish in batch}
    assert len(done & {2, 3, 4}) == 2, "all but the one that was cut off"


def test_whoever_waits_too_long_to_be_taken_up_does_it_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "PATIENCE", 0.05)
    blocked = threading.Event()

    def work(wishes: Sequence[int]) -> list[int | Exception]:
        if wishes[0] == 1:
            desk.begun.set()
            assert blocked.wait(10)
        return [each * 2 for each in wishes]

    doing = Together(work)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(doing.do, 1)
        assert desk.begun.wait(10)
        assert doing.do(2) == 4
        blocked.set()
        assert first.result(timeout=10) == 2
    assert not doing._led


@pytest.mark.django_db
def test_inside_a_transaction_it_is_done_on_its_own_connection(desk: Desk, crowd: Any) -> None:
    desk.open.clear()
    doing = Together(desk.work)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(doing.do, 1)
        assert desk.begun.wait(10)
        threading.Timer(0.2, desk.open.set).start()
        with transaction.atomic():
            assert doing.do(2) == 4
        assert first.result(timeout=10) == 2
    assert desk.batches == [[1], [2]]


@hypothesis_settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(["fine", "refused", "poison"]), min_size=1, max_size=40))
def test_none_is_lost_and_none_is_doubled(kinds: list[str]) -> None:
    kept: list[int] = []
    guard = threading.Lock()

    def work(wishes: Sequence[int]) -> list[int | Exception]:
        if any(kinds[each] == "poison" for each in wishes):
            raise ValueError
        answers: list[int | Exception] = []
        for each in wishes:
            if kinds[each] == "refused":
                answers.append(KeyError(each))
                continue
            with guard:
                kept.append(each)
            answers.append(each)
        return answers

    doing = Together(work)

    def one(wish: int) -> str:
        try:
            assert doing.do(wish) == wish
        except KeyError as error:
            return "refused" if error.args == (wish,) else "another's"
        except ValueError:
            return "poison"
        return "fine"

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(len(kinds)))) == kinds
    assert sorted(kept) == [each for each, kind in enumerate(kinds) if kind == "fine"]
