"""Which engine the project's TASKS name for our tasks."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings as django_settings
from django.utils.module_loading import import_string

from bot.conf import get_settings

SUPERVISOR = "MBOT_SUPERVISOR"
"""In the environment of an engine's own worker: the process id of whoever started it."""


class Engine(StrEnum):
    DATABASE = "database"
    CELERY = "celery"
    OTHER = "other"
    """Some other backend of django.tasks; the project starts its workers itself."""


def backend_path() -> str:
    """The dotted path of our backend in TASKS; empty when there is none."""
    tasks = getattr(django_settings, "TASKS", {})
    return str(tasks.get(get_settings().tasks_backend, {}).get("BACKEND", ""))


def engine() -> Engine:
    """Subclasses count as what they derive from."""
    path = backend_path()
    if not path:
        return Engine.OTHER
    names = {f"{c.__module__}.{c.__qualname__}" for c in import_string(path).__mro__}
    if "django_tasks_db.backend.DatabaseBackend" in names:
        return Engine.DATABASE
    if "bot.engines.celery.CeleryBackend" in names:
        return Engine.CELERY
    return Engine.OTHER
