from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

import pytest
from django_tasks_db.models import DBTaskResult

from bot import tasks
from bot.conf import get_settings
from bot.engines.database import QueueWorker, forget_old, waiting_in
from bot.moment import utc_now

pytestmark = pytest.mark.django_db

QUEUES = ("migration_bot_runs", "migration_bot")


def a_worker(*, parent: int, linger: float = 60.0) -> Any:
    return QueueWorker(
        parent=parent,
        linger=linger,
        queue_names=["migration_bot_runs"],
        interval=0,
        batch=False,
        backend_name=get_settings().tasks_backend,
        startup_delay=False,
        max_tasks=None,
        worker_id="w1",
        excluded_queue_names=[],
    )


def test_a_queue_in_which_something_waits_is_named_until_it_is_done() -> None:
    assert waiting_in(QUEUES) == frozenset()
    tasks.enqueue("carry_out", "77")
    tasks.enqueue("carry_out", "78")
    assert waiting_in(QUEUES) == {"migration_bot_runs"}
    tasks.enqueue("make_plan", "00000000-0000-0000-0000-000000000000")
    assert waiting_in(QUEUES) == set(QUEUES)
    assert waiting_in(["migration_bot"]) == {"migration_bot"}
    DBTaskResult.objects.update(status="SUCCESSFUL")
    assert waiting_in(QUEUES) == frozenset()


def test_a_worker_without_its_parent_or_without_work_ends_between_two_tasks() -> None:
    assert a_worker(parent=os.getppid()).running
    orphan, idle = a_worker(parent=1), a_worker(parent=os.getppid(), linger=0.0)
    assert not orphan.running
    assert not idle.running
    orphan.running_task = idle.running_task = True
    assert orphan.running, "a task is never left, and one signal must not cut it off"
    assert idle.running
    orphan.running = False
    assert not orphan.running


def test_a_worker_with_nothing_to_do_for_a_while_returns() -> None:
    begun = time.monotonic()
    a_worker(parent=os.getppid(), linger=0.05).run()
    assert time.monotonic() > begun


def test_old_records_of_the_engine_are_forgotten_whatever_became_of_them() -> None:
    for number in ("1", "2", "3"):
        tasks.enqueue("carry_out", number)
    old, left, fresh = DBTaskResult.objects.order_by("id")
    day = timedelta(days=1)
    DBTaskResult.objects.filter(pk=old.pk).update(status="SUCCESSFUL", enqueued_at=utc_now() - day)
    DBTaskResult.objects.filter(pk=left.pk).update(status="RUNNING", enqueued_at=utc_now() - day)
    assert forget_old(QUEUES, before=utc_now() - day / 2) == 2
    assert [result.pk for result in DBTaskResult.objects.all()] == [fresh.pk]


def test_old_wakes_are_forgotten_in_a_project_without_time_zones_too(settings: Any) -> None:
    settings.USE_TZ = False
    tasks.enqueue("carry_out", ["1"])
    assert forget_old(QUEUES, before=utc_now() - timedelta(days=2)) == 0
    assert forget_old(QUEUES, before=utc_now() + timedelta(days=2)) == 1
