"""Waking a worker once the transaction has committed. Rows are the truth; a wake may be lost.

Operations must not know the engine, so whoever knows it registers itself here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from django.db import connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from bot.conf import get_settings

logger = logging.getLogger("migration_bot")

Waker = Callable[[str, Sequence[str]], None]
"""Called with the task's name and the primary keys of rows, as texts; one wake for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakes:
    """Wakes as rows that somebody else writes with his own; ``written`` is to be called then."""

    rows: Sequence[models.Model]
    written: Callable[[], None]


RowMaker = Callable[[str, Sequence[str], str], Wakes | None]
"""As a waker, with a database's alias: None where these wakes are no rows in that database."""

_wakers: list[Waker] = []
_makers: dict[Waker, RowMaker] = {}


def register(waker: Waker, rows: RowMaker | None = None) -> None:
    """Add a waker; each is called for each wake."""
    if waker not in _wakers:
        _wakers.append(waker)
    if rows is not None:
        _makers[waker] = rows


def as_rows(task: str, *keys: object, using: str) -> Wakes | None:
    """What wakes ``task`` for each of these rows once it is written with them; None where that is
    not known, and ``wake`` has to be called."""
    maker = _makers.get(_wakers[0]) if len(_wakers) == 1 else None
    if maker is None:
        return None
    try:
        return maker(task, [str(key) for key in keys], using)
    except Exception:  # an outermost edge: what is wrong with it, the waker says when it is called
        logger.info("there are no rows for %s", task, exc_info=True)
        return None


class _Commit:
    """What the wakes of one transaction share when they are sent, one after the other."""

    def __init__(self) -> None:
        self.woken: set[tuple[str, str]] = set()
        self.silent: list[Waker] = []
        """Those that failed: each further try would hold the same click for as long again."""


_commits: WeakKeyDictionary[BaseDatabaseWrapper, _Commit] = WeakKeyDictionary()
"""By connection, that of the transaction whose wakes are not sent yet."""


def wake(task: str, *keys: object) -> None:
    """Wake ``task`` for each of these rows after the state transaction commits.

    Enqueued only then: on a broker a rolled-back transaction would have been run all the same.
    What one transaction wakes more than once is enqueued once. After the first failure the rest of
    them are left to the clock.
    """
    using = get_settings().state_database
    commit = _commits.setdefault(connections[using], _Commit())
    fire = partial(_fire, using, commit, task, [str(key) for key in keys])
    transaction.on_commit(fire, using=using)


def _fire(using: str, commit: _Commit, task: str, keys: Sequence[str]) -> None:
    if _commits.get(connections[using]) is commit:
        del _commits[connections[using]]  # What comes from here on is another transaction's.
    keys = [key for key in dict.fromkeys(keys) if (task, key) not in commit.woken]
    commit.woken.update((task, key) for key in keys)
    if not keys:
        return
    for waker in _wakers:
        if waker in commit.silent:
            continue
        try:
            waker(task, keys)
        except Exception:  # an outermost edge: the change has committed, and the clock wakes again
            commit.silent.append(waker)
            rows = ", ".join(keys)
            logger.exception("could not wake %s for %s; the clock will try again", task, rows)
