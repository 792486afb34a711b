"""The parent's end of a child process: hearing what it says, answering it, and seeing it end.

A child that runs is never killed from here: when the parent goes away, its pipes close, and the
child stops before its next step. Any other is, once nobody waits for it; of a parent that was
killed itself ``tether`` takes notice.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import time
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Protocol, Self

from bot.database.messages import (
    Answer,
    Died,
    Job,
    Message,
    PlanJob,
    ReconcileJob,
    RehearseJob,
)
from bot.database.messages_json import NotAMessage, from_line, to_line
from bot.database.printed import tail

logger = logging.getLogger(__name__)

UNKNOWN_EXIT = 255
"""Stands for an exit code that somebody else has collected."""
TAIL = 8_000
"""Bytes of a dead child's output that are told."""
GRACE = 5.0
"""Seconds that a child which has said its last word may take to be gone."""

_unreaped: list[Process] = []


class Process(Protocol):
    """What ``subprocess.Popen`` and a forked child have in common."""

    pid: int

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...


class Forked:
    """A forked child as ``Popen`` would show it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, minus the signal that ended it, or None while it lives."""
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._code = UNKNOWN_EXIT  # somebody else has waited for it
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, 9)


class Child:
    """One child and the two pipes to it. Use it as a context manager."""

    def __init__(
        self, process: Process, *, orders: int, messages: int, output: IO[bytes], job: Job
    ) -> None:
        self._process = process
        self._orders = orders
        self._messages = messages
        self._output = output
        self._job = job
        self._rest = b""
        self._ended = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(messages, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        return self._process.pid

    def messages(self, every: float) -> Iterator[Message | None]:
        """What the child says, as it says it, and None at least each ``every`` seconds.

        The Nones are there so that the parent can renew its lease, also while messages come
        thick and fast. Ends with a message that ``ends``, or with ``Died``.
        """
        due = time.monotonic() + every
        while True:
            line = self._line(max(0.0, due - time.monotonic()))
            if line == b"":
                self._ended = True
                yield self._died()
                return
            if line is not None and (message := _understood(line)):
                self._ended = message.ends
                yield message
                if message.ends:
                    return
            if time.monotonic() >= due:
                yield None
                due = time.monotonic() + every

    def answer(self, answer: Answer) -> None:
        """Answer a message that ``asks``. One that is gone hears nothing."""
        with contextlib.suppress(BrokenPipeError):
            write(self._orders, to_line(answer))

    def _line(self, timeout: float) -> bytes | None:
        """The next line, b"" when there will be none, None when there is none yet."""
        while b"\n" not in self._rest:
            if not self._selector.select(timeout):
                # A process that the migration started may hold the pipe open for longer than
                # the child lives, so its end is looked for as well.
                gone = self._process.poll() is not None and not self._selector.select(0)
                return b"" if gone else None
            data = os.read(self._messages, 1 << 16)
            if not data:
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _died(self) -> Died:
        code = _wait(self._process, GRACE)
        if code is None or code == UNKNOWN_EXIT:
            code, number = -1, 0
        else:
            code, number = (0, -code) if code < 0 else (code, 0)
        return Died(exit_code=code, signal=number, output=tail(self._output.fileno(), TAIL))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._selector.close()
        os.close(self._orders)
        os.close(self._messages)
        if self._ended:
            _wait(self._process, GRACE)
            self._forward_output()
        elif isinstance(self._job, (PlanJob, ReconcileJob)):
            self._process.kill()
            _wait(self._process, GRACE)
        elif isinstance(self._job, RehearseJob):
            self._end_group()
        self._output.close()
        if self._process.poll() is None:
            _unreaped.append(self._process)

    def _end_group(self) -> None:
        """End the child, which may clean up, and then whatever it started: each child leads a
        session of its own."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
            _wait(self._process, GRACE)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        _wait(self._process, GRACE)

    def _forward_output(self) -> None:
        """What a child printed belongs into this process's log, where somebody looks for it."""
        if text := tail(self._output.fileno(), TAIL).strip():
            logger.info("process %s wrote:\n%s", self.pid, text)


def _understood(line: bytes) -> Message | None:
    try:
        message = from_line(line)
    except NotAMessage:
        logger.exception("Something else wrote to the pipe of a child; it is left out.")
        return None
    return message if isinstance(message, Message) else None


def write(descriptor: int, data: bytes) -> None:
    """All of it, however little the pipe takes at a time."""
    while data:
        data = data[os.write(descriptor, data) :]


def _wait(process: Process, seconds: float) -> int | None:
    """Its exit code, or None when it still lives after ``seconds``."""
    until = time.monotonic() + seconds
    pause = 0.001
    while (code := process.poll()) is None and time.monotonic() < until:
        time.sleep(pause)
        pause = min(0.05, pause * 2)
    return code


def reap() -> None:
    """Collect children that were left to stop by themselves, so that none stays a zombie."""
    _unreaped[:] = [process for process in _unreaped if process.poll() is None]
