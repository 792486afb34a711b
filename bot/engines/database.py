"""The embedded engine: django-tasks-db's own worker, for one queue, in this process."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings
from django.db import close_old_connections
from django.utils.timezone import make_naive
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from bot.conf import get_settings

LINGER = 10.0
"""Seconds without work after which a queue's process ends; the supervisor starts it again."""


class QueueWorker(Worker):
    """Ends between two tasks, when its supervisor is gone or nothing has waited for a while."""

    def __init__(self, *, parent: int, linger: float = LINGER, **options: Any) -> None:
        self._parent = parent
        self._linger = linger
        self._busy_at = time.monotonic()
        super().__init__(**options)

    @property
    def running(self) -> bool:
        """Whether to go on. The worker's loop asks before each look into the queue, and its signal
        handler asks to know whether it was told already: so the answer during a task is yes."""
        return bool(self._running) and (self.running_task or self._may_go_on())

    @running.setter
    def running(self, value: bool) -> None:
        self._running = value

    def _may_go_on(self) -> bool:
        fresh = time.monotonic() - self._busy_at < self._linger
        return fresh and os.getppid() == self._parent

    def run_task(self, db_task_result: Any) -> None:
        """One task; what waits is counted from its end."""
        super().run_task(db_task_result)
        self._busy_at = time.monotonic()


def waiting_in(queues: Collection[str]) -> frozenset[str]:
    """Which of these queues something waits in, by one query."""
    close_old_connections()
    ready = DBTaskResult.objects.ready().filter(
        backend_name=get_settings().tasks_backend, queue_name__in=queues
    )
    return frozenset(ready.order_by().values_list("queue_name", flat=True).distinct())


def forget_old(queues: Collection[str], *, before: datetime) -> int:
    """Delete what the engine keeps of tasks enqueued before then; how many it were.

    Also those that a killed worker left as running, which the engine never ends: what has to be
    done is in our rows, and the clock wakes it again.
    """
    at = before if django_settings.USE_TZ else make_naive(before)
    old = DBTaskResult.objects.filter(
        backend_name=get_settings().tasks_backend, queue_name__in=queues, enqueued_at__lt=at
    )
    return int(old.delete()[0])


def work(queue: str) -> None:
    """Work on ``queue`` until nothing has waited for a while, until SIGTERM (which lets a task
    finish) or until the parent is gone."""
    settings = get_settings()
    logging.getLogger("django_tasks").setLevel(logging.WARNING)
    logging.getLogger("django_tasks_db").setLevel(logging.WARNING)
    worker = QueueWorker(
        parent=os.getppid(),
        queue_names=[queue],
        interval=settings.poll_interval,
        batch=False,
        backend_name=settings.tasks_backend,
        startup_delay=False,
        max_tasks=None,
        worker_id=f"{socket.gethostname()}:{os.getpid()}"[:64],
        excluded_queue_names=[],
    )
    worker.configure_signals()
    worker.run()
