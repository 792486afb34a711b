"""What a worker does, as tasks of ``django.tasks``. They only wake; rows are the truth.

Imported only when something is enqueued or worked on: a queue that the project's TASKS does not
know raises at import, and ``bot.checks`` says so better.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bot import carry_out as carrying
from bot import prepare, settle, work
from bot.conf import get_settings
from bot.engines.enqueuing import as_rows, enqueue_all, tell
from bot.waking import Wakes

if TYPE_CHECKING:
    from django_tasks import task
else:
    try:
        from django.tasks import task
    except ImportError:  # Django 5.2
        from django_tasks import task

_settings = get_settings()


@task(queue_name=_settings.run_queue, backend=_settings.tasks_backend)
def carry_out(run_id: str) -> None:
    """Carry out one queued run, if nobody else does."""
    carrying.carry_out(int(run_id))


@task(queue_name=_settings.run_queue, backend=_settings.tasks_backend)
def reconcile(run_id: str) -> None:
    """Find out from the database what became of an interrupted run."""
    settle.reconcile_run(int(run_id))


@task(queue_name=_settings.queue, backend=_settings.tasks_backend)
def make_plan(plan_id: str) -> None:
    """Make one plan that somebody asked for, if nobody else does."""
    prepare.make_plan(plan_id)


@task(queue_name=_settings.rehearsal_queue, backend=_settings.tasks_backend)
def rehearse(rehearsal_id: str) -> None:
    """Rehearse one plan on a scratch database, if no other rehearsal is under way."""
    prepare.rehearse(rehearsal_id)


@task(queue_name=_settings.queue, backend=_settings.tasks_backend)
def perform(name: str, key: str) -> None:
    """Do what a face registered under ``name`` in ``bot.work``."""
    work.perform(name, key)


TASKS: dict[str, Any] = {
    "carry_out": carry_out,
    "reconcile": reconcile,
    "make_plan": make_plan,
    "rehearse": rehearse,
}
"""By the names that operations wake."""


def enqueue(name: str, keys: Sequence[str]) -> None:
    """The waker: hand the rows' keys to the engine."""
    enqueue_all(*_calls(name, keys))


def wakes(name: str, keys: Sequence[str], using: str) -> Wakes | None:
    """The same as rows, where the engine keeps rows in this database."""
    rows = as_rows(*_calls(name, keys), using=using)
    return None if rows is None else Wakes(rows=rows, written=partial(tell, rows))


def _calls(name: str, keys: Sequence[str]) -> tuple[Any, list[tuple[str, ...]]]:
    if name in TASKS:
        return TASKS[name], [(key,) for key in keys]
    return perform, [(name, key) for key in keys]
