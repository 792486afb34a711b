"""What many threads wish for at the same moment, one of them does for all: group commit.

A thread that comes while nobody is at it does what it wishes for at once. Whoever comes meanwhile
waits, and then one of those does it for all who wait, in the few statements that it would have
needed for itself. So nobody waits for company, and the more come, the less each costs.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import connections

logger = logging.getLogger("migration_bot")

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")

LARGEST = 16
"""Wishes that are done at once: a statement has only so many parameters."""
PATIENCE = 1.0
"""Seconds that a wish waits to be taken up; then its thread does it alone."""


class _Place(Generic[Wish, Answer]):
    """One thread's place in the queue. ``turn`` opens when it is answered, or when it leads."""

    __slots__ = ("answers", "leads", "turn", "wish")

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.answers: tuple[Answer | Exception, ...] = ()
        """The one answer, once it is there."""
        self.leads = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Together(Generic[Wish, Answer]):
    """Calls ``work`` with the wishes of all threads that wait, and gives each its own answer.

    ``work`` gives one answer for each wish, in their order; an exception among them is raised to
    that thread alone. When ``work`` itself raises, whose fault it is cannot be told: each of these
    threads then calls it again with its own wish only, on its own connection. So it must be safe to
    find that a part of it was done already.
    """

    def __init__(self, work: Callable[[Sequence[Wish]], Sequence[Answer | Exception]]) -> None:
        self._work = work
        self._guard = threading.Lock()
        """Held for a moment only, never while anything is done."""
        self._waiting: deque[_Place[Wish, Answer]] = deque()
        self._led = False
        """Whether some thread leads: while nobody does, nobody waits."""

    def do(self, wish: Wish, *, alone: bool = False) -> Answer:
        """Have this done with whatever else waits; its answer, or whatever it raises."""
        if alone or any(one.in_atomic_block for one in connections.all(initialized_only=True)):
            return self._alone(wish)  # It belongs into that transaction, on that connection.
        place: _Place[Wish, Answer] = _Place(wish)
        with self._guard:
            self._waiting.append(place)
            place.leads, self._led = not self._led, True
        try:
            if not place.leads:
                self._wait(place)
            if place.leads:
                self._lead(place)
        finally:
            self._leave(place)
        return _given(place.answers[0]) if place.answers else self._alone(wish)

    def _alone(self, wish: Wish) -> Answer:
        return _given(self._work([wish])[0])

    def _wait(self, place: _Place[Wish, Answer]) -> None:
        """Until it is answered or leads, or was waiting in vain for so long that it leaves."""
        if place.turn.acquire(timeout=PATIENCE):
            return
        with self._guard:
            if place in self._waiting and not place.leads:
                self._waiting.remove(place)
                return
        place.turn.acquire()  # It is being done right now, as one's own statement would be.

    def _lead(self, place: _Place[Wish, Answer]) -> None:
        """Do what all of them wish for; ``place`` is the first."""
        with self._guard:
            count = min(len(self._waiting), LARGEST)
            batch = [self._waiting.popleft() for _ in range(count)]
        try:
            answers = self._work([each.wish for each in batch])
            for each, answer in zip(batch, answers, strict=True):
                each.answers = (answer,)
        except Exception:
            if count == 1:
                raise
            logger.info("%s wishes are done again, each alone", count, exc_info=True)
        finally:
            for each in batch:
                each.turn.release()

    def _leave(self, place: _Place[Wish, Answer]) -> None:
        """Go, whatever came of it; whoever led lets the next one lead."""
        with self._guard:
            if place in self._waiting:
                self._waiting.remove(place)
            if not place.leads:
                return
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].leads = True
                self._waiting[0].turn.release()


def _given(answer: Answer | Exception) -> Answer:
    if isinstance(answer, Exception):
        raise answer
    return answer
