"""A plain ``manage.py migrate`` from its beginning to its end, which Django does not always tell.

``post_migrate`` says that one is done. Nothing says that one failed: the exception is the event. So
``MigrationExecutor.migrate`` is wrapped, and so is the sending of both signals, in which any app's
receiver may raise. What ends in no other way (``run_syncdb`` that raises) is noticed as the process
ends, or when the next one begins.
"""

from __future__ import annotations

import atexit
import logging
import os
import shlex
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from django.db import Error, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.dispatch import Signal
from django.utils.connection import ConnectionDoesNotExist

from bot.database.history import applied_rows
from bot.database.lock import DatabaseLock
from bot.database.osuser import os_user
from bot.route.refusals import PlanOutOfDate

logger = logging.getLogger(__name__)

Planned = Sequence[tuple[Migration, bool]]
"""What ``migrate`` has planned; True where a migration is to be undone."""

STARTED, FINISHED, FAILED = "started", "finished", "failed"

_LONGEST = 500
"""Characters kept of a command line or an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainMigrate:
    """One event of a plain migrate. ``steps`` are ``app.name``: all that are planned when it has
    started, and afterwards those that django_migrations shows as done."""

    phase: str
    database: str
    steps: tuple[str, ...]
    command: str
    os_user: str
    error: str = ""


class Underway:
    """One plain migrate of this thread that has not ended yet."""

    def __init__(
        self,
        database: str,
        plan: Planned,
        lock: DatabaseLock | None,
        tell: Callable[[PlainMigrate], None] | None,
    ) -> None:
        self.database = database
        self.plan = plan
        self._lock = lock
        self._tell = tell
        self._where = _here(database)
        self.pid = os.getpid()
        self.depth = 0
        """How many executors run inside each other: a migration may call ``migrate`` itself."""

    def start(self) -> None:
        """It is about to run."""
        _underway[self._where] = self
        self._say(STARTED, keys(self.plan))

    def finish(self) -> None:
        """It ran to its end."""
        self._end(FINISHED, "")

    def fail(self, error: BaseException | str) -> None:
        """It stopped somewhere; what was done is read from the database."""
        words = error if isinstance(error, str) else f"{type(error).__name__}: {error}"
        self._end(FAILED, " ".join(words.split()))

    def _end(self, phase: str, error: str) -> None:
        if _underway.pop(self._where, None) is not self:
            return
        try:
            if self._tell is not None:
                self._say(phase, self._done(), error)
        finally:
            if self._lock is not None:
                self._lock.release()

    def _done(self) -> tuple[str, ...]:
        try:
            rows = applied_rows(connections[self.database])
        except (Error, ConnectionDoesNotExist) as error:
            logger.warning("what a failed migrate has done cannot be read: %s", error)
            return ()
        return keys(
            (migration, backwards)
            for migration, backwards in self.plan
            if ((migration.app_label, migration.name) in rows) is not backwards
        )

    def _say(self, phase: str, steps: tuple[str, ...], error: str = "") -> None:
        if self._tell is not None:
            self._tell(
                PlainMigrate(
                    phase=phase,
                    database=self.database,
                    steps=steps,
                    command=command_line(),
                    os_user=os_user(),
                    error=error[:_LONGEST],
                )
            )


_underway: dict[tuple[int, str], Underway] = {}


def _here(database: str) -> tuple[int, str]:
    return threading.get_ident(), database


def underway(database: str) -> Underway | None:
    """The plain migrate of this thread and process that has not ended, if there is one."""
    one = _underway.get(_here(database))
    return one if one is not None and one.pid == os.getpid() else None


def begin(
    database: str,
    plan: Planned,
    *,
    lock: bool,
    tell: Callable[[PlainMigrate], None] | None,
) -> None:
    """Let one begin: take the lock where ``lock`` says so, and look whether the plan still holds.

    ``tell`` hears of its start and end; None tells nobody. Raises LockHeld, LockImpossible,
    DatabaseDown and PlanOutOfDate; then nothing has been told and no lock is held.
    """
    _see_failures()
    held: DatabaseLock | None = None
    if lock:
        held = DatabaseLock(
            database, holder=f"manage.py migrate by {os_user()} (pid {os.getpid()})"
        )
        held.take()
        try:
            if changes := changed_meanwhile(connections[database], plan):
                raise PlanOutOfDate(database=database, changes=" ".join(changes))
        except BaseException:
            held.release()
            raise
    Underway(database, plan, held, tell).start()


def changed_meanwhile(connection: BaseDatabaseWrapper, plan: Planned) -> tuple[str, ...]:
    """What was applied or unapplied since ``plan`` was made, in sentences; empty for nothing.

    The rows are read anew. A step must still be to do; what forward steps rest on must still be
    applied, and of what rests on backward steps only what the plan undoes too.
    """
    loader = MigrationLoader(connection)
    applied = set(loader.applied_migrations or ())
    nodes = loader.graph.node_map
    planned = {(m.app_label, m.name): backwards for m, backwards in plan}
    words = {
        key: "unapplied" if backwards else "applied"
        for key, backwards in planned.items()
        if (key in applied) is not backwards or key not in nodes
    }
    seen = set(planned)
    waiting = [(key, backwards) for key, backwards in planned.items() if key in nodes]
    while waiting:
        key, backwards = waiting.pop()
        for near in nodes[key].children if backwards else nodes[key].parents:
            if near.key in seen:
                continue
            seen.add(near.key)
            waiting.append((near.key, backwards))
            if (near.key in applied) is backwards:
                words[near.key] = "applied" if backwards else "unapplied"
    return tuple(f"{app}.{name} was {verb} meanwhile." for (app, name), verb in words.items())


def keys(plan: Iterable[tuple[Migration, bool]]) -> tuple[str, ...]:
    """``app.name`` of each step."""
    return tuple(f"{migration.app_label}.{migration.name}" for migration, _ in plan)


def command_line() -> str:
    """How this process was started, as one would type it; the program without its directory."""
    program, *arguments = sys.argv or [""]
    return shlex.join([Path(program).name, *arguments])[:_LONGEST]


_seeing = threading.Lock()


def _see_failures() -> None:
    """Wrap the executor once; a migrate that is not under way here passes untouched."""
    with _seeing:
        if getattr(MigrationExecutor.migrate, "_migration_bot", False):
            return
        migrate = MigrationExecutor.migrate

        @wraps(migrate)
        def seen(self: MigrationExecutor, *args: Any, **kwargs: Any) -> Any:
            one = underway(self.connection.alias)
            if one is None:
                return migrate(self, *args, **kwargs)
            one.depth += 1
            try:
                return migrate(self, *args, **kwargs)
            except BaseException as error:
                if one.depth == 1:
                    one.fail(error)
                raise
            finally:
                one.depth -= 1

        seen._migration_bot = True  # type: ignore[attr-defined]
        MigrationExecutor.migrate = seen  # type: ignore[method-assign]
        atexit.register(_at_exit)


def see_failures_of(signal: Signal) -> None:
    """Notice a receiver that raises on ``pre_migrate`` or ``post_migrate``: Django stops there."""
    send: Any = signal.send
    if getattr(send, "_migration_bot", False):
        return

    @wraps(send)
    def seen(sender: Any, **named: Any) -> Any:
        try:
            return send(sender, **named)
        except BaseException as error:
            one = underway(named.get("using", ""))
            # A migrate inside this one has a plan of its own; who called it may live with that.
            if one is not None and one.plan is named.get("plan"):
                one.fail(error)
            raise

    seen._migration_bot = True  # type: ignore[attr-defined]
    signal.send = seen  # type: ignore[method-assign]


def _at_exit() -> None:
    error = getattr(sys, "last_value", None)
    for one in tuple(_underway.values()):
        if one.pid == os.getpid():
            one.fail(error or "the process ended before it was done")
