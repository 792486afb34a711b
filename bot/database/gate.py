"""Where every ``migrate`` passes: Django's ``pre_migrate`` and ``post_migrate`` signals.

A run says that it is one (``with carrying(handler)``): it gets the lock and is asked, under it,
whether the plan is still the right one. Any other ``migrate`` with something to do is a plain one:
it gets the lock too, is refused when another has it or when its plan has gone out of date, and is
told to ``on_plain`` for the audit. The settings ``guard_plain_migrate`` and
``record_plain_migrate`` turn either off.

A ``migrate`` that creates a test database is left alone.
"""

from __future__ import annotations

import logging
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Protocol

from django.apps import AppConfig, apps
from django.core.management.base import CommandError
from django.db.backends.base.creation import BaseDatabaseCreation
from django.db.models.signals import post_migrate, pre_migrate

from bot.conf import get_settings
from bot.database import plain
from bot.database.lock import DatabaseLock
from bot.database.plain import PlainMigrate, Planned
from bot.route.refusals import LockImpossible, Refused

__all__ = ["Carried", "Handler", "PlainMigrate", "carrying", "connect", "on_plain"]

logger = logging.getLogger(__name__)

on_plain: list[Callable[[PlainMigrate], None]] = []
"""Called when a plain migrate started, finished or failed. What they raise is logged and told on
the command's output, and stops nothing: the migration itself is what matters by then."""


def connect(app_config: AppConfig) -> None:
    """Stand in the way of every ``migrate``. Called once, when the app is ready."""
    pre_migrate.connect(_before, sender=app_config, dispatch_uid="migration_bot.gate")
    # Without a sender: the lock is kept until the last app's receivers have done their work.
    post_migrate.connect(_after, dispatch_uid="migration_bot.gate")
    for signal in (pre_migrate, post_migrate):
        plain.see_failures_of(signal)


# A run


class Handler(Protocol):
    """What a run brings along."""

    holder: str
    """``run 12``: what others are told while it holds the lock."""

    def under_lock(self, using: str, plan: Planned) -> None:
        """The lock is held, ``migrate`` would do ``plan``. Raise to stop it; nothing has run.

        The plan was made before the lock was had, so read the applied rows again.
        """


class Carried:
    """One run's hold on the databases it migrates, for as long as ``carrying`` lasts."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._locks: dict[str, DatabaseLock] = {}

    def check(self) -> None:
        """Raise LockLost unless every lock of this run is still held. Any thread may ask."""
        for lock in tuple(self._locks.values()):
            lock.check()

    def pass_gate(self, using: str, plan: Planned) -> None:
        """``migrate`` is about to begin, perhaps for another try."""
        if using in self._locks:
            self._locks[using].check()
        else:
            lock = DatabaseLock(using, holder=self._handler.holder)
            lock.take()
            self._locks[using] = lock
        if self._locks[using].pooled:
            _refuse_unbounded(using, plan)
        self._handler.under_lock(using, plan)

    def release(self) -> None:
        """Give every lock back."""
        while self._locks:
            self._locks.popitem()[1].release()


_here = threading.local()


@contextmanager
def carrying(handler: Handler) -> Iterator[Carried]:
    """Every ``migrate`` that this thread calls inside is part of a run.

    ``migrate`` then raises what the lock raises (LockHeld, LockImpossible, DatabaseDown, LockLost)
    and what ``handler.under_lock`` raises. The lock is taken by the first ``migrate`` and kept to
    the end of the block, so that a second try runs under the same one.
    """
    if getattr(_here, "carried", None) is not None:
        raise RuntimeError("this thread carries a run already")
    _here.carried = carried = Carried(handler)
    try:
        yield carried
    finally:
        _here.carried = None
        carried.release()


def _refuse_unbounded(using: str, plan: Planned) -> None:
    """Behind a shared connection only a transaction can have limits and a key of its own."""
    loose = [f"{m.app_label}.{m.name}" for m, _ in plan if not m.atomic]
    if loose:
        raise LockImpossible(
            database=using,
            because=f"it is reached through a pooler that may share connections, and "
            f"{', '.join(loose)} runs outside a transaction, where no time limit and no lock of "
            "ours would hold",
            remedy="Give this alias the address of the server itself for migrations, and plan "
            "again.",
        )


# A plain migrate


def _before(*, using: str, plan: Planned = (), stdout: Any = None, **kwargs: Any) -> None:
    carried: Carried | None = getattr(_here, "carried", None)
    if carried is not None:
        carried.pass_gate(using, plan)
        return
    settings = get_settings()
    guard, record = settings.guard_plain_migrate, settings.record_plain_migrate
    if not plan or not (guard or record) or _on_stack(_creates_test_database):
        return
    before = plain.underway(using)
    if before is not None:
        if _on_stack(lambda frame: frame.f_locals.get("plan") is before.plan):
            return  # A migrate inside a migrate, under the same lock.
        before.fail("it ended without doing all it had planned")
    tell = _teller(stdout) if record and not _makes_own_tables(plan) else None
    try:
        plain.begin(using, plan, lock=guard, tell=tell)
    except Refused as refusal:
        raise CommandError(refusal.sentence) from refusal


def _after(*, sender: AppConfig, using: str, plan: Planned = (), **kwargs: Any) -> None:
    """Also sent by ``flush``, which began nothing."""
    one = plain.underway(using)
    last = [config for config in apps.get_app_configs() if config.models_module][-1]
    if one is not None and sender is last and plain.keys(plan) == plain.keys(one.plan):
        one.finish()


def _teller(stdout: Any) -> Callable[[PlainMigrate], None]:
    def tell(event: PlainMigrate) -> None:
        for hook in tuple(on_plain):
            try:
                hook(event)
            except Refused as refusal:
                because = refusal.sentence
            except Exception as error:
                # The outermost edge of the audit beside a migration that is none of its business.
                reference = uuid.uuid4().hex[:12]
                logger.exception("a plain migrate was not recorded, reference %s", reference)
                because = f"{type(error).__name__}. Reference {reference}."
            else:
                continue
            (stdout or sys.stderr).write(
                f"This migrate ({event.phase}) is not in the audit: {because}\n"
            )

    return tell


def _makes_own_tables(plan: Planned) -> bool:
    """Whether the audit's own tables come or go with this plan: nothing can be written then."""
    return any(
        migration.app_label == "migration_bot"
        and not any(app == "migration_bot" for app, _ in migration.dependencies)
        for migration, _ in plan
    )


def _creates_test_database(frame: FrameType) -> bool:
    return frame.f_code.co_name == "create_test_db" and isinstance(
        frame.f_locals.get("self"), BaseDatabaseCreation
    )


def _on_stack(test: Callable[[FrameType], bool]) -> bool:
    """Whether some caller of ours is what ``test`` looks for.

    No signal and no setting tells who called ``migrate``; the stack does, exactly.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if test(frame):
            return True
        frame = frame.f_back
    return False
