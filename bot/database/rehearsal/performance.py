"""One rehearsal on one scratch database, from an empty one to what was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.migrations.state import ProjectState

from bot.conf import get_settings
from bot.database.loading import OnceReadLoader
from bot.database.planner import LookedOver
from bot.database.rehearsal.back import Return, Undone, there_and_back
from bot.database.rehearsal.forward import Ground, is_whole, step_forward
from bot.database.rehearsal.judged import NOT_REACHED, judged
from bot.database.rehearsal.probe import OldRelease
from bot.database.rehearsal.recorder import Recorder
from bot.database.rehearsal.replay import WORDS, make_tables, write_record
from bot.database.rehearsal.rows import Filled, Filler, Model, models_of, touched, with_needed
from bot.database.rehearsal.vendor import Deadline, Loaded, Scratch, TimeIsUp
from bot.database.rehearsal.walk import PlacedStep, Walker, Went
from bot.database.sizes import tables_of
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome, Rehearsal, RehearsedStep
from bot.route.risks.facts import Deed, StepFacts
from bot.route.risks.reading import Verb, actions

Progress = Callable[[int, int, str], None]

_OPAQUE = (Deed.PYTHON, Deed.SQL, Deed.UNKNOWN)


@dataclass(kw_only=True)
class Performance:
    """``steps`` are those of the plan with their states, ``target`` is a read-only connection to
    the target. The scratch database stands in its place."""

    blank: Rehearsal
    seen: LookedOver
    scratch: Scratch
    target: Any
    loader: OnceReadLoader
    steps: list[PlacedStep]
    running: ProjectState
    """What the running release knows: the state of all that is applied before the plan."""
    deadline: Deadline
    progress: Progress
    done: list[RehearsedStep] = field(default_factory=list)
    failed: RehearsedStep | None = None
    """The step that did not run, after ``done``."""
    stopped: Went | None = None
    """How far that step came."""
    undone: dict[str, Undone] = field(default_factory=dict)
    returns: list[Return] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def run(self) -> Rehearsal:
        """Everything, or as much as there is time for."""
        schema_from = ""
        try:
            loaded = self._load_schema()
            schema_from = loaded.schema_from
            self.notes += [*self.scratch.notes, *loaded.notes]
            self._go()
        except TimeIsUp:
            self.notes.append(
                f"It was given up after {self.deadline.seconds:g} s (rehearsal_timeout)."
            )
        return self._told(schema_from)

    def _load_schema(self) -> Loaded:
        copied = self.scratch.copy_schema(self.target)
        if isinstance(copied, Loaded):
            write_record(self.scratch.connection, self.loader.recorded, make_table=True)
            return copied
        notes = self.scratch.prepare(self.target)
        make_tables(self.scratch.connection, self.running.clone().apps)
        write_record(self.scratch.connection, self.loader.recorded, make_table=True)
        why = f"The tables were made from {WORDS}, since {copied}."
        return Loaded(schema_from=WORDS, notes=(why, *notes))

    def _go(self) -> None:
        connection = self.scratch.connection
        self.scratch.shut()
        self.scratch.limit(self.deadline.left)
        meter = self.scratch.meter()
        tables = tables_of(self.seen.facts)
        known = models_of(connection, self.running.clone().apps)
        concerned = touched(known, tables)
        concerned += self._unread(known, besides=concerned)
        filler = Filler(connection)
        filled = filler.fill(with_needed(concerned))
        self._tell_of_rows(filled)
        release = OldRelease(connection, concerned, filled, self.deadline)
        release.baseline()
        meter.begin()
        python = get_settings().rehearse_python
        recorder = Recorder(connection, meter, self.deadline, python=python)
        walker = Walker(connection, self.loader, recorder)
        ground = Ground(
            scratch=self.scratch,
            walker=walker,
            tables=tables,
            filled=set(filled.tables),
            filler=filler,
        )
        with walker.walking():
            for part in self._parts():
                if not self._part(ground, release, part):
                    break

    def _unread(self, known: list[Model], *, besides: list[Model]) -> list[Model]:
        """Every model of an app whose Python or SQL nobody can read: it may touch any of them."""
        python = get_settings().rehearse_python
        apps = {
            facts.app
            for facts in self.seen.facts
            for one in facts.operations
            if (python and one.deed is Deed.PYTHON)
            or any(action.verb is Verb.UNKNOWN for action in one.actions)
        }
        return [one for one in known if one._meta.app_label in apps and one not in besides]

    def _part(self, ground: Ground, release: OldRelease, part: list[PlacedStep]) -> bool:
        """Steps forward, and back and forward again where they can be undone; whether to go on."""
        start = self.scratch.schema()
        went = [step for step in part if self._forward(ground, release, step)]
        failed = part[len(went)] if len(went) < len(part) else None
        stopped = self.stopped
        if failed and stopped and not is_whole(self.scratch.connection, failed, stopped):
            return False  # What it left behind stands in the way back.
        if not went or self._irreversible(went[-1]):
            return failed is None
        self.progress(len(self.done), len(self.steps), "going back")
        self.scratch.limit(self.deadline.left)
        found = there_and_back(ground, went, start)
        self.returns.append(found)
        self.undone |= found.undone
        return failed is None and not found.stuck

    def _forward(self, ground: Ground, release: OldRelease, step: PlacedStep) -> bool:
        """One step, with the running release after it; whether it ran. After one that did not, no
        other is tried."""
        place = self.steps.index(step)
        if len(self.done) != place:
            return False
        self.progress(place, len(self.steps), step.key)
        self.scratch.limit(self.deadline.left)
        made, went = step_forward(ground, step)
        if went.failure is not None:
            self.failed, self.stopped = made, went
            return False
        self.done.append(made)
        if went.after is not None and place + 1 < len(self.steps):
            self.steps[place + 1].before = went.after
        probes = release.try_again(_tables_of(self._facts()[step.key], made))
        self.done[-1] = replace(made, probes=probes)
        return True

    def _parts(self) -> Iterator[list[PlacedStep]]:
        """The steps, parted at those that cannot be undone, which stand alone."""
        part: list[PlacedStep] = []
        for step in self.steps:
            if self._irreversible(step):
                if part:
                    yield part
                yield [step]
                part = []
            else:
                part.append(step)
        if part:
            yield part

    def _irreversible(self, step: PlacedStep) -> str:
        facts = self._facts()[step.key]
        if facts.direction is Direction.BACKWARD or facts.reversible:
            return ""
        return facts.irreversible_because or "It has no reverse."

    def _facts(self) -> Mapping[str, StepFacts]:
        return {facts.key: facts for facts in self.seen.facts}

    def _tell_of_rows(self, filled: Filled) -> None:
        for table, why in sorted(filled.failed.items()):
            self.notes.append(
                f"No rows could be made up for {table} ({why}); what depends on them is unknown."
            )

    def _told(self, schema_from: str) -> Rehearsal:
        steps = []
        for made, placed in zip(self.done, self.steps, strict=False):
            undone = self.undone.get(made.key, Undone(outcome=Outcome.UNKNOWN))
            if because := self._irreversible(placed):
                undone = Undone(outcome=Outcome.FAILS, because=because)
            steps.append(
                replace(
                    made,
                    undo=undone.outcome,
                    undo_because=undone.because,
                    undo_error=undone.error,
                )
            )
        if self.failed is not None:
            steps.append(self.failed)
        steps += [
            RehearsedStep(key=step.key, outcome=Outcome.UNKNOWN, because=NOT_REACHED)
            for step in self.steps[len(steps) :]
        ]
        differs = [words for one in self.returns for words in one.differs]
        if differs:
            self.notes.append(f"The schema is not the same {'; '.join(differs[:5])}.")
        told = replace(
            self.blank,
            where=self.scratch.where,
            schema_from=schema_from,
            steps=tuple(steps),
            same_after_undo=self._all([one.back for one in self.returns]),
            same_again=self._all([one.again for one in self.returns]),
            notes=tuple(self.notes),
        )
        return judged(told, self.seen)

    def _all(self, outcomes: list[Outcome]) -> Outcome:
        """FAILS where one does; WORKS where every step was part of one that did."""
        if Outcome.FAILS in outcomes:
            return Outcome.FAILS
        whole = len(outcomes) == len(list(self._parts())) and set(outcomes) == {Outcome.WORKS}
        return Outcome.WORKS if whole else Outcome.UNKNOWN


def _tables_of(facts: StepFacts, made: RehearsedStep) -> set[str] | None:
    """The tables whose models are to be tried after the step; None for all."""
    if made.blind or any(one.deed in _OPAQUE for one in facts.operations):
        return None
    sent = [action for one in made.measured for action in actions(one.sql)]
    if any(action.verb is Verb.UNKNOWN for action in sent):
        return None
    measured = {effect.table for one in made.measured for effect in one.effects}
    return measured | tables_of([facts])
