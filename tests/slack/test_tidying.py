"""What is forgotten, and what is not."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django_tasks_db.models import DBTaskResult

from bot import clock
from bot.models import (
    AuditEntry,
    Delivery,
    Link,
    LinkCode,
    SeenRequest,
    SlackCall,
    SlackPerson,
)
from bot.operations.linking import offer_code
from bot.slack.tidying import tidy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]

DAY = timedelta(days=1)


def delivery(now: datetime, kind: str, age: timedelta, state: str = Delivery.SENT) -> Delivery:
    at = now - age
    return Delivery.objects.create(
        key=f"{kind}:{state}:{age}",
        kind=kind,
        state=state,
        due_at=at,
        created_at=at,
        sent_at=at if state == Delivery.SENT else None,
    )


def test_the_clocks_tidying_forgets_signatures_that_are_too_old_to_be_taken(now: datetime) -> None:
    SeenRequest.objects.create(signature="v0=old", at=now - timedelta(minutes=11))
    SeenRequest.objects.create(signature="v0=new", at=now - timedelta(minutes=4))
    clock.tidy(now=now)
    assert [seen.signature for seen in SeenRequest.objects.all()] == ["v0=new"]


@pytest.mark.parametrize("kind", ["reply", "plan_refused", "home"])
def test_what_was_told_to_one_person_is_forgotten_after_a_week(now: datetime, kind: str) -> None:
    delivery(now, kind, 8 * DAY)
    delivery(now, kind, 8 * DAY, Delivery.DEAD)
    kept = [delivery(now, kind, 6 * DAY), delivery(now, kind, 8 * DAY, Delivery.PENDING)]
    tidy(now=now)
    assert set(Delivery.objects.all()) == set(kept)


def test_a_home_that_was_published_lately_stays_however_old_its_row(now: datetime) -> None:
    home = delivery(now, "home", 30 * DAY)
    Delivery.objects.update(sent_at=now - DAY)
    tidy(now=now)
    assert Delivery.objects.get() == home


@pytest.mark.parametrize("kind", ["run", "audit", "plan", "run_details", "run_result"])
def test_what_was_told_to_a_channel_is_never_forgotten(now: datetime, kind: str) -> None:
    delivery(now, kind, 400 * DAY)
    delivery(now, kind, 400 * DAY, Delivery.DEAD)
    tidy(now=now)
    assert Delivery.objects.count() == 2


def test_kept_calls_are_forgotten_after_a_week(now: datetime) -> None:
    for age in (8 * DAY, 6 * DAY):
        SlackCall.objects.create(call={}, asked_at=now - age, answered_at=now - age)
    tidy(now=now)
    assert [now - kept.asked_at for kept in SlackCall.objects.all()] == [6 * DAY]


def test_link_codes_are_forgotten_a_day_after_they_died(now: datetime) -> None:
    for user, age in (("U0A", 2 * DAY), ("U0B", timedelta(hours=2))):
        offer_code(user, team="T0TEAM", slack_user=user, slack_name="", now=now - age)
    LinkCode.objects.filter(slack_user="U0A").update(used_at=now)
    tidy(now=now)
    assert [code.slack_user for code in LinkCode.objects.all()] == ["U0B"]


def test_people_without_a_link_are_forgotten_and_linked_ones_are_not(
    known: Any, linked: Any, now: datetime
) -> None:
    known("U0STRANGER")
    linked("U0ADA", "ada")
    SlackPerson.objects.update(seen_at=now - 31 * DAY, flags_at=now - 31 * DAY)
    known("U0FRESH")
    tidy(now=now)
    assert {person.slack_user for person in SlackPerson.objects.all()} == {"U0ADA", "U0FRESH"}
    assert Link.objects.count() == 1
    assert not AuditEntry.objects.exists()


def test_finished_wakes_of_our_queues_are_forgotten_and_a_projects_own_tasks_are_not(
    now: datetime,
) -> None:
    def task(queue: str, status: str, age: timedelta) -> None:
        DBTaskResult.objects.create(
            status=status,
            args_kwargs={"args": [], "kwargs": {}},
            task_path="x",
            queue_name=queue,
            backend_name="default",
            run_after=now,
            finished_at=now - age if status != "READY" else None,
        )

    task("migration_bot", "SUCCESSFUL", 2 * DAY)
    task("migration_bot_runs", "FAILED", 2 * DAY)
    task("migration_bot", "SUCCESSFUL", timedelta(hours=1))
    task("migration_bot", "READY", 2 * DAY)
    task("default", "SUCCESSFUL", 2 * DAY)
    clock.tidy(now=now)
    left = DBTaskResult.objects.values_list("queue_name", "status")
    assert sorted(left) == [
        ("default", "SUCCESSFUL"),
        ("migration_bot", "READY"),
        ("migration_bot", "SUCCESSFUL"),
    ]
