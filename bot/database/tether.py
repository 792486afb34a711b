"""Ends a child whose parent is gone, however the parent ended: kill -9 too.

For children that only look or rehearse; one that runs migrations stops before its next step, by
itself. The pipe of the orders tells: the kernel closes the parent's end of it, on every system.
Whoever can hear that is told to end (SIGTERM), and killed with all that it started once it has
cleaned up, or has not.
Code that never lets another thread of Python have its turn hears nothing: where a child has only so
much time, as a rehearsal has, the kernel ends it when that is up, by an alarm.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

CLEANING = 5.0
"""Seconds that a child which was told to end may take to clean up."""
LATE = 20.0
"""Seconds beyond a child's time after which the kernel ends it: a parent that is there did so."""


@contextmanager
def ended_with_parent(orders: int, *, seconds: float | None = None) -> Iterator[None]:
    """End this process when the other end of ``orders`` is closed, from which nothing more may
    come; and after ``seconds`` and some, where that is given. To be used in the main thread."""
    tether = _Tether()
    watcher = threading.Thread(
        target=tether.watch, args=(orders,), name="migration_bot_tether", daemon=True
    )
    if seconds is not None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds + LATE)
    watcher.start()
    try:
        yield
    finally:
        tether.cut()
        if seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)


class _Tether:
    """What the thread that listens and the one that works know of each other."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._done = threading.Event()
        self._told = False

    def watch(self, orders: int) -> None:
        """Wait for the end of ``orders``, and then for the end of this process."""
        while os.read(orders, 1):  # Nobody says anything more, but it would be no end.
            pass
        with self._turn:
            if self._done.is_set():
                return
            self._told = True
            os.kill(os.getpid(), signal.SIGTERM)
        self._done.wait(CLEANING)
        _kill_all()

    def cut(self) -> None:
        """The work is done. Where nobody was there to hear of it, it is the end of everything."""
        with self._turn:
            self._done.set()
        if self._told:
            _kill_all()


def _kill_all() -> None:
    """This process and what it started; a child leads a group of its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
