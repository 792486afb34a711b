"""Waking a worker once the transaction has committed. Rows are the truth; a wake may be lost.

Operations must not know the engine, so whoever knows it registers itself here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from django.db import transaction

from bot.conf import get_settings

logger = logging.getLogger("migration_bot")

Waker = Callable[[str, str], None]
"""Called with the task's name and the row's primary key as text."""

_wakers: list[Waker] = []


def register(waker: Waker) -> None:
    """Add a waker; each is called for each wake."""
    if waker not in _wakers:
        _wakers.append(waker)


def wake(task: str, key: object) -> None:
    """Wake ``task`` for the row ``key`` after the state transaction commits.

    Enqueued only then: on a broker a rolled-back transaction would have been run all the same.
    """
    using = get_settings().state_database
    transaction.on_commit(partial(_fire, task, str(key)), using=using)


def _fire(task: str, key: str) -> None:
    for waker in _wakers:
        try:
            waker(task, key)
        except Exception:  # an outermost edge: the change has committed, and the clock wakes again
            logger.exception("could not wake %s for %s; the clock will try again", task, key)
