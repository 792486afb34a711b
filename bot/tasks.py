"""What a worker does, as tasks of ``django.tasks``. They only wake; rows are the truth.

Imported only when something is enqueued or worked on: a queue that the project's TASKS does not
know raises at import, and ``bot.checks`` says so better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot import carry_out as carrying
from bot import work
from bot.conf import get_settings

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
    carrying.reconcile_run(int(run_id))


@task(queue_name=_settings.queue, backend=_settings.tasks_backend)
def make_plan(plan_id: str) -> None:
    """Make one plan that somebody asked for, if nobody else does."""
    carrying.make_plan(plan_id)


@task(queue_name=_settings.queue, backend=_settings.tasks_backend)
def perform(name: str, key: str) -> None:
    """Do what a face registered under ``name`` in ``bot.work``."""
    work.perform(name, key)


TASKS: dict[str, Any] = {"carry_out": carry_out, "reconcile": reconcile, "make_plan": make_plan}
"""By the names that operations wake."""


def enqueue(name: str, key: str) -> None:
    """The waker: hand the row's key to the engine."""
    if name in TASKS:
        TASKS[name].enqueue(key)
    else:
        perform.enqueue(name, key)
