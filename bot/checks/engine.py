"""The engine of ``django.tasks`` that wakes workers, as ``TASKS`` names it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string

from bot.checks.rows import ROWS
from bot.checks.values import nearest
from bot.conf import get_settings, kind_of

RQ_SECONDS = 180
"""RQ's own limit for a job, where the queue says none."""
CELERY_SETTINGS = ("CELERY_TASK_ACKS_LATE", "CELERY_TASK_REJECT_ON_WORKER_LOST")


def check_engine() -> Iterator[CheckMessage]:
    """What is wrong with our alias in ``TASKS``."""
    settings = get_settings()
    alias = settings.tasks_backend
    names = {name: getattr(settings, name) for name in ("queue", "run_queue", "rehearsal_queue")}
    for one, other in combinations(names, 2):
        if names[one] == names[other]:
            yield ROWS["E024"].found(one=one, other=other, queue=names[one])
    # Django 6 has a default of its own, Django 5.2 has none.
    tasks: Any = getattr(django_settings, "TASKS", {})
    overridden = django_settings.is_overridden("TASKS")  # type: ignore[misc]  # not in the stubs
    if not overridden or not tasks:
        yield ROWS["E020"].found(**names)
        return
    if not isinstance(tasks, Mapping):
        yield ROWS["E029"].found(name="TASKS", kind=kind_of(tasks))
        return
    if alias not in tasks:
        known = ", ".join(tasks) or "there is none"
        yield ROWS["E021"].found(alias=alias, nearest=nearest(alias, tasks), known=known)
        return
    wrong = list(_not_dictionaries(alias, tasks[alias]))
    if wrong:
        yield from wrong
        return
    yield from _backend(alias, tasks[alias])
    # An empty list means any queue; without a list there is only "default".
    listed = tasks[alias].get("QUEUES", ["default"])
    for queue in dict.fromkeys(names.values()):
        if listed and queue not in listed:
            yield ROWS["E023"].found(alias=alias, queue=queue)


def _not_dictionaries(alias: str, given: Any) -> Iterator[CheckMessage]:
    name = f"TASKS[{alias!r}]"
    if not isinstance(given, Mapping):
        yield ROWS["E029"].found(name=name, kind=kind_of(given))
    elif not isinstance(options := given.get("OPTIONS", {}), Mapping):
        yield ROWS["E029"].found(name=f"{name}['OPTIONS']", kind=kind_of(options))


def _backend(alias: str, given: Mapping[str, Any]) -> Iterator[CheckMessage]:
    path = str(given.get("BACKEND", ""))
    try:
        names = [f"{one.__module__}.{one.__qualname__}" for one in import_string(path).__mro__]
    except (ImportError, AttributeError) as error:
        words = str(error).rstrip(".")
        yield ROWS["E026"].found(alias=alias, backend=path, error=words)
        return
    facts = {"alias": alias, "backend": path}
    if any(_is_in_process(name) for name in names):
        yield ROWS["E022"].found(**facts)
    if any(name.startswith("django_tasks_db.") for name in names):
        if not apps.is_installed("django_tasks_db"):
            yield ROWS["E025"].found(**facts)
    elif "bot.engines.celery.CeleryBackend" in names:
        if not given.get("OPTIONS", {}).get("broker_url"):
            yield ROWS["E027"].found(**facts)
    elif any("celery" in name.lower() for name in names):
        names_on = [name for name in CELERY_SETTINGS if getattr(django_settings, name, False)]
        if names_on:
            yield ROWS["W020"].found(names=" and ".join(names_on), **facts)
    elif any(".rq" in name.lower() or "_rq" in name.lower() for name in names):
        yield from _rq(facts)


def _is_in_process(name: str) -> bool:
    module, _, last = name.rpartition(".")
    ours = module.startswith(("django.tasks.", "django_tasks."))
    return ours and last in ("ImmediateBackend", "DummyBackend")


def _rq(facts: Mapping[str, str]) -> Iterator[CheckMessage]:
    queue = get_settings().run_queue
    given = getattr(django_settings, "RQ_QUEUES", {}).get(queue, {})
    seconds = given.get("DEFAULT_TIMEOUT", RQ_SECONDS)
    if seconds != -1:
        yield ROWS["E028"].found(queue=queue, seconds=seconds, **facts)
