from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from bot.models import Delivery, Run, SlackChannel, Worker
from bot.operations import vital_signs
from tests.slack.payloads import CHANNEL, SETTINGS
from tests.web.conftest import alter

pytestmark = pytest.mark.django_db


def look() -> Any:
    return Client().get("/healthz")


def beat(at: datetime) -> None:
    Worker.objects.create(name="secret-host:1:run", kind="run", started_at=at, beat_at=at)


def test_all_is_well_with_a_worker(now: datetime, asked: Callable[..., Run]) -> None:
    beat(now)
    asked()
    answer = look()
    assert answer.status_code == 200
    found = answer.json()
    assert found["ok"] is True
    assert set(found) == {"ok", "database", "worker", "outbox", "audit"}
    assert found["audit"]["seq"] == 1
    assert len(found["audit"]["hash"]) == 12
    assert found["outbox"]["backlog"] == 0
    assert found["worker"]["workers"] == 1
    assert "secret-host" not in answer.content.decode()


def test_without_a_living_worker_it_is_not_well(now: datetime) -> None:
    assert look().status_code == 503
    beat(now - timedelta(hours=1))
    answer = look()
    assert answer.status_code == 503
    assert answer.json()["worker"]["ok"] is False
    assert answer.json()["worker"]["newest_age"] >= 3600
    assert answer.json()["database"]["ok"] is True


def test_a_heartbeat_from_the_future_is_no_sign_of_life(now: datetime) -> None:
    beat(now + timedelta(hours=1))
    answer = look()
    assert answer.status_code == 503
    assert "in the future" in answer.json()["worker"]["words"]
    assert answer.json()["worker"]["workers"] == 0


def test_a_workers_clock_that_is_off_is_told(now: datetime) -> None:
    beat(now)
    assert "off" not in look().json()["worker"]["words"]
    Worker.objects.update(ahead=11_000)
    found = look().json()["worker"]
    assert "1 worker's clock is off" in found["words"]
    assert not found["ok"], "it takes no run, and nobody else is there"
    assert "secret-host" not in found["words"]
    Worker.objects.create(name="other-host:1:run", kind="run", started_at=now, beat_at=now)
    assert look().json()["worker"]["ok"]


def test_the_backlog_is_told_with_its_oldest_age(now: datetime) -> None:
    beat(now)
    for number, minutes in enumerate((3, 90)):
        at = now - timedelta(minutes=minutes)
        Delivery.objects.create(key=f"k{number}", kind="run", due_at=at, created_at=at)
    found = look().json()
    assert found["outbox"]["backlog"] == 2
    assert found["outbox"]["oldest_age"] >= 5400
    assert found["outbox"]["ok"] is False
    assert found["ok"] is True


def test_a_dead_channel_is_counted_and_not_named(now: datetime) -> None:
    beat(now)
    SlackChannel.objects.create(
        pk=CHANNEL, broken_because="not_in_channel: invite it", broken_at=now
    )
    SlackChannel.objects.create(pk="C0WELL", sent_at=now)
    with override_settings(MIGRATION_BOT=SETTINGS):
        answer = look()
    assert answer.status_code == 200
    found = answer.json()
    assert (found["ok"], found["outbox"]["ok"], found["worker"]["ok"]) == (True, False, True)
    assert found["outbox"]["broken_channels"] == 1
    assert "1 channel takes nothing: see `manage.py migration_bot doctor`" in str(found["outbox"])
    assert CHANNEL not in answer.content.decode()
    assert "not_in_channel" not in answer.content.decode()


def test_messages_that_were_given_up_are_counted(now: datetime) -> None:
    beat(now)
    assert look().json()["outbox"]["given_up"] == 0
    Delivery.objects.create(
        key="k", kind="audit", channel=CHANNEL, state=Delivery.DEAD, due_at=now, created_at=now
    )
    found = look().json()["outbox"]
    assert found["given_up"] == 1
    assert "1 message was given up: see `manage.py migration_bot doctor`" in found["words"]


def test_without_slack_no_channel_is_broken(now: datetime) -> None:
    beat(now)
    SlackChannel.objects.create(pk=CHANNEL, broken_because="token_revoked", broken_at=now)
    assert look().json()["outbox"]["ok"] is True


def test_missing_tables_are_told_with_their_remedy() -> None:
    alter("ALTER TABLE migration_bot_auditentry RENAME TO elsewhere_a")
    alter("ALTER TABLE migration_bot_audithead RENAME TO elsewhere_b")
    answer = look()
    assert answer.status_code == 503
    assert "migration_bot setup" in answer.json()["database"]["words"]


def test_a_database_that_is_down_is_told_without_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def down(**kwargs: Any) -> Any:
        raise OperationalError("connection to server at db-7.internal failed")

    monkeypatch.setattr(vital_signs, "pulse", down)
    answer = look()
    assert answer.status_code == 503
    assert answer.json()["database"]["ok"] is False
    assert "db-7" not in answer.content.decode()


def test_it_is_only_looked_at() -> None:
    answer = Client().post("/healthz")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")
    assert Client().head("/healthz").status_code == 503
