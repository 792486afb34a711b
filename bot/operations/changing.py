"""One operation, one transaction: its states, audit entries and deliveries commit together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import OperationalError, ProgrammingError, transaction

from bot import audit, outbox
from bot.conf import get_settings
from bot.database.trouble import Trouble, trouble
from bot.models import AuditEntry, Run
from bot.operations import tally
from bot.route.events import Denied, Event
from bot.route.people import Actor
from bot.route.refusals import Refused, RunNotFound, SetupNeeded, WrongState
from bot.route.states import ACTIVE, Action, ImpossibleAction, State, after, state_phrase
from bot.route.text import storable, storable_json

TRIES = 5
"""Times that a transaction is begun before somebody is told that others were always first."""

PAST = {
    Action.APPROVE: "approved",
    Action.REJECT: "rejected",
    Action.CANCEL: "cancelled",
    Action.EXPIRE: "expired",
    Action.QUEUE: "queued",
    Action.START: "started",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an operation may do inside its transaction."""

    using: str
    now: datetime

    def run(self, run_id: int) -> Run:
        """The run as it is now. The head of the audit is locked, so nobody else moves it."""
        try:
            return Run.objects.using(self.using).select_related("stored_plan").get(pk=run_id)
        except (Run.DoesNotExist, ValueError, OverflowError):
            raise RunNotFound(run=run_id) from None

    def move(self, run: Run, action: Action, **changes: Any) -> None:
        """Take one edge of the table, by compare-and-set; the only place that sets a state."""
        before = State(run.state)
        try:
            edge = after(before, action)
        except ImpossibleAction:
            raise WrongState(
                run=run.pk, state=state_phrase(before), action=PAST.get(action, "changed like that")
            ) from None
        if edge.to in ACTIVE:
            changes.setdefault("active_key", run.database)
        else:
            changes |= {"active_key": None, "claimed_by": "", "lease_until": None}
        changes["state"] = str(edge.to)
        rows = Run.objects.using(self.using).filter(pk=run.pk, state=str(before), fence=run.fence)
        if not rows.update(**changes):
            raise WrongState(run=run.pk, state="is no longer what it was", action="changed")
        for name, value in changes.items():
            setattr(run, name, value)
        outbox.run_changed(run, now=self.now)

    def update(self, run: Run, **changes: Any) -> None:
        """Change a run without moving it."""
        rows = Run.objects.using(self.using).filter(pk=run.pk, state=run.state, fence=run.fence)
        if not rows.update(**changes):
            raise WrongState(run=run.pk, state="is no longer what it was", action="changed")
        for name, value in changes.items():
            setattr(run, name, value)
        outbox.run_changed(run, now=self.now)

    def record(self, event: Event, *, actor: Actor, run: int | None = None) -> AuditEntry:
        entry = audit.append(event, actor=actor, now=self.now, run=run)
        outbox.entry_written(entry, now=self.now)
        return entry


@contextmanager
def changing(now: datetime) -> Iterator[Change]:
    """One transaction on the state database that begins with the lock of the audit's head."""
    using = get_settings().state_database
    with setup_asked_for(), _begun(using):
        yield Change(using=using, now=now)


def _begun(using: str) -> ExitStack:
    """A transaction that holds the audit's head.

    Where the site chose REPEATABLE READ on PostgreSQL, whoever waited for the head is refused it
    when it moved meanwhile. Nothing was done yet, so it is begun anew; but not inside a transaction
    of somebody else's, which may be lost with it.
    """
    tries = 1 if transaction.get_connection(using).in_atomic_block else TRIES
    while True:
        tries -= 1
        try:
            with ExitStack() as stack:
                stack.enter_context(transaction.atomic(using=using))
                audit.lock_head()
                return stack.pop_all()
        except OperationalError as error:
            if not tries or trouble(error) is not Trouble.DEADLOCK:
                raise


@contextmanager
def setup_asked_for() -> Iterator[None]:
    """Turn the database's word that our tables are missing or old into a refusal that says so."""
    try:
        yield
    except (ProgrammingError, OperationalError) as error:
        if is_setup_missing(error):
            raise SetupNeeded() from error
        raise


@contextmanager
def denials_recorded(
    wish: str, *, actor: Actor, now: datetime, run: int | None = None
) -> Iterator[None]:
    """Write what was denied into the audit, in a transaction of its own, and pass it on.

    Slips of the pen and outages are told, but are no denials (``Refused``). One that repeats within
    a minute is only counted (``bot.operations.tally``).
    """
    try:
        yield
    except Refused as refused:
        if refused.is_denial:
            with setup_asked_for():
                counted = tally.count_again(_denial(wish, refused, actor, run), now=now)
            if not counted:
                with changing(now) as change:
                    record_denial(change, wish, refused, actor=actor, run=run)
        raise


def record_denial(
    change: Change, wish: str, refused: Refused, *, actor: Actor, run: int | None = None
) -> None:
    """Write one denial into the audit, where it is one, or count it where its like was just
    written."""
    if refused.is_denial:
        denial = _denial(wish, refused, actor, run)
        if not tally.count_again(denial, now=change.now):
            _write(change, denial, tally.begin(denial, now=change.now))


def write_repeated(*, now: datetime) -> None:
    """Write what the denials of each minute that is over came to."""
    if tally.is_any_over(now=now):
        with changing(now) as change:
            for denial, repeated in tally.take_over(now=now):
                _write(change, denial, repeated)


def _denial(wish: str, refused: Refused, actor: Actor, run: int | None) -> tally.Denial:
    known = run if isinstance(run, int) and 0 < run < 2**63 else None
    because = storable(refused.sentence)
    actor = Actor.from_json(storable_json(actor.to_json()))  # A shell can say any name.
    return tally.Denial(actor=actor, wish=wish, code=refused.code, because=because, run=known)


def _write(change: Change, denial: tally.Denial, repeated: int) -> None:
    event = Denied(wish=denial.wish, code=denial.code, because=denial.because, repeated=repeated)
    change.record(event, actor=denial.actor, run=denial.run)


def is_setup_missing(error: DatabaseError) -> bool:
    """Whether the error says that one of our tables or columns is not there."""
    text = str(error).lower()
    return "migration_bot_" in text and any(
        words in text
        for words in (
            "no such table",
            "no such column",
            "does not exist",
            "doesn't exist",
            "unknown column",
        )
    )
