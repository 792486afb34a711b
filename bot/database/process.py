"""The process beside this one that plans or runs: how it is started, heard and answered.

A job needs the code as it lies on disk now. A warm process whose code is still that, and which has
one thread, forks; any other starts a fresh interpreter. Both speak the same lines over two pipes.
A child that runs is never killed from here: when the parent goes away, its pipes close, and the
child stops before its next step.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from django.core.cache import caches
from django.db import connections

from bot.conf import get_settings
from bot.database import child, freshness
from bot.database.messages import (
    Answer,
    Died,
    Job,
    Message,
    NotAMessage,
    PlanJob,
    RunJob,
    from_line,
    to_line,
)

__all__ = ["Child", "PlanJob", "RunJob", "start", "warm_up", "why_not_forked"]

logger = logging.getLogger(__name__)

TAIL = 8_000
"""Bytes of a dead child's output that are told."""
GRACE = 5.0
"""Seconds that a child which has said its last word may take to be gone."""

_unreaped: list[_Process] = []


class _Process(Protocol):
    """What ``subprocess.Popen`` and a forked child have in common."""

    pid: int

    def poll(self) -> int | None: ...
    def kill(self) -> None: ...


class _Forked:
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
                self._code = child.UNKNOWN_EXIT  # somebody else has waited for it
            else:
                self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, 9)


class Child:
    """One child and the two pipes to it. Use it as a context manager."""

    def __init__(
        self, process: _Process, *, orders: int, messages: int, output: IO[bytes], job: Job
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
            _write(self._orders, to_line(answer))

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
        if code is None or code == child.UNKNOWN_EXIT:
            code, signal = -1, 0
        else:
            code, signal = (0, -code) if code < 0 else (code, 0)
        return Died(exit_code=code, signal=signal, output=child.tail(self._output.fileno(), TAIL))

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
        elif isinstance(self._job, PlanJob):
            self._process.kill()
            _wait(self._process, GRACE)
        self._output.close()
        if self._process.poll() is None:
            _unreaped.append(self._process)

    def _forward_output(self) -> None:
        """What a child printed belongs into this process's log, where somebody looks for it."""
        if text := child.tail(self._output.fileno(), TAIL).strip():
            logger.info("process %s wrote:\n%s", self.pid, text)


def start(job: Job) -> Child:
    """Start a child on ``job``: forked where that is safe and the code is unchanged, else fresh."""
    _reap()
    because = why_not_forked()
    orders_read, orders = os.pipe()
    messages, messages_write = os.pipe()
    output = _output_file()
    process: _Process
    try:
        if because:
            logger.info("A new process is started, not forked: %s", because)
            process = _execute(orders_read, messages_write, output)
        else:
            process = _fork(orders_read, messages_write, output, close=(orders, messages))
    except BaseException:
        for descriptor in (orders, messages):
            os.close(descriptor)
        output.close()
        raise
    finally:
        os.close(orders_read)
        os.close(messages_write)
    with contextlib.suppress(BrokenPipeError):
        _write(orders, to_line(job))
    return Child(process, orders=orders, messages=messages, output=output, job=job)


def why_not_forked() -> str:
    """Why a fresh interpreter is needed, in words; empty when this process can fork."""
    if get_settings().code_reload != "auto":
        return "the setting code_reload asks for it"
    if sys.platform != "linux":
        return "forking is only known to be safe on Linux"
    if threading.active_count() > 1 or _kernel_threads() > 1:
        return "this process has more than one thread"
    if any(c.in_atomic_block for c in connections.all(initialized_only=True)):
        return "a transaction is open here"
    return freshness.what_changed()


def warm_up() -> None:
    """Load what a run needs beside models, so that forked children find it loaded.

    For a worker at its start. Migrations that cannot be loaded are left to the run to tell.
    """
    from django.core.management import get_commands, load_command_class
    from django.db.migrations.loader import MigrationLoader

    for name in ("carrying", "planner", "reconcile"):
        import_module(f"bot.database.{name}")
    freshness.remember()
    try:
        load_command_class(get_commands()["migrate"], "migrate")
        MigrationLoader(None, ignore_no_migrations=True)
    except Exception:
        # The project's own code runs here. Whatever is wrong with it must not stop a worker,
        # which may be about to be asked for a plan that says so.
        logger.exception("The migrations could not be loaded ahead of time.")
    finally:
        connections.close_all()


def _output_file() -> IO[bytes]:
    """A file without a name. Writers append, so that it can be cut while they hold it."""
    output = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (the Child closes it)
    flags = fcntl.fcntl(output, fcntl.F_GETFL)
    fcntl.fcntl(output, fcntl.F_SETFL, flags | os.O_APPEND)
    return output


def _kernel_threads() -> int:
    """Threads that Python knows nothing of count too (a library may start them)."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _fork(orders: int, messages: int, output: IO[bytes], *, close: tuple[int, ...]) -> _Process:
    """Fork. The child closes ``close``, works and never comes back from here."""
    connections.close_all()  # an inherited connection must be nobody's
    caches.close_all()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        child.after_fork(orders, messages, output.fileno(), close)
    return _Forked(pid)


def _execute(orders: int, messages: int, output: IO[bytes]) -> _Process:
    """Start a fresh interpreter that finds the same code in the same places."""
    places = [str(Path(place).resolve()) if place else str(Path.cwd()) for place in sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "bot.database.child", str(orders), str(messages)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=(orders, messages),
        start_new_session=True,
    )


def _understood(line: bytes) -> Message | None:
    try:
        message = from_line(line)
    except NotAMessage:
        logger.exception("Something else wrote to the pipe of a child; it is left out.")
        return None
    return message if isinstance(message, Message) else None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _wait(process: _Process, seconds: float) -> int | None:
    """Its exit code, or None when it still lives after ``seconds``."""
    until = time.monotonic() + seconds
    pause = 0.001
    while (code := process.poll()) is None and time.monotonic() < until:
        time.sleep(pause)
        pause = min(0.05, pause * 2)
    return code


def _reap() -> None:
    """Collect children that were left to stop by themselves, so that none stays a zombie."""
    _unreaped[:] = [process for process in _unreaped if process.poll() is None]
