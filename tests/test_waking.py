"""What a transaction wakes once it has committed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction

from bot import waking
from bot.waking import wake

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """What the one waker is told."""
    calls: list[tuple[str, list[str]]] = []

    def waker(task: str, keys: Sequence[str]) -> None:
        calls.append((task, list(keys)))

    monkeypatch.setattr(waking, "_wakers", [waker])
    return calls


def test_what_one_transaction_wakes_several_times_is_woken_once(told: Any) -> None:
    with transaction.atomic():
        wake("deliver", "C0")
        wake("deliver", "C0", "C1", "C1")
        with transaction.atomic():
            wake("deliver", "C0")
        wake("carry_out", "C0")
    assert told == [("deliver", ["C0"]), ("deliver", ["C1"]), ("carry_out", ["C0"])]


def test_each_transaction_wakes_anew(told: Any) -> None:
    for _ in range(2):
        with transaction.atomic():
            wake("deliver", "C0")
    wake("deliver", "C0")
    assert told == [("deliver", ["C0"])] * 3


def test_what_was_rolled_back_wakes_nothing_and_keeps_nothing_from_waking(told: Any) -> None:
    with transaction.atomic():
        wake("deliver", "C0")
        transaction.set_rollback(True)
    with transaction.atomic():
        with transaction.atomic():
            wake("deliver", "C0")
            transaction.set_rollback(True)
        wake("deliver", "C0")
    assert told == [("deliver", ["C0"])]


def test_a_wake_that_is_asked_for_while_others_are_sent_is_sent_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    def waker(task: str, keys: Sequence[str]) -> None:
        said.append(task)
        if said == ["deliver"]:
            with transaction.atomic():
                wake("deliver", *keys)

    monkeypatch.setattr(waking, "_wakers", [waker])
    with transaction.atomic():
        wake("deliver", "C0")
        wake("carry_out", "1")
    assert sorted(said) == ["carry_out", "deliver", "deliver"]


def test_after_the_first_failure_the_rest_of_a_transactions_wakes_is_left_to_the_clock(
    told: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    tries: list[str] = []

    def silent(task: str, keys: Sequence[str]) -> None:
        tries.append(task)
        raise TimeoutError

    monkeypatch.setattr(waking, "_wakers", [silent, *waking._wakers])
    with caplog.at_level(logging.ERROR, "migration_bot"):
        for _ in range(2):
            with transaction.atomic():
                wake("deliver", "C0")
                wake("carry_out", "1")
    assert tries == ["deliver", "deliver"], "one try for each transaction"
    assert len(caplog.records) == 2
    assert told == [("deliver", ["C0"]), ("carry_out", ["1"])] * 2, "another waker is told all"
