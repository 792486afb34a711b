"""Which operation sends a statement, and what the statement does: for each step that is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import router
from django.db.migrations.operations import RunPython, SeparateDatabaseAndState

from bot.database.rehearsal.vendor import Deadline, Meter
from bot.database.statements import is_write, shown
from bot.database.trust import code_name, in_words, why_not_previewed
from bot.route.plan import Direction
from bot.route.rehearsal import MeasuredStatement

Place = tuple[int, int]
"""An operation's place among those of its step in the order they run, and the leaf's inside it."""


@dataclass
class StepRecord:
    """What one run of one step left behind."""

    measured: list[MeasuredStatement] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    places_skipped: list[Place] = field(default_factory=list)
    blind: bool = False
    failed_sql: str = ""


class Recorder:
    """Stands around the operations and before the cursors of the scratch database.

    Python of migrations is left out unless ``python`` says so: RunPython, and operations of
    somebody's own that do not say that they use the schema editor alone.
    """

    def __init__(self, connection: Any, meter: Meter, deadline: Deadline, *, python: bool) -> None:
        self.connection = connection
        self.meter = meter
        self.deadline = deadline
        self.python = python
        self.record = StepRecord()
        self._place: Place | None = None
        self._leaves: dict[int, int] = {}
        self._deferred: dict[int, tuple[Place, Any]] = {}
        self._sending = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """See every statement of the connection for as long as this lasts."""
        with self.connection.execute_wrapper(self._execute):
            yield

    @contextmanager
    def step(self, migration: Any, direction: Direction) -> Iterator[StepRecord]:
        """Stand around the operations of one migration."""
        self.record = StepRecord()
        self._leaves, self._deferred, self._place = {}, {}, None
        backward = direction is Direction.BACKWARD
        operations = list(migration.operations)
        ordered = operations[::-1] if backward else operations
        wrapped: list[Any] = []
        try:
            for place, operation in enumerate(ordered):
                self._wrap(operation, place, direction, wrapped)
            yield self.record
        finally:
            for operation in wrapped:
                operation.__dict__.pop("database_forwards", None)
                operation.__dict__.pop("database_backwards", None)

    def watch_editor(self, editor: Any) -> None:
        """See which statements the schema editor sends, those that it kept back among them."""
        execute = editor.execute

        def executing(sql: Any, params: Any = ()) -> Any:
            before, self._sending = self._sending, True
            place = self._place
            if place is None and id(sql) in self._deferred:
                self._place = self._deferred[id(sql)][0]
            try:
                return execute(sql, params)
            finally:
                self._sending, self._place = before, place

        editor.execute = executing

    def _wrap(self, operation: Any, place: int, direction: Direction, wrapped: list[Any]) -> None:
        if operation in wrapped:
            return
        for name in ("database_forwards", "database_backwards"):
            around = self._around(operation, place, direction, getattr(operation, name))
            operation.__dict__[name] = around
        wrapped.append(operation)
        if isinstance(operation, SeparateDatabaseAndState):
            for inner in operation.database_operations:
                self._wrap(inner, place, direction, wrapped)

    def _around(
        self, operation: Any, place: int, direction: Direction, run: Callable[..., Any]
    ) -> Callable[..., Any]:
        def running(app_label: str, editor: Any, from_state: Any, to_state: Any) -> None:
            if isinstance(operation, SeparateDatabaseAndState) or self._place is not None:
                run(app_label, editor, from_state, to_state)
                return
            leaf = self._leaves.get(place, 0)
            self._leaves[place] = leaf + 1
            if why := self._skipped(app_label, operation, direction):
                self.record.skipped.append(why)
                self.record.places_skipped.append((place, leaf))
                return
            self._place = (place, leaf)
            try:
                run(app_label, editor, from_state, to_state)
            finally:
                for kept in editor.deferred_sql:
                    self._deferred.setdefault(id(kept), ((place, leaf), kept))
                self._place = None

        return running

    def _skipped(self, app_label: str, operation: Any, direction: Direction) -> str:
        """Why the operation is left out, as a sentence; empty when it runs."""
        if self.python:
            return ""
        if isinstance(operation, RunPython):
            backward = direction is Direction.BACKWARD
            code = operation.reverse_code if backward else operation.code
            if code is RunPython.noop or not router.allow_migrate(
                self.connection.alias, app_label, **operation.hints
            ):
                return ""
            return f"Python was left out: {code_name(code)}."
        if why_not_previewed(operation):
            return f"An operation of somebody's own was left out: {in_words(operation)}."
        return ""

    def _execute(
        self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any
    ) -> Any:
        self.deadline.check()
        text = str(sql)
        if self._place is None or not (self._sending or is_write(text)):
            return execute(sql, params, many, context)
        try:
            found = self.meter.measure(lambda: execute(sql, params, many, context), text)
        except Exception:
            self.record.failed_sql = shown(text, params)
            raise
        place, leaf = self._place
        self.record.blind |= found.blind
        self.record.measured.append(
            MeasuredStatement(
                operation=place,
                leaf=leaf,
                sql=shown(text, params),
                milliseconds=found.milliseconds,
                effects=found.effects,
            )
        )
        return found.result
