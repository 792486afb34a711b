"""``migration_bot worker``: everything one machine needs, started, watched and restarted.

The supervisor is one process with one thread. It runs the clock and the heartbeat, and has one
child for each queue: with django-tasks-db a database worker, forked when something waits in the
queue and gone again when nothing has for a while; with Celery a Celery worker of its own, always. A
child that dies is started again, sooner at first and then more slowly.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib import import_module
from types import FrameType

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from bot import carry_out, clock, prepare
from bot.conf import get_settings
from bot.database import process
from bot.engines.which import SUPERVISOR, Engine, engine
from bot.models import Worker
from bot.moment import utc_now
from bot.operations import clocks

logger = logging.getLogger("migration_bot")

LOOK = 0.2
"""Seconds between two looks at the children; the setting ``poll_interval`` where that is less."""
TICK = 1.0
"""Seconds between two looks of the clock."""
AFTER_TROUBLE = 5.0
"""Seconds until the clock or the queue is looked at again when that failed."""
TIDY = 3600.0
FIRST_TIDY = 60.0
"""Seconds until the first tidying: a worker that is restarted more often than hourly tidies too,
and one that is started again and again does not each time."""
KEPT = timedelta(days=2)
"""How long the engine's own record of a task is kept."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a child that died is started again, doubled each time it dies young."""
YOUNG = 60.0


@dataclass(kw_only=True)
class Part:
    """One child: what it is called, how it is started, and how it has fared."""

    name: str
    start: Callable[[], int]
    """Starts it and gives its pid."""
    pid: int = 0
    started_at: float = 0.0
    due_at: float = 0.0
    pause: float = field(default=FIRST_PAUSE)

    def ended(self, at: float, *, in_order: bool) -> None:
        """Note that it ended, and when it may be started again."""
        if in_order or at - self.started_at > YOUNG:
            self.pause = FIRST_PAUSE
        self.pid, self.due_at = 0, at + (0.0 if in_order else self.pause)
        self.pause = self.pause if in_order else min(self.pause * 2, LONGEST_PAUSE)


