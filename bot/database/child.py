"""The child's side: take a job from the pipe, do it, say how it ended. ``process`` starts it, and
``parent`` hears it.

``python -m bot.database.child ORDERS MESSAGES`` is the fresh interpreter; ``after_fork`` is where
a forked child begins. It speaks through its ``line``, and its standard output and error go to a
file that both sides can read (``printed``).
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, NoReturn

import django

from bot.conf import get_settings
from bot.database import freshness
from bot.database.last_words import broken_before, does_not_start, refused
from bot.database.line import Line
from bot.database.messages import (
    Message,
    PlanJob,
    Planned,
    Progress,
    Reconciled,
    ReconcileJob,
    RefusedHere,
    Rehearsed,
    RehearseJob,
    RunJob,
)
from bot.database.tether import ended_with_parent
from bot.route.refusals import PlanningFailed, Refused, RehearsalFailed

NOBODY_WAITS = "Nobody waited for this rehearsal any more. Ask for it again."


def after_fork(orders: int, messages: int, output: int, close: tuple[int, ...]) -> NoReturn:
    """Everything from the fork to the end of the child; it never returns into the parent's code."""
    code = 1
    try:
        for descriptor in close:
            os.close(descriptor)
        os.setsid()
        _default_signals()
        _redirect(output)
        _forget_connections()
        code = serve(Line(orders, messages))
    except BaseException:  # noqa: BLE001  (the outermost edge; it goes into the output)
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            logging.shutdown()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def main(arguments: list[str]) -> int:
    """A fresh interpreter: load the project, then serve."""
    orders, messages = (int(text) for text in arguments)
    for descriptor in (orders, messages):
        os.set_inheritable(descriptor, False)
    line = Line(orders, messages)
    freshness.begin_loading()
    try:
        django.setup()
    except Exception as error:  # noqa: BLE001
        # Any code of the project runs here, so anything can come out of it.
        line.job()
        line.send(does_not_start(error))
        return 0
    return serve(line)


def serve(line: Line) -> int:
    """Do the one job. Returns the exit code: 0 when the last word was said."""
    job = line.job()
    if job is None:
        return 1
    if isinstance(job, RunJob):
        from bot.database.carrying import carry_out

        last = carry_out(job, line)
    else:
        last = _unless_nobody_waits(job, line)
    line.send(last)
    return 0


def _unless_nobody_waits(job: PlanJob | RehearseJob | ReconcileJob, line: Line) -> Message:
    """The last word on a job that changes nothing. It does not outlive its parent."""
    limit = get_settings().rehearsal_timeout if isinstance(job, RehearseJob) else None
    with ended_with_parent(line.orders, seconds=limit):
        if isinstance(job, PlanJob):
            return plan(job, line)
        return rehearse(job, line) if isinstance(job, RehearseJob) else reconcile(job)


def plan(job: PlanJob, line: Line) -> Message:
    """The plan as the last message, or why there is none."""
    from bot.database.planner import make_plan

    try:
        made = make_plan(
            job.database,
            job.target,
            now=datetime.now(UTC),
            release=job.release,
            progress=lambda done, total, words: line.send(
                Progress(done=done, total=total, words=words)
            ),
        )
    except Refused as refusal:
        return refused(refusal)
    except Exception as error:  # noqa: BLE001  (the outermost edge; logged with a reference)
        return broken_before(PlanningFailed, error)
    return Planned(document=made.to_json())


class Abandoned(Exception):
    """Nobody waits for this rehearsal any more."""


def rehearse(job: RehearseJob, line: Line) -> Message:
    """The rehearsal as the last message, or why there is none.

    When the parent is gone it ends at its next word, and at a SIGTERM (``tether`` sends it one
    then) at once: by an exception, so that the scratch database is cleaned up.
    """
    from bot.database.rehearsal.rehearse import rehearse as carry_out_elsewhere
    from bot.route.rehearsal_json import rehearsal_to_json

    def tell(done: int, total: int, words: str) -> None:
        line.send(Progress(done=done, total=total, words=words))
        if line.alone:
            raise Abandoned

    def ended(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough to clean up
        raise Abandoned

    signal.signal(signal.SIGTERM, ended)
    try:
        found = carry_out_elsewhere(
            job.database,
            job.target,
            job.basis,
            now=datetime.now(UTC),
            release=job.release,
            progress=tell,
        )
    except Refused as refusal:
        return refused(refusal)
    except Abandoned:
        return RefusedHere(code=RehearsalFailed.code, sentence=NOBODY_WAITS)
    except Exception as error:  # noqa: BLE001  (the outermost edge; logged with a reference)
        return broken_before(RehearsalFailed, error)
    return Rehearsed(document=rehearsal_to_json(found))


def reconcile(job: ReconcileJob) -> Message:
    """What became of a run as the last message, or why that cannot be said now."""
    from bot.database.reconcile import reconcile as look
    from bot.route.plan import Plan

    plan = Plan.from_json(job.plan)
    try:
        found = look(job.database, plan, current_step=job.current_step, run=job.run)
    except Refused as refusal:
        return refused(refusal)
    return Reconciled(state=str(found.state), done=found.done, because=found.because)


def _default_signals() -> None:
    """The parent's handlers would act for the parent. SIGPIPE stays ignored, as Python wants."""
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def _redirect(output: int) -> None:
    """Point input nowhere and output into the file, also for programs that a migration starts."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nowhere)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False
    )


def _forget_connections() -> None:
    """Connections are the parent's: the child begins with none and says nothing over theirs."""
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        if connection.connection is not None:
            _never_finalised.append(connection.connection)
            connection.connection = None
        del connections[connection.alias]


_never_finalised: list[Any] = []

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
