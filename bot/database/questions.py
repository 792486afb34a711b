"""What a plan asks its database of itself: what can wait goes out with the next question, as each
way there and back counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import Error as DatabaseProblem

from bot.database.guard import Guard, WriteRefused
from bot.rows import Query, select

Rows = list[tuple[Any, ...]]


class Question:
    """One query, and what came of it once it was sent."""

    def __init__(self, query: Query, send: Callable[[], None]) -> None:
        self.query = query
        self.answer: Rows | Exception | None = None
        self._send = send

    def rows(self) -> Rows:
        """The answer, for which all that waits is sent now. Raises what the database raised, and
        WriteRefused."""
        if self.answer is None:
            self._send()
        if isinstance(self.answer, Exception):
            raise self.answer
        assert self.answer is not None
        return self.answer


class Questions:
    """Asks the database behind ``alias``, past its ``guard``; ``mend`` is called after a query that
    failed, so that the next one is answered."""

    def __init__(self, alias: str, guard: Guard, mend: Callable[[], None]) -> None:
        self._alias = alias
        self._guard = guard
        self._mend = mend
        self._waiting: list[Question] = []

    def ask(self, sql: str, params: Sequence[Any] = ()) -> Question:
        """A question that waits until its answer, or another's, is needed."""
        question = Question((sql, params), self._send)
        self._waiting.append(question)
        return question

    def _send(self) -> None:
        """All that waits in one message where the driver takes several, else one by one; where one
        of them fails, each for itself."""
        waiting, self._waiting = self._waiting, []
        try:
            with self._guard.several([one.query[0] for one in waiting]):
                answers = select(*(one.query for one in waiting), using=self._alias)
        except (DatabaseProblem, WriteRefused) as error:
            self._mend()
            if len(waiting) == 1:
                waiting[0].answer = error
                return
            for one in waiting:
                self._waiting = [one]
                self._send()
        else:
            for one, rows in zip(waiting, answers, strict=True):
                one.answer = rows