class Supervisor:
    """Keeps the parts of one machine alive until it is told to stop."""

    def __init__(
        self,
        parts: list[Part],
        *,
        say: Callable[[str], None],
        waiting: Callable[[], Collection[str]] | None = None,
        every: float = LOOK,
        tidy: Callable[[datetime], object] = lambda now: None,
    ) -> None:
        """``waiting`` names the parts that have something to do: only those are started, and one
        that has nothing more to do ends in order. Without it all are kept running. ``every`` is
        the pause between two looks, in seconds; ``tidy`` is called with the time soon
        after the start, then once an hour."""
        self.parts = parts
        self.say = say
        self.stopping = 0
        self.name = f"{carry_out.worker_name()}:worker"
        self.started_at = utc_now()
        self._waiting = waiting
        self._every = every
        self._tidy = tidy
        self._next_tick = self._next_beat = self._next_look = 0.0
        self._next_tidy = time.monotonic() + FIRST_TIDY

    def run(self) -> None:
        """Until SIGTERM or SIGINT; children then end what they do, and a second one ends them."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        queues = ", ".join(part.name for part in self.parts) or "none"
        self.say(f"worker {self.name} on queues {queues}")
        while not (self.stopping and not any(part.pid for part in self.parts)):
            self._reap()
            self._start_wanted()
            self._tell_time()
            time.sleep(self._every)
        with contextlib.suppress(DatabaseError):
            close_old_connections()
            Worker.objects.using(get_settings().state_database).filter(pk=self.name).delete()
        self.say("worker stopped")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping += 1
        for part in self.parts:
            if part.pid:
                _terminate(part.pid)

    def _start_wanted(self) -> None:
        """Start what is not there and has something to do. A failure is tried again."""
        at = time.monotonic()
        idle = [part for part in self.parts if not part.pid and at >= part.due_at]
        if self.stopping or not idle or at < self._next_look:
            return
        try:
            wanted = {part.name for part in idle} if self._waiting is None else self._waiting()
            for part in idle:
                if part.name in wanted and not self.stopping:
                    self._start(part)
        except Exception:  # an outermost edge: the supervisor outlives a database that is down
            logger.exception("the queue could not be looked at or worked on; trying again")
            self._next_look = time.monotonic() + AFTER_TROUBLE
            connections.close_all()

    def _start(self, part: Part) -> None:
        process.leave_connections()
        part.pid = part.start()
        part.started_at = time.monotonic()
        if self.stopping:  # Told while it was being started: it was in no list yet.
            _terminate(part.pid)

    def _reap(self) -> None:
        for part in self.parts:
            if not part.pid:
                continue
            try:
                pid, status = os.waitpid(part.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = part.pid, 0
            if pid:
                code = os.waitstatus_to_exitcode(status)
                in_order = code == 0 and self._waiting is not None
                part.ended(time.monotonic(), in_order=in_order)
                if not self.stopping and not in_order:
                    self.say(f"{part.name} ended with {code}; starting it again")

    def _tell_time(self) -> None:
        """The clock and the heartbeat. A database that is down stops neither for longer."""
        at = time.monotonic()
        try:
            if at >= self._next_beat:
                self._next_beat = at + get_settings().lease / 6
                self._beat(utc_now())
            if at >= self._next_tick and not self.stopping:
                self._next_tick = at + TICK
                close_old_connections()
                clock.tick(now=utc_now(), ahead=clocks.ahead())
            if at >= self._next_tidy:
                self._next_tidy = at + TIDY
                clock.tidy(now=utc_now())
                self._tidy(utc_now())
        except Exception:  # an outermost edge: the supervisor outlives whatever the clock meets
            logger.exception("the clock failed; it tries again")
            self._next_tick = self._next_beat = time.monotonic() + AFTER_TROUBLE
            connections.close_all()

    def _beat(self, now: datetime) -> None:
        ahead = clocks.ahead()
        Worker.objects.using(get_settings().state_database).update_or_create(
            pk=self.name,
            defaults={
                "kind": "worker",
                "release": get_settings().release,
                "started_at": self.started_at,
                "beat_at": now,
                "ahead": None if ahead is None else round(ahead * 1000),
            },
        )


def supervise(*, say: Callable[[str], None] = print) -> None:
    """Run everything this machine needs, by the engine that the settings name, until stopped."""
    settings = get_settings()
    queues = settings.queues
    _sweep()
    found = engine()
    if found is Engine.CELERY:
        parts = [Part(name=queue, start=_celery(queue)) for queue in queues]
        Supervisor(parts, say=say).run()
        return
    if found is Engine.OTHER:
        say("The engine in TASKS is none of ours: its workers are the project's to start.")
        Supervisor([], say=say).run()
        return
    from bot.engines.database import forget_old, waiting_in

    import_module("bot.tasks")  # here once, so that no child has to
    process.warm_up()
    Supervisor(
        [Part(name=queue, start=_database_worker(queue)) for queue in queues],
        say=say,
        waiting=partial(waiting_in, queues),
        every=min(LOOK, max(settings.poll_interval, 0.01)),
        tidy=lambda now: forget_old(queues, before=now - KEPT),
    ).run()


def _sweep() -> None:
    """Begin without what a killed rehearsal left behind; that this fails must stop no worker."""
    try:
        prepare.sweep()
    except Exception:  # whatever is wrong there, the clock tries again
        logger.exception("what rehearsals left behind could not be looked for")
    finally:
        connections.close_all()


def _terminate(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def _fork() -> int:
    """Fork a child that dies of SIGTERM and SIGINT until it says otherwise.

    It leads a process group of its own, so that a Ctrl-C in the terminal reaches the supervisor
    alone, which passes it on: from both it would be two, and the second one cuts off a run.

    It would inherit the supervisor's handler, which does not end a child: a signal that came before
    the child had a handler of its own would be lost, and the supervisor would wait for it for ever.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    try:
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def _database_worker(queue: str) -> Callable[[], int]:
    def start() -> int:
        pid = _fork()
        if pid:
            return pid
        code = 1
        try:
            from bot.engines.database import work

            work(queue)
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:  # the outermost edge of this process
            logger.exception("the worker of %s failed", queue)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    return start


def _celery(queue: str) -> Callable[[], int]:
    def start() -> int:
        command = [sys.executable, "-m", "celery", "-A", "bot.engines.celery", "worker"]
        command += ["--queues", queue, "--concurrency", "1", "--loglevel", "WARNING"]
        command += ["--hostname", f"{queue}.{os.getpid()}@%h", "--without-gossip"]
        command += ["--without-mingle", "--optimization", "fair"]
        path = os.pathsep.join(part for part in sys.path if part)
        environment = {**os.environ, "PYTHONPATH": path, SUPERVISOR: str(os.getpid())}
        return subprocess.Popen(command, env=environment, process_group=0).pid

    return start
