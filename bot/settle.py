"""A worker's part in what becomes of a run that lost its process: it has the database asked."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, wait
from datetime import timedelta

from django.db import connections

from bot import operations
from bot.conf import get_settings
from bot.database import process
from bot.database.messages import Died, Reconciled, ReconcileJob, RefusedHere
from bot.database.reconcile import Found, reconcile
from bot.models import Run
from bot.moment import Clock, utc_now
from bot.operations import interrupting
from bot.operations.reading import find_run
from bot.route.plan import Plan
from bot.route.refusals import Refused
from bot.route.states import State

logger = logging.getLogger("migration_bot")

NO_ANSWER = (
    "The database was asked what was done, and nothing was heard for {seconds:g} s "
    "(reconcile_timeout). It is asked again until it answers: look at what it waits for."
)


class NoAnswer(Exception):
    """Nothing was heard in time of what became of a run."""


def reconcile_run(run_id: int, *, clock: Clock = utc_now) -> None:
    """Settle one interrupted run from the database itself. While an orphaned statement still runs
    there it is left alone, and the clock comes again."""
    run = find_run(run_id)
    if run.state != State.INTERRUPTED:
        return
    seconds = get_settings().reconcile_timeout
    interrupting.looking(run_id, until=clock() + timedelta(seconds=seconds))
    found, because = None, ""
    try:
        found = _look(run, seconds)
    except Refused as refused:
        logger.warning("run %s cannot be reconciled now: %s", run_id, refused.sentence)
    except NoAnswer:
        because = NO_ANSWER.format(seconds=seconds)
        logger.warning("run %s is not reconciled yet: %s", run_id, because)
    if found is None:
        interrupting.not_known_yet(run_id, because=because, now=clock())
        return
    interrupting.reconciled(
        run_id, state=found.state, done=found.done, because=found.because, now=clock()
    )
    operations.queue_due(now=clock())


def _look(run: Run, seconds: float) -> Found | None:
    """What the database says, asked by a process with the code as it lies on disk now; None when
    it cannot say yet. Raises NoAnswer, and ends that process, after ``seconds``.

    Where the code does not load any more this process asks, for what is left of them: without that
    code nobody knows what a step should have changed, but what is recorded can be read all the
    same.
    """
    running_steps = (step for step in run.steps if step["state"] == "running")
    current = next((f"{step['app']}.{step['name']}" for step in running_steps), "")
    plan = run.stored_plan.plan
    job = ReconcileJob(run=run.pk, database=run.database, plan=plan.to_json(), current_step=current)
    until = time.monotonic() + seconds
    with process.start(job) as child:
        for message in child.messages(every=min(1.0, seconds / 10)):
            match message:
                case None if time.monotonic() > until:
                    raise NoAnswer
                case Reconciled():
                    state = State(message.state)
                    return Found(state=state, done=message.done, because=message.because)
                case RefusedHere() if message.retry:
                    logger.info("run %s is not reconciled yet: %s", run.pk, message.sentence)
                    return None
                case RefusedHere():
                    logger.warning("run %s is not compared: %s", run.pk, message.sentence)
                case Died():
                    logger.error("run %s: %s %s", run.pk, message.words, message.output)
    return _look_here(run, plan, current, seconds=until - time.monotonic())


def _look_here(run: Run, plan: Plan, current: str, *, seconds: float) -> Found:
    """``reconcile`` by this process itself; raises what it raises, and NoAnswer after ``seconds``.

    A thread asks, which is left to itself then. Nobody can end one, but it does no harm: it changes
    nothing, and until the database answers it the lock that it may hold keeps others from asking.
    """
    said: Future[Found] = Future()

    def ask() -> None:
        try:
            said.set_result(reconcile(run.database, plan, current_step=current, run=run.pk))
        except BaseException as error:  # noqa: BLE001  (whoever waits raises it)
            said.set_exception(error)
        finally:
            connections.close_all()

    threading.Thread(target=ask, name="migration_bot_reconcile", daemon=True).start()
    wait([said], timeout=max(0.0, seconds))
    if not said.done():
        raise NoAnswer
    return said.result()
