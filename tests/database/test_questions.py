"""What a plan asks its database goes out together, and each question has its own answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import Error as DatabaseProblem

from bot.database.guard import WriteRefused
from bot.database.readonly import Looking, everything_read_only


@contextmanager
def sent(looking: Looking) -> Iterator[list[str]]:
    """The texts that go to the database meanwhile."""
    texts: list[str] = []

    def note(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        texts.append(sql)
        return execute(sql, *rest)

    looking.connection.ensure_connection()
    with looking.connection.execute_wrapper(note):
        yield texts


def test_a_question_waits_until_an_answer_is_needed(target: str, vendor: str) -> None:
    with everything_read_only(target) as looking, sent(looking) as texts:
        one = looking.questions.ask("SELECT 1, %s", ["a;b"])
        two = looking.questions.ask("SELECT 2 WHERE 1 = 0")
        assert texts == []
        assert list(two.rows()) == []
        assert [tuple(row) for row in one.rows()] == [(1, "a;b")]
        assert len(texts) == (1 if vendor == "postgresql" else 2)
        assert one.rows() == one.rows()
        assert len(texts) == (1 if vendor == "postgresql" else 2)


def test_one_that_fails_costs_the_others_nothing(target: str) -> None:
    with everything_read_only(target) as looking:
        before = looking.questions.ask("SELECT 1")
        wrong = looking.questions.ask("SELECT no_such_column")
        after = looking.questions.ask("SELECT 3")
        assert [tuple(row) for row in after.rows()] == [(3,)]
        assert [tuple(row) for row in before.rows()] == [(1,)]
        for _ in range(2):
            with pytest.raises(DatabaseProblem):
                wrong.rows()
        assert [tuple(row) for row in looking.questions.ask("SELECT 4").rows()] == [(4,)]


def test_what_the_guard_refuses_is_refused_alone(target: str) -> None:
    with everything_read_only(target) as looking:
        fine = looking.questions.ask("SELECT 1")
        writes = looking.questions.ask("DELETE FROM a")
        with pytest.raises(WriteRefused):
            writes.rows()
        assert [tuple(row) for row in fine.rows()] == [(1,)]


def test_several_statements_are_let_through_only_as_the_plans_own_questions(target: str) -> None:
    with everything_read_only(target) as looking:
        one, two = (looking.questions.ask(f"SELECT {number}") for number in (1, 2))
        assert [tuple(row) for row in (*one.rows(), *two.rows())] == [(1,), (2,)]
        with looking.connection.cursor() as cursor, pytest.raises(WriteRefused):
            cursor.execute("SELECT 1; SELECT 2")
