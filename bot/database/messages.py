"""What the process that runs and the process that watches say to each other, as values.

The child sends the messages, the parent sends ``Answer``; ``messages_json`` writes them on a line.
``Died`` is never sent: the parent says it of a child that ended without a last word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bot.route.basis import Basis
from bot.route.data_checks import DataCheck
from bot.route.plan import Direction, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """Carry out ``target`` on ``database``, if it still rests on ``basis``; for run ``run``."""

    run: int
    database: str
    target: Target
    basis: Basis
    release: str = ""
    checks: tuple[DataCheck, ...] = ()
    """What today's data is asked before anything changes; a no stops the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanJob:
    """Plan ``target`` on ``database``. Nothing is written."""

    database: str
    target: Target
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearseJob:
    """Carry out ``target`` on a scratch database made like ``database``, if it still rests on
    ``basis``. Nothing is written to ``database`` itself."""

    database: str
    target: Target
    basis: Basis
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileJob:
    """Say what became of run ``run``, whose process died during ``current_step`` of ``plan`` (as
    ``Plan.to_json`` writes it). Only looks."""

    run: int
    database: str
    plan: dict[str, Any]
    current_step: str = ""


Job = RunJob | PlanJob | RehearseJob | ReconcileJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The parent's word on ``Locked`` and ``StepStarting``: go on, or stop here and why."""

    go: bool
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something a child says. ``ends`` says that nothing follows; ``asks`` that it waits."""

    ends: ClassVar[bool] = False
    asks: ClassVar[bool] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked(Message):
    """The lock is had and the basis found under it is the approved one. Waits for an Answer."""

    asks: ClassVar[bool] = True
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class DataAsked(Message):
    """What today's data said under the lock, in sentences; nothing has been done yet."""

    holds: tuple[str, ...]
    broken: tuple[str, ...]
    not_checked: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarting(Message):
    """This step comes next; nothing of it has been done. Waits for an Answer."""

    asks: ClassVar[bool] = True
    app: str
    name: str
    direction: Direction

    @property
    def key(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone(Message):
    """This step is committed and recorded. ``milliseconds`` is its own time, retries included."""

    app: str
    name: str
    direction: Direction
    milliseconds: int

    @property
    def key(self) -> str:
        return f"{self.app}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting(Message):
    """Who blocks the step's statement now, in words; empty when nobody does any more."""

    step: str
    blockers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying(Message):
    """The step found no lock, left nothing behind, and is tried again in so many milliseconds.

    ``attempt`` is the number of the try that failed, from 1.
    """

    step: str
    attempt: int
    because: str
    blockers: tuple[str, ...] = ()
    wait_milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStale(Message):
    """Under the lock the basis was not the approved one. Nothing ran."""

    ends: ClassVar[bool] = True
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished(Message):
    """``migrate`` returned, and the database's own record shows every step (``applied``)."""

    ends: ClassVar[bool] = True
    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Broke(Message):
    """A step raised. ``done`` is read from the database afterwards, never from the events.

    ``statement`` is the SQL that failed, without values of rows; ``output`` the last of what the
    migration printed.
    """

    ends: ClassVar[bool] = True
    error: str
    error_type: str
    step: str = ""
    statement: str = ""
    traceback: str = ""
    done: tuple[str, ...] = ()
    output: str = ""
    blockers: tuple[str, ...] = ()
    """Who held the lock that was not had, when that is why it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped(Message):
    """It ended between two steps, because an Answer said so or nobody was there to answer."""

    ends: ClassVar[bool] = True
    because: str
    done: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedHere(Message):
    """Nothing ran. ``retry``: worth another try later (the lock is held, the database is down).

    ``detail`` is for the people who mend it (a traceback); it may be empty.
    """

    ends: ClassVar[bool] = True
    code: str
    sentence: str
    retry: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress(Message):
    """Planning or rehearsing: ``done`` of ``total``; ``words`` names what it is at."""

    done: int
    total: int
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned(Message):
    """The plan as ``Plan.to_json`` writes it."""

    ends: ClassVar[bool] = True
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed(Message):
    """The rehearsal as ``rehearsal_to_json`` writes it."""

    ends: ClassVar[bool] = True
    document: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled(Message):
    """What the database says became of the run: ``state`` is a State, ``done`` are steps' keys."""

    ends: ClassVar[bool] = True
    state: str
    done: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Died(Message):
    """The child is gone without a last word: what it did must be read from the database.

    ``signal`` is the number of the signal that ended it, 0 for none; ``exit_code`` is -1 when
    nobody can tell. ``output`` is the last of what it wrote.
    """

    ends: ClassVar[bool] = True
    exit_code: int
    signal: int
    output: str = ""

    @property
    def words(self) -> str:
        """How it ended, for a person."""
        if self.signal:
            return f"The process was ended by signal {self.signal}."
        if self.exit_code < 0:
            return "The process is gone; nobody can tell how it ended."
        return f"The process ended with code {self.exit_code} and did not say why."
