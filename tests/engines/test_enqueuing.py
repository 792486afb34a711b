"""Many wakes at once are the rows that the engine itself would have written."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.compat import task_enqueued
from django_tasks_db.models import DBTaskResult

from bot import tasks
from bot.engines.enqueuing import enqueue_all

pytestmark = pytest.mark.django_db

ITS_OWN = {"id", "enqueued_at", "args_kwargs"}


def row(result: Any) -> dict[str, Any]:
    names = (column.attname for column in DBTaskResult._meta.concrete_fields)
    return {name: getattr(result, name) for name in names if name not in ITS_OWN}


def test_a_row_is_what_the_engine_would_write() -> None:
    tasks.make_plan.enqueue("1")
    (theirs,) = DBTaskResult.objects.all()
    with CaptureQueriesContext(connection) as captured:
        enqueue_all(tasks.make_plan, [("2",), ("3",)])
    assert len(captured) == 1
    ours = DBTaskResult.objects.exclude(pk=theirs.pk)
    assert [row(one) for one in ours] == [row(theirs)] * 2
    assert sorted(one.args_kwargs["args"] for one in ours) == [["2"], ["3"]]
    assert all(one.args_kwargs["kwargs"] == theirs.args_kwargs["kwargs"] for one in ours)
    assert all(one.enqueued_at >= theirs.enqueued_at for one in ours)
    assert set(DBTaskResult.objects.ready()) == {theirs, *ours}


def test_whoever_listens_to_the_engine_hears_of_each() -> None:
    heard: list[str] = []

    def listen(sender: Any, task_result: Any, **_: Any) -> None:
        heard.append(task_result.args[0])

    task_enqueued.connect(listen)
    try:
        enqueue_all(tasks.make_plan, [("2",), ("3",)])
    finally:
        task_enqueued.disconnect(listen)
    assert heard == ["2", "3"]
