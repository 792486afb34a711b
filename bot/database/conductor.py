"""Our word between the steps of ``migrate``: what was approved, may it go on, how far it came."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from django.db import Error as DatabaseProblem
from django.db import connections
from django.db.migrations.migration import Migration

from bot.conf import get_settings
from bot.database import freshness, limits, printed
from bot.database.data_checks import checked_again
from bot.database.errors import tell
from bot.database.flush import cover_own_methods
from bot.database.history import Recorded, applied_rows, done_keys
from bot.database.line import Line
from bot.database.messages import (
    Broke,
    DataAsked,
    FoundStale,
    Locked,
    Message,
    RunJob,
    StepDone,
    StepStarting,
    Stopped,
)
from bot.database.seal import PlannedMigration, execution_order, identity, make_basis
from bot.database.statements import Statements
from bot.database.targets import load
from bot.database.watching import Watcher
from bot.route.basis import Basis, BasisStep, differences
from bot.route.data_checks import Answer
from bot.route.plan import Direction
from bot.route.refusals import CodeChanged, DataSaysNo

STARTS = ("apply_start", "unapply_start")
ENDS = ("apply_success", "unapply_success")
"""Django's names for what its callback tells (MigrationExecutor.apply_migration and unapply_…)."""


class End(BaseException):
    """Ends the run with its last word. No ``except Exception`` of a project catches it."""

    def __init__(self, last: Message) -> None:
        self.last = last
        super().__init__(repr(last))


@dataclass(slots=True, kw_only=True)
class Current:
    """The step that runs now."""

    migration: Migration
    direction: Direction

    @property
    def key(self) -> str:
        return f"{self.migration.app_label}.{self.migration.name}"


