"""Steps of a plan run by Django's own machinery on the scratch database, forward and back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState

from bot.conf import get_settings
from bot.database.errors import first_line
from bot.database.flush import cover_own_methods, wrapped_migrations
from bot.database.planner import LoadedExecutor
from bot.database.rehearsal.recorder import Recorder, StepRecord
from bot.database.rehearsal.vendor import TimeIsUp
from bot.database.seal import PlannedMigration, full_plan
from bot.database.trouble import Trouble, trouble
from bot.route.plan import Direction

_BROKEN_OFF = (Trouble.STATEMENT_TIMEOUT, Trouble.CANCELLED)
_ABOUT = 0.5
"""Seconds: a statement is given what was left when its step began, which is over as it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """How one step went in one direction. ``error`` is empty where it worked."""

    record: StepRecord
    milliseconds: int
    after: ProjectState | None = None
    """The state that the step left, going forward."""
    error: str = ""
    failure: BaseException | None = None


@dataclass(kw_only=True)
class PlacedStep:
    """A step with the state right before its migration, on which it is applied and undone."""

    migration: Migration
    direction: Direction
    before: ProjectState

    @property
    def key(self) -> str:
        return f"{self.migration.app_label}.{self.migration.name}"


class SteadyState(ProjectState):
    """A state that writes into no field which another state or an operation holds too.

    Django's does when a field is renamed that others refer to by its name, and what is run a
    second time would then see what the first time left.
    """

    def clone(self) -> SteadyState:
        copy = super().clone()
        copy.__class__ = SteadyState
        return copy  # type: ignore[return-value]

    def rename_field(self, app_label: str, model_name: str, old_name: str, new_name: str) -> None:
        for model in self.models.values():
            for name, field in model.fields.items():
                if field.is_relation or getattr(field, "field_names", None):
                    model.fields[name] = field.clone()
        super().rename_field(app_label, model_name, old_name, new_name)


def _leave_out_own_methods(migration: Migration, direction: Direction, record: StepRecord) -> None:
    """A migration whose class has an ``apply`` or ``unapply`` of its own runs as Django's does:
    what it does besides is Python, and left out."""
    this = "apply" if direction is Direction.FORWARD else "unapply"
    for name in ("apply", "unapply"):
        if getattr(type(migration), name) is not getattr(Migration, name):
            setattr(migration, name, MethodType(getattr(Migration, name), migration))
            if name == this:
                record.skipped.append(f"Python was left out: {name}() of the migration's own.")


def placed(
    loader: MigrationLoader, ordered: Sequence[PlannedMigration]
) -> tuple[list[PlacedStep], ProjectState]:
    """The steps with their states, and the state of all that is applied: what the running release
    knows. As MigrationExecutor computes them.

    Forward only the first step has its own state, for the one after a step is what it leaves.
    """
    wanted = {migration for migration, _ in ordered}
    applied = loader.applied_migrations or {}
    state: ProjectState = SteadyState(real_apps=set(loader.unmigrated_apps or ()))
    states: dict[Migration, ProjectState] = {}
    backward = bool(ordered) and ordered[0][1]
    for key in full_plan(loader):
        migration = loader.graph.nodes[key]
        if backward and migration in wanted:
            _ = state.apps  # Once; from then on what changes is rendered anew.
            states[migration] = state
            state = migration.mutate_state(state, preserve=True)
        elif key in applied:
            migration.mutate_state(state, preserve=False)
    direction = Direction.BACKWARD if backward else Direction.FORWARD
    steps = [
        PlacedStep(migration=migration, direction=direction, before=states.get(migration, state))
        for migration, _ in ordered
    ]
    return steps, state


class Walker:
    """Runs steps with the recorder around them."""

    def __init__(self, connection: Any, loader: MigrationLoader, recorder: Recorder) -> None:
        self._executor = LoadedExecutor(connection, loader)
        self._recorder = recorder
        self._deadline = recorder.deadline

    @contextmanager
    def walking(self) -> Iterator[None]:
        """What stands around migrations while a run is carried out, as far as it sends SQL."""
        with (
            self._recorder.recording(),
            wrapped_migrations(
                record_inside=get_settings().record_with_migration,
                before=lambda migration, direction, editor: self._recorder.watch_editor(editor),
            ),
        ):
            yield

    def go(self, step: PlacedStep, direction: Direction) -> Went:
        """Run one step. An error of the migration is told, not raised. Raises TimeIsUp."""
        migration = step.migration
        begun = time.perf_counter()
        error, failure, after = "", None, None
        with self._recorder.step(migration, direction) as record:
            own = {name for name in ("apply", "unapply") if name in migration.__dict__}
            if self._recorder.python:
                cover_own_methods(migration)
            else:
                _leave_out_own_methods(migration, direction, record)
            try:
                # Not the state itself: applying a migration writes to it.
                state = step.before.clone()
                if direction is Direction.FORWARD:
                    after = self._executor.apply_migration(state, migration)
                else:
                    self._executor.unapply_migration(state, migration)
            except TimeIsUp:
                raise
            except Exception as problem:  # a migration raises anything
                if trouble(problem) in _BROKEN_OFF and self._deadline.left < _ABOUT:
                    raise TimeIsUp() from problem
                error, failure = first_line(problem), problem
            finally:
                for name in {"apply", "unapply"} - own:
                    migration.__dict__.pop(name, None)
        taken = round((time.perf_counter() - begun) * 1000)
        return Went(record=record, milliseconds=taken, after=after, error=error, failure=failure)
