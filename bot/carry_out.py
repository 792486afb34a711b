"""A worker's part in a run: it watches a child and tells operations.

The child does the work in a process that has loaded the code as it lies on disk now. This side
holds the lease: it renews it at each quiet interval and before each step, and a step begins only
after its row says so. When the lease is lost the child is told to stop before its next step.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections

from bot import operations
from bot.conf import get_settings
from bot.database import process
from bot.database.messages import (
    Answer,
    Broke,
    DataAsked,
    Died,
    Finished,
    FoundStale,
    Locked,
    Message,
    RefusedHere,
    Retrying,
    RunJob,
    StepDone,
    StepStarting,
    Stopped,
    Waiting,
)
from bot.moment import Clock, utc_now
from bot.operations import interrupting, running
from bot.operations.beginning import NotNow
from bot.operations.reading import data_checks
from bot.operations.running import Claim, LeaseLost
from bot.route.states import State
from bot.settle import reconcile_run

logger = logging.getLogger("migration_bot")

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that the last word on a run is tried to be written before the lease's end tells it."""


def worker_name() -> str:
    """``host:pid``, as it stands in a run and in the audit."""
    return f"{socket.gethostname()}:{os.getpid()}"


def carry_out(run_id: int, *, clock: Clock = utc_now) -> None:
    """Carry out one queued run to its end. Does nothing when somebody else has it."""
    claimed = running.claim(run_id, worker=worker_name(), now=clock())
    if claimed is None:
        return
    hold, run = claimed
    plan = run.stored_plan.plan
    job = RunJob(
        run=run.pk,
        database=run.database,
        target=plan.target,
        basis=plan.basis,
        release=get_settings().release,
        checks=data_checks(run),
    )
    watch = Watch(hold=hold, clock=clock)
    with process.start(job) as child:
        for message in child.messages(every=get_settings().lease / 6):
            answer = watch.hear(message)
            if answer is not None:
                child.answer(answer)
    if watch.interrupted:
        reconcile_run(run_id, clock=clock)
    operations.queue_due(now=clock())