class Conductor:
    """Hears what ``migrate`` does, asks the parent, and knows what was approved."""

    def __init__(self, job: RunJob, line: Line, watcher: Watcher) -> None:
        self.job = job
        self.line = line
        self.watcher = watcher
        self.holder = f"run {job.run}"
        self.statements = Statements(job.database)
        self.steps: tuple[Recorded, ...] = ()
        self.begun = False
        """Whether the parent said go: from then on something may have been done."""
        self.current: Current | None = None
        self.tries: Counter[str] = Counter()
        self.last: Message | None = None
        self.stop = threading.Event()
        """Set when this process was told to stop; heard between two steps."""
        self.check: Callable[[], None] = lambda: None
        """Raises LockLost when the lock is not held any more; set by whoever takes it."""
        self._started: dict[str, float] = {}

    @property
    def connection(self) -> Any:
        return connections[self.job.database]

    # Under the lock

    def under_lock(self, using: str, plan: Sequence[PlannedMigration]) -> None:
        """``migrate`` has planned and the lock is held: is that what was approved?

        The plan was made before the lock was had, so what is recorded is read again and what
        another has done meanwhile is no part of it any more.
        """
        if self.last is not None:
            raise End(self.last)
        if using != self.job.database:
            self.end(self.broke(error=f"migrate went for {using}, not {self.job.database}."))
        loader = load(self.connection)
        rows = frozenset(loader.applied_migrations or ())
        steps = [step for step in plan if not Recorded.of_migration(*step).is_done(rows)]
        whose = identity(self.connection)
        basis = make_basis(self.connection, loader, steps, release=self.job.release, identity=whose)
        if self.begun:
            self._check_the_rest(basis)
            return
        if what := freshness.migrations_changed():
            raise CodeChanged(what=what)
        if basis.fingerprint != self.job.basis.fingerprint:
            self.end(FoundStale(basis=basis))
        ordered = execution_order(loader, steps)
        self.steps = tuple(Recorded.of_migration(*step) for step in ordered)
        self._ask_data()
        answer = self.line.ask(Locked(basis=basis))
        if not answer.go:
            self.end(Stopped(because=answer.because))
        self.begun = True

    def _ask_data(self) -> None:
        """Nothing has changed yet, so a no of today's data costs nothing now. Raises DataSaysNo.

        What cannot be asked does not stop the run: it would not have stopped it a moment later.
        """
        found = checked_again(self.job.database, self.job.checks)
        if not found:
            return
        said: dict[Answer, tuple[str, ...]] = {
            answer: tuple(one.sentence for one in found if one.answer is answer)
            for answer in Answer
        }
        self.line.send(
            DataAsked(
                holds=said[Answer.HOLDS],
                broken=said[Answer.BROKEN],
                not_checked=said[Answer.UNKNOWN],
            )
        )
        if said[Answer.BROKEN]:
            raise DataSaysNo(because=" ".join(said[Answer.BROKEN][:5]))

    def _check_the_rest(self, basis: Basis) -> None:
        """Before another try: what is left must be what was approved, less what is done."""
        done = self.done()
        rest = tuple(step for step in self.job.basis.steps if step.key not in done)
        if basis.steps != rest:
            approved = Basis(identity=basis.identity, steps=rest, rests_on=basis.rests_on)
            words = " ".join(differences(approved, basis))
            self.end(self.broke(error=f"Between two tries the plan became another. {words}"))

    # Between steps

    def progress(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """Django's progress callback. Rendering (``render_*``) is none of our business."""
        if migration is None:
            return
        direction = Direction.BACKWARD if action.startswith("un") else Direction.FORWARD
        if action in STARTS:
            self._starting(migration, direction)
        elif action in ENDS:
            self._done(migration, direction)

    def applying(self, migration: Migration, direction: Direction, editor: Any) -> None:
        """A migration is about to change the database, whether or not anybody told us of it."""
        if self.current is None or self.current.migration is not migration:
            self._starting(migration, direction)
        limits.apply_local(editor)

    def _starting(self, migration: Migration, direction: Direction) -> None:
        if self.last is not None:
            raise End(self.last)
        self.current = None
        self.statements.forget()
        printed.forget_output()
        key = f"{migration.app_label}.{migration.name}"
        if not self.begun:
            self.end(self.broke(error=f"migrate would run {key} before it sent pre_migrate."))
        if not self._is_approved(key, direction):
            self.end(self.broke(error=f"migrate would run {key} too, and nobody approved that."))
        self.check()
        if get_settings().record_with_migration:
            cover_own_methods(migration)
        if self.stop.is_set():
            self.end(Stopped(because="The worker process was told to stop.", done=self.done()))
        answer = self.line.ask(
            StepStarting(app=migration.app_label, name=migration.name, direction=direction)
        )
        if not answer.go:
            self.end(Stopped(because=answer.because, done=self.done()))
        self._started.setdefault(key, time.monotonic())
        self.current = Current(migration=migration, direction=direction)
        self.watcher.begin(key)

    def _done(self, migration: Migration, direction: Direction) -> None:
        self.watcher.end()
        key = f"{migration.app_label}.{migration.name}"
        took = time.monotonic() - self._started.get(key, time.monotonic())
        self.current = None
        self.line.send(
            StepDone(
                app=migration.app_label,
                name=migration.name,
                direction=direction,
                milliseconds=int(took * 1000),
            )
        )

    def _is_approved(self, key: str, direction: Direction) -> bool:
        approved: tuple[BasisStep, ...] = self.job.basis.steps
        return any(step.key == key and step.direction == direction for step in approved)

    # The end

    def end(self, last: Message) -> NoReturn:
        """Say that this is the last word, and stop ``migrate`` where it is."""
        self.last = last
        raise End(last)

    def done(self) -> tuple[str, ...]:
        """The steps that the database's record shows as done, asked now.

        A connection that the failure broke is opened anew, once. Raises the driver's error when
        the database cannot say: then nobody here knows how the run ended.
        """
        try:
            return done_keys(self.steps, applied_rows(self.connection))
        except DatabaseProblem:
            self.connection.close()
            return done_keys(self.steps, applied_rows(self.connection))

    def broke(
        self,
        error: BaseException | str,
        *,
        blockers: tuple[str, ...] = (),
    ) -> Broke:
        """The last word on a failure, with all that a person needs to mend it."""
        step = self.current.key if self.current else ""
        if isinstance(error, str):
            return Broke(error=error, error_type="", step=step, done=self.done())
        told = tell(error)
        failed = self.statements.failure_behind(error)
        return Broke(
            error=told.error,
            error_type=told.error_type,
            step=step,
            statement=failed.sql if failed else "",
            traceback=told.traceback,
            done=self.done(),
            output=printed.output_tail(),
            blockers=blockers,
        )
