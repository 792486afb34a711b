"""Who is in the way: asked each second, beside the statement that waits."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import Error as DatabaseProblem

from bot.conf import get_settings
from bot.database.messages import Waiting
from bot.route.refusals import Refused

logger = logging.getLogger(__name__)

_AGE = re.compile(r"\bfor \d+ s\b")
"""How long somebody has been at it: it grows each second, and is no news."""

MOST, LEAST = 1.0, 0.1
"""Seconds between two looks; shorter where a statement soon gives up waiting."""


class Watcher:
    """A thread that tells when the set of blockers changes while a step runs.

    ``look`` says who blocks now, in words, over a connection of its own. Whatever goes wrong here
    never touches the run: it watches, and no more.
    """

    def __init__(
        self, look: Callable[[], tuple[str, ...]], tell: Callable[[Waiting], None]
    ) -> None:
        self._look = look
        self._tell = tell
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="blockers", daemon=True)
        self._step = ""
        self._told: tuple[str, ...] = ()
        self._last: tuple[str, ...] = ()

    def begin(self, step: str) -> None:
        """A step, or another try at it, begins."""
        with self._turn:
            self._step, self._told, self._last = step, (), ()

    def end(self) -> tuple[str, ...]:
        """The step is over; who was last seen in its way."""
        with self._turn:
            if self._told:
                self._tell(Waiting(step=self._step))
            last, self._step, self._told, self._last = self._last, "", (), ()
            return last

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(timeout=MOST)

    def _watch(self) -> None:
        lock_timeout = get_settings().lock_timeout
        pause = min(MOST, max(LEAST, lock_timeout / 4)) if lock_timeout else MOST
        while not self._over.wait(pause):
            if not self._step:
                continue
            try:
                self._notice(self._step, self._look())
            except (DatabaseProblem, Refused, OSError) as error:
                logger.info("Who blocks %s could not be read: %s", self._step, error)
            except Exception:
                # A thread's outermost edge: a driver's surprise must not print over the run.
                logger.exception("Looking for blockers failed; the run goes on without.")
                return

    def _notice(self, step: str, found: tuple[str, ...]) -> None:
        with self._turn:
            if step != self._step:
                return
            if found:
                self._last = found
            if _who(found) != _who(self._told):
                self._told = found
                self._tell(Waiting(step=step, blockers=found))


def _who(blockers: tuple[str, ...]) -> tuple[str, ...]:
    """The same blockers, whatever their ages."""
    return tuple(_AGE.sub("", words) for words in blockers)
