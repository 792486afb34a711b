"""The embedded engine: django-tasks-db's own worker, for one queue, in this process."""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

from django_tasks_db.management.commands.db_worker import Worker

from bot.conf import get_settings
from bot.database import process


class QueueWorker(Worker):
    """Stops looking for work when the supervisor that started it is gone."""

    def __init__(self, *, parent: int, **options: Any) -> None:
        self._parent = parent
        super().__init__(**options)

    @property
    def running(self) -> bool:
        """Whether to go on; the worker's loop asks before each look into the queue."""
        return bool(self._running) and os.getppid() == self._parent

    @running.setter
    def running(self, value: bool) -> None:
        self._running = value


def work(queue: str) -> None:
    """Work on ``queue`` until SIGTERM (which lets a task finish) or until the parent is gone."""
    settings = get_settings()
    logging.getLogger("django_tasks").setLevel(logging.WARNING)
    logging.getLogger("django_tasks_db").setLevel(logging.WARNING)
    process.warm_up()
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
