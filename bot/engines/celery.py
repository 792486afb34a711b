"""Celery as an engine for ``django.tasks``: a backend and an application, by settings alone.

    TASKS = {"default": {
        "BACKEND": "bot.engines.celery.CeleryBackend",
        "QUEUES": ["migration_bot", "migration_bot_runs", "migration_bot_rehearsals"],
        "OPTIONS": {"broker_url": "redis://127.0.0.1:6379/0"},
    }}

``manage.py migration_bot worker`` starts Celery's workers. A message is acknowledged before its
task runs (Celery's default, and it must stay so: a task that kills its worker would otherwise be
run again and again); what a dead worker leaves behind is found by the clock.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from celery import Celery
from celery.signals import worker_ready
from django.utils.module_loading import import_string

from bot.conf import get_settings
from bot.engines.which import SUPERVISOR

if TYPE_CHECKING:
    from django_tasks import TaskResult, TaskResultStatus, task_backends
    from django_tasks.backends.base import BaseTaskBackend
    from django_tasks.exceptions import InvalidTaskError as InvalidTask
else:
    try:
        from django.tasks import TaskResult, TaskResultStatus, task_backends
        from django.tasks.backends.base import BaseTaskBackend
        from django.tasks.exceptions import InvalidTask
    except ImportError:  # Django 5.2
        from django_tasks import TaskResult, TaskResultStatus, task_backends
        from django_tasks.backends.base import BaseTaskBackend
        from django_tasks.exceptions import InvalidTaskError as InvalidTask

logger = logging.getLogger("migration_bot")

CALL = "migration_bot.call"
"""The one Celery task there is; a stored name."""

OURS = frozenset(
    f"bot.tasks.{name}" for name in ("carry_out", "reconcile", "make_plan", "rehearse", "perform")
)
"""The only paths that a message may name. Whoever can write to the broker could otherwise have a
worker call anything that has a ``call``, such as ``subprocess``."""


@lru_cache(maxsize=1)
def get_app() -> Celery:
    """The Celery application of the backend that ``tasks_backend`` names."""
    backend = task_backends[get_settings().tasks_backend]
    application = Celery("migration_bot", set_as_current=False)
    application.conf.update(
        broker_url=backend.options["broker_url"],
        broker_connection_retry_on_startup=True,
        task_ignore_result=True,
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        # A request must not hang on a broker that is gone: the clock wakes again what was not.
        # Each of its hosts is tried once; by itself kombu goes on for four seconds and once more.
        broker_transport_options={
            "socket_connect_timeout": 2,
            "socket_timeout": 5,
            "max_retries": _hosts(backend.options["broker_url"]) - 1,
        },
        task_publish_retry=False,
    )

    @application.task(name=CALL, shared=False)  # type: ignore[untyped-decorator]
    def call(path: str, arguments: list[Any], keywords: dict[str, Any]) -> None:
        call_ours(path, arguments, keywords)

    worker_ready.connect(_watch_supervisor, dispatch_uid="migration_bot.supervisor")
    return application


def _hosts(broker_url: str | Sequence[str]) -> int:
    """How many brokers are named: a list of URLs, or one text with semicolons between them."""
    return len(broker_url.split(";") if isinstance(broker_url, str) else broker_url)


def call_ours(path: object, arguments: object, keywords: object) -> None:
    """Do what a message asks for if it is one of our tasks; refuse and log anything else.

    The arguments are keys of rows, so texts; what a row says was decided elsewhere.
    """
    if not isinstance(path, str) or path not in OURS:
        logger.error(
            "a message on the broker names %.200r, which is no task of ours; refused", path
        )
        return
    texts = isinstance(arguments, list) and all(isinstance(one, str) for one in arguments)
    if not texts or keywords != {}:
        logger.error("a message for %s does not carry texts alone; refused", path)
        return
    import_string(path).call(*arguments)  # type: ignore[misc]  # a list, as was just seen


def _watch_supervisor(sender: Any, **kwargs: Any) -> None:
    """A Celery worker that our supervisor started ends when that one is gone, its task first."""
    supervisor = os.environ.get(SUPERVISOR)

    def look() -> None:
        if str(os.getppid()) != supervisor:
            os.kill(os.getpid(), signal.SIGTERM)

    if supervisor:
        sender.timer.call_repeatedly(0.5, look)


class CeleryBackend(BaseTaskBackend):
    """Sends each task as one Celery message: its path and its arguments.

    It is for the bot's tasks alone: a worker calls nothing else.
    """

    supports_defer = False
    supports_get_result = False

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        self.validate_task(task)
        if task.module_path not in OURS:
            # Said to whoever enqueues it: the worker would drop it with a line in a log.
            raise InvalidTask(f"{task.module_path} is no task of the migration bot.")
        sent = get_app().send_task(
            CALL,
            args=[task.module_path, list(args), dict(kwargs)],
            queue=task.queue_name,
        )
        return TaskResult(
            task=task,
            id=str(sent.id),
            status=TaskResultStatus.READY,
            enqueued_at=None,
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def __getattr__(name: str) -> Celery:
    """``celery -A bot.engines.celery`` looks for ``app``; Django is set up on the way."""
    if name not in ("app", "celery"):
        raise AttributeError(name)
    import django
    from django.apps import apps

    os.environ.setdefault("CELERY_CONFIG_MODULE", "")
    if not apps.ready:
        django.setup()
    return get_app()
