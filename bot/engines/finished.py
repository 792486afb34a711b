"""Forgetting finished wakes: django-tasks-db keeps a row for each, for ever, if nobody does."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings as django_settings
from django.utils.timezone import make_naive

from bot.conf import get_settings
from bot.engines.which import Engine, engine

KEEP = timedelta(days=1)
"""They only woke; what they led to is in our own rows."""


def forget_finished(*, now: datetime) -> int:
    """Delete our own queues' tasks that ended a day ago; a project's other tasks are its own."""
    if engine() is not Engine.DATABASE:
        return 0
    from django_tasks_db.models import DBTaskResult

    settings = get_settings()
    before = now - KEEP if django_settings.USE_TZ else make_naive(now - KEEP)
    ours = DBTaskResult.objects.finished().filter(
        backend_name=settings.tasks_backend,
        queue_name__in=settings.queues,
        finished_at__lt=before,
    )
    deleted, _ = ours.delete()
    return int(deleted)
