from __future__ import annotations

from typing import Any

import pytest
from django_tasks_db import DatabaseBackend

from bot import worker
from bot.engines.which import Engine, backend_path, engine


class OurOwn(DatabaseBackend):
    """A project may derive from the engine that it has."""


class Foreign:
    """Stands for a backend of which we know nothing."""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("django_tasks_db.DatabaseBackend", Engine.DATABASE),
        ("tests.engines.test_which.OurOwn", Engine.DATABASE),
        ("bot.engines.celery.CeleryBackend", Engine.CELERY),
        ("tests.engines.test_which.Foreign", Engine.OTHER),
    ],
)
def test_the_engine_is_known_by_what_its_backend_derives_from(
    settings: Any, path: str, found: Engine
) -> None:
    settings.TASKS = {"default": {"BACKEND": path}}
    assert backend_path() == path
    assert engine() is found


def test_without_tasks_there_is_no_engine_of_ours(settings: Any) -> None:
    settings.TASKS = {}
    assert engine() is Engine.OTHER


@pytest.mark.parametrize(
    ("found", "queues"),
    [
        (Engine.DATABASE, ["migration_bot_runs", "migration_bot", "migration_bot_rehearsals"]),
        (Engine.CELERY, ["migration_bot_runs", "migration_bot", "migration_bot_rehearsals"]),
        (Engine.OTHER, []),
    ],
)
def test_the_worker_starts_the_processes_of_engines_that_are_ours(
    monkeypatch: pytest.MonkeyPatch, found: Engine, queues: list[str]
) -> None:
    made: list[worker.Supervisor] = []

    def run(supervisor: worker.Supervisor) -> None:
        made.append(supervisor)

    monkeypatch.setattr(worker, "engine", lambda: found)
    monkeypatch.setattr("bot.database.process.warm_up", lambda: None)
    monkeypatch.setattr(worker.Supervisor, "run", run)
    said: list[str] = []
    worker.supervise(say=said.append)
    (supervisor,) = made
    assert [part.name for part in supervisor.parts] == queues
    assert bool(said) == (found is Engine.OTHER)