@dataclass(kw_only=True)
class Watch:
    """Hears one child and tells operations, for as long as the lease is ours."""

    hold: Claim
    clock: Clock
    lost: str = ""
    """Why this worker may no longer write about the run; empty while it may."""
    started: bool = False
    not_now: str = ""
    """Why the run could not begin at this moment; it is given back and tried again."""
    interrupted: bool = False
    untold: list[StepDone | DataAsked | Retrying] = field(default_factory=list)
    """What belongs into the audit and could not be written yet, in the order in which it was."""

    def hear(self, message: Message | None) -> Answer | None:
        """Take one message in; the answer where it asks for one."""
        if message is None:
            self._renew()
            return None
        try:
            if message.asks:
                return self._asked_for(message)
            if message.ends:
                self._patiently(PATIENCE, lambda: self._ended(message))
            else:
                self._on_the_way(message)
        except LeaseLost:
            self._lose("the lease on this run was lost")
        except DatabaseError as error:
            logger.warning("run %s: the bot's own tables do not answer: %s", self.hold.run, error)
            close_old_connections()
        return None

    def _patiently(self, seconds: float, write: Callable[[], T]) -> T:
        """What ``write`` returns, tried again for ``seconds`` while the database does not answer.

        A connection that broke stays broken until it is closed, so it is, where it is of no use.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                return write()
            except DatabaseError as error:
                close_old_connections()
                if time.monotonic() >= until:
                    raise
                logger.warning("run %s: trying again to write: %s", self.hold.run, error)
                time.sleep(min(1.0, seconds / 10))

    def _renew(self) -> None:
        try:
            running.renew(self.hold, now=self.clock())
        except LeaseLost:
            self._lose("the lease on this run was lost")
        except DatabaseError as error:
            logger.warning("run %s: the lease could not be renewed: %s", self.hold.run, error)
            close_old_connections()

    def _lose(self, because: str) -> None:
        if not self.lost:
            logger.error("run %s: %s; stopping before its next step", self.hold.run, because)
        self.lost = because

    def _asked_for(self, message: Message) -> Answer:
        """Yes only once the row says that it may begin; no row, no step."""
        if self.lost:
            return Answer(go=False, because=self.lost)
        try:
            return self._patiently(get_settings().lease, lambda: self._may_begin(message))
        except LeaseLost:
            self._lose("the lease on this run was lost")
            return Answer(go=False, because=self.lost)
        except DatabaseError as error:
            logger.exception("run %s: not begun, its row cannot be written", self.hold.run)
            return Answer(go=False, because=f"The bot's own tables do not answer: {error}")

    def _may_begin(self, message: Message) -> Answer:
        self._tell_untold()
        now = self.clock()
        if isinstance(message, Locked):
            try:
                run = running.start(self.hold, message.basis, now=now)
            except NotNow as error:
                self.not_now = error.because
                return Answer(go=False, because=error.because)
            self.started = run.state == State.RUNNING
            return Answer(go=self.started, because="it went stale")
        if isinstance(message, StepStarting):
            running.step_starting(self.hold, message.app, message.name, now=now)
            return Answer(go=True)
        raise TypeError(f"nobody answers {type(message).__name__}")

    def _on_the_way(self, message: Message) -> None:
        match message:
            case StepDone() | DataAsked() | Retrying():
                self.untold.append(message)
                self._tell_untold()
            case Waiting():
                self._tell_untold()
                running.waiting(self.hold, message.blockers, now=self.clock())

    def _tell_untold(self) -> None:
        """Write what is untold. What cannot be written now stays in the list and is written before
        the next word, so that the audit misses nothing. Where only a commit's answer was lost, it
        may have what was said twice, but a step once."""
        while self.untold:
            self._tell(self.untold[0], self.clock())
            del self.untold[0]

    def _tell(self, message: StepDone | DataAsked | Retrying, now: datetime) -> None:
        match message:
            case StepDone():
                running.step_done(
                    self.hold,
                    message.app,
                    message.name,
                    milliseconds=message.milliseconds,
                    now=now,
                )
            case DataAsked():
                running.data_checked(
                    self.hold,
                    holds=message.holds,
                    broken=message.broken,
                    not_checked=message.not_checked,
                    now=now,
                )
            case Retrying():
                running.retrying(
                    self.hold,
                    message.step,
                    attempt=message.attempt,
                    because=message.because,
                    blockers=message.blockers,
                    now=now,
                )

    def _ended(self, message: Message) -> None:
        """Write how it ended: the end of a run is not lost for a database that is down a while."""
        self._tell_untold()
        now = self.clock()
        match message:
            case Finished():
                running.succeed(self.hold, message.applied, now=now)
            case FoundStale():
                running.go_stale(self.hold, message.basis, now=now)
            case Broke():
                self._broke(message, now)
            case Stopped():
                if self.started:
                    running.stopped(self.hold, because=message.because, done=message.done, now=now)
                elif self.not_now:
                    running.let_go(self.hold, because=self.not_now, now=now)
            case RefusedHere() if message.retry:
                running.let_go(self.hold, because=message.sentence, now=now)
            case RefusedHere():
                running.fail(self.hold, error=message.sentence, traceback=message.detail, now=now)
            case Died():
                self._died(message, now)

    def _broke(self, message: Broke, now: datetime) -> None:
        words = [f"{message.error_type}: {message.error}", *message.blockers]
        running.fail(
            self.hold,
            error="\n".join(words),
            step=message.step,
            statement=message.statement,
            traceback="\n".join(part for part in (message.traceback, message.output) if part),
            done=message.done,
            now=now,
        )

    def _died(self, message: Died, now: datetime) -> None:
        if not self.started:
            error = f"{message.words} Nothing had been run."
            running.fail(self.hold, error=error, traceback=message.output, now=now)
            return
        because = message.words
        self.interrupted = bool(
            interrupting.interrupt(self.hold.run, because=because, now=now, hold=self.hold)
        )
