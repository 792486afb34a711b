"""Handing wakes to the engine: to the embedded one all of them in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import models, router

from bot.rows import insert


def enqueue_all(task: Any, calls: Sequence[tuple[str, ...]]) -> None:
    """Enqueue ``task`` once with each of these arguments."""
    backend = task.get_backend()
    if _is_embedded(backend):
        rows = _rows(backend, task, calls)
        insert(rows, using=_database())
        tell(rows)
        return
    for arguments in calls:
        task.enqueue(*arguments)


def as_rows(
    task: Any, calls: Sequence[tuple[str, ...]], *, using: str
) -> list[models.Model] | None:
    """What enqueues ``task`` with each of these arguments once it is written, for ``tell`` then;
    None for an engine that keeps no rows in this database."""
    backend = task.get_backend()
    if not _is_embedded(backend) or _database() != using:
        return None
    return _rows(backend, task, calls)


def tell(rows: Sequence[Any]) -> None:
    """Send the signals of rows that were written. What a receiver raises is logged by Django: they
    are written, and nothing may make them look as if they were not."""
    from django_tasks_db.compat import task_backends, task_enqueued

    if len(task_enqueued.receivers) > 1:  # One is the library's own, which only logs.
        for row in rows:
            backend = task_backends[row.backend_name]
            task_enqueued.send_robust(type(backend), task_result=row.task_result)


EMBEDDED = "django_tasks_db.backend.DatabaseBackend"
"""This one and no subclass, which may do something else when it enqueues."""


def _is_embedded(backend: Any) -> bool:
    return f"{type(backend).__module__}.{type(backend).__qualname__}" == EMBEDDED


def _database() -> str:
    from django_tasks_db.models import DBTaskResult

    return router.db_for_write(DBTaskResult)


def _rows(backend: Any, task: Any, calls: Sequence[tuple[str, ...]]) -> list[models.Model]:
    """The rows that the backend itself would write, one after the other (a test compares them)."""
    from django_tasks_db.models import DBTaskResult, get_date_max

    backend.validate_task(task)
    return [
        DBTaskResult(
            id=backend._get_id(),
            args_kwargs={"args": list(arguments), "kwargs": {}},
            priority=task.priority,
            task_path=task.module_path,
            queue_name=task.queue_name,
            run_after=task.run_after or get_date_max(),
            backend_name=backend.alias,
        )
        for arguments in calls
    ]
