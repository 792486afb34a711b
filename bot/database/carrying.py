"""Carrying out a run, in the child: the project's own ``migrate`` with our word between its steps.

Django tells of a step that begins and one that is done, and has no event for failure: the
exception is the event. What is done is always read from the database's own record, since a project
may override ``migrate`` and leave the events out.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseProblem
from django.db import connections

from bot.conf import get_settings
from bot.database import blockers, gate, limits
from bot.database.conductor import Conductor, End
from bot.database.errors import tell
from bot.database.flush import wrapped_migrations
from bot.database.history import Key, applied_rows
from bot.database.last_words import broken_before, refused
from bot.database.line import Line
from bot.database.messages import Broke, Finished, Message, Retrying, RunJob
from bot.database.statements import leaves_traces
from bot.database.targets import check_alias, connect
from bot.database.watching import Watcher
from bot.route.refusals import DatabaseDown, Refused, RunNotBegun

logger = logging.getLogger(__name__)

NO_SIGNAL = (
    "the project's migrate did not send pre_migrate, so the database could not be locked; "
    "let its override call Django's migrate"
)

LONGEST_PAUSE = 30.0
"""Seconds between two tries of a step that found no lock."""


def carry_out(job: RunJob, line: Line) -> Message:
    """Run the job to its end and return the last word. An error of the driver that comes out of
    here means that the database could not be asked what had been done."""
    try:
        check_alias(job.database)
        connection = connections[job.database]
        connect(connection)
        before = applied_rows(connection)
    except Refused as refusal:
        return refused(refusal)
    with blockers.looking(job.database) as look:
        conductor = Conductor(job, line, Watcher(look, line.send))
        with _machinery(conductor):
            while True:
                last = _attempt(conductor, before)
                if last is not None:
                    return last


@contextmanager
def _machinery(conductor: Conductor) -> Iterator[None]:
    """Everything that stands around ``migrate`` for the length of a run."""
    settings = get_settings()
    with ExitStack() as stack:
        stack.enter_context(_told_to_stop(conductor))
        stack.enter_context(conductor.statements.watched())
        stack.enter_context(
            wrapped_migrations(
                record_inside=settings.record_with_migration, before=conductor.applying
            )
        )
        stack.enter_context(limits.limited(conductor.job.database))
        conductor.check = stack.enter_context(gate.carrying(conductor)).check
        stack.enter_context(conductor.watcher)
        yield


def _attempt(conductor: Conductor, before: frozenset[Key]) -> Message | None:
    """Call ``migrate`` once; its last word, or None when it is worth another try."""
    try:
        run_migrate(conductor.job, conductor.progress)
    except End as end:
        return end.last
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a team's migrations raise anything)
        if conductor.last is not None:
            return conductor.last
        if not (isinstance(error, SystemExit) and error.code in (None, 0)):
            return _failed(conductor, error, before)
    return conductor.last or _returned(conductor, before)


def run_migrate(job: RunJob, progress: Callable[..., None]) -> None:
    """The project's own ``migrate``, or its override, told of its steps through ``progress``."""
    found: Any = get_commands()["migrate"]
    command = found if isinstance(found, BaseCommand) else load_command_class(found, "migrate")
    command.migration_progress_callback = progress  # type: ignore[attr-defined]
    call_command(
        command,
        *(part for part in (job.target.app, job.target.name) if part),
        database=job.database,
        interactive=False,
        verbosity=0,
        skip_checks=True,
    )


def _returned(conductor: Conductor, before: frozenset[Key]) -> Message:
    """``migrate`` ended without an error: does the database say the same?"""
    if not conductor.begun:
        return _not_begun(conductor, RunNotBegun(detail=NO_SIGNAL, reference="none"), before)
    done = conductor.done()
    missing = [step.key for step in conductor.steps if step.key not in done]
    if missing:
        return conductor.broke(
            f"migrate ended without an error, but {', '.join(missing)} "
            "is not what the database's own record shows."
        )
    return Finished(applied=done)


def _failed(conductor: Conductor, error: BaseException, before: frozenset[Key]) -> Message | None:
    refusal = _refusal_in(error)
    if not conductor.begun:
        return _not_begun(conductor, refusal or error, before)
    in_the_way = conductor.watcher.end()
    logger.info("%s failed: %s", conductor.current and conductor.current.key, error)
    if (why := limits.why_retry(error)) and _try_again(conductor, error, why, in_the_way):
        return None
    return conductor.broke(error, blockers=in_the_way)


def _not_begun(conductor: Conductor, error: BaseException, before: frozenset[Key]) -> Message:
    """It ended before we said go. Nothing ran, unless an override went around the gate."""
    try:
        changed = applied_rows(conductor.connection) != before
    except DatabaseProblem as problem:
        down = DatabaseDown(database=conductor.job.database, detail=tell(problem).error)
        return refused(down)
    if isinstance(error, Refused) and error.code != RunNotBegun.code:
        return refused(error)
    if changed:
        return Broke(
            error=f"{NO_SIGNAL[:1].upper()}{NO_SIGNAL[1:]}. Something was migrated all the same: "
            "look at django_migrations.",
            error_type="",
            traceback=tell(error).traceback,
        )
    if isinstance(error, Refused):
        return refused(error)
    return broken_before(RunNotBegun, error)


def pause_after(attempt: int, *, first: float) -> float:
    """Seconds before the next try: doubled each time, up to ``LONGEST_PAUSE`` or the first if that
    is longer. A hundred tries would else end in a pause of longer than the world is old."""
    doubled: float = first * 2 ** (attempt - 1)
    return min(doubled, max(first, LONGEST_PAUSE))


def _try_again(
    conductor: Conductor, error: BaseException, why: str, in_the_way: tuple[str, ...]
) -> bool:
    """Whether to try the step again, after the pause that is due; only where nothing stayed."""
    settings = get_settings()
    current = conductor.current
    if current is None or conductor.stop.is_set() or conductor.line.alone:
        return False
    attempt = conductor.tries[current.key] = conductor.tries[current.key] + 1
    if attempt > settings.lock_retries or not _left_nothing(conductor, error):
        return False
    pause = pause_after(attempt, first=settings.lock_backoff)
    conductor.line.send(
        Retrying(
            step=current.key,
            attempt=attempt,
            because=why,
            blockers=in_the_way,
            wait_milliseconds=int(pause * 1000),
        )
    )
    conductor.stop.wait(pause)
    return True


def _left_nothing(conductor: Conductor, error: BaseException) -> bool:
    """Whether it is certain that the failed step left nothing behind."""
    current, statements = conductor.current, conductor.statements
    failed = statements.failure_behind(error)
    if current is None or failed is None or statements.written_elsewhere:
        return False
    if failed.database != conductor.job.database or current.key in conductor.done():
        return False
    if statements.written == 0:
        return not leaves_traces(failed.sql)
    whole = current.migration.atomic and conductor.connection.features.can_rollback_ddl
    return bool(whole and failed.in_transaction)


def _refusal_in(error: BaseException) -> Refused | None:
    """The refusal that ``error`` is or was raised from: a gate speaks through CommandError."""
    at: BaseException | None = error
    while at is not None and not isinstance(at, Refused):
        at = at.__cause__
    return at


@contextmanager
def _told_to_stop(conductor: Conductor) -> Iterator[None]:
    """A polite signal is heard between two steps; a step that runs is never broken off by one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    kept = [signal.signal(n, lambda *_: conductor.stop.set()) for n in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, kept, strict=True):
            signal.signal(number, handler)
