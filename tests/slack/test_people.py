"""Keeping what Slack says of people fresh, and kept calls alive, while Slack is well or down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import responses

from bot.models import Delivery, Link, Run, SlackCall, SlackPerson
from bot.slack import answers, people
from tests.slack.payloads import SETTINGS, TEAM, command

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]

SECOND = timedelta(seconds=1)


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What a worker was woken for."""
    found: list[tuple[str, str]] = []

    def wake(task: str, key: object) -> None:
        found.append((task, str(key)))

    monkeypatch.setattr(people, "wake", wake)
    monkeypatch.setattr(answers, "wake", wake)
    monkeypatch.setattr(people, "_woken", {})
    return found


def flags_are(age: timedelta, now: datetime) -> None:
    SlackPerson.objects.update(flags_at=now - age)


def test_flags_are_asked_for_before_they_are_too_old(
    linked: Any, now: datetime, woken: list[Any]
) -> None:
    linked("U0ADA", "ada")
    flags_are(people.REFRESH - SECOND, now)
    people.tick(now=now)
    assert woken == []
    people.tick(now=now + 2 * SECOND)
    assert woken == [("refresh_person", f"{TEAM}:U0ADA")]


def test_while_slack_is_down_one_person_is_asked_for_every_30_seconds(
    linked: Any, now: datetime, woken: list[Any]
) -> None:
    linked("U0ADA", "ada")
    linked("U0ROBIN", "robin")
    flags_are(timedelta(hours=1), now)
    for second in range(61):
        people.tick(now=now + second * SECOND)
    assert sorted(woken) == sorted(3 * [("refresh_person", f"{TEAM}:{u}") for u in WHO])


WHO = ("U0ADA", "U0ROBIN")


def test_who_is_not_linked_or_was_not_seen_for_a_day_is_left_alone(
    known: Any, linked: Any, now: datetime, woken: list[Any]
) -> None:
    known("U0NEW")
    linked("U0ADA", "ada")
    SlackPerson.objects.filter(slack_user="U0ADA").update(seen_at=now - timedelta(days=2))
    flags_are(timedelta(hours=1), now)
    people.tick(now=now)
    assert woken == []


def keep_one(says: Callable[..., Any]) -> SlackCall:
    """A call of somebody whom Slack must be asked about."""
    SlackPerson.objects.update(flags_at=None)
    says(command("whoami", user="U0ADA"))
    return SlackCall.objects.get()


def test_a_kept_call_whose_wake_was_lost_is_woken_again_in_peace(
    says: Any, linked: Any, now: datetime, woken: list[Any]
) -> None:
    linked("U0ADA", "ada")
    kept = keep_one(says)
    woken.clear()
    for second in range(0, 60, 2):
        answers.tick(now=kept.asked_at + second * SECOND)
    assert woken == 3 * [("answer_call", str(kept.pk))]


def test_an_answered_call_is_left_alone(
    says: Any, linked: Any, now: datetime, woken: list[Any]
) -> None:
    linked("U0ADA", "ada")
    kept = keep_one(says)
    woken.clear()
    SlackCall.objects.update(answered_at=now)
    answers.tick(now=kept.asked_at + timedelta(minutes=5))
    assert woken == []


@responses.activate
def test_what_somebody_wanted_long_ago_is_not_done_behind_their_back(
    says: Any, linked: Any, now: datetime
) -> None:
    linked("U0ADA", "ada", "request_run")
    asked = responses.post(f"{SETTINGS['slack_api_url']}users.info", json={"ok": True})
    SlackPerson.objects.update(flags_at=None)
    says(command("unlink", user="U0ADA"))
    SlackCall.objects.update(asked_at=now - timedelta(minutes=31))
    answers.answer_later(str(SlackCall.objects.get().pk))
    assert asked.call_count == 0
    assert Link.objects.get().live_key
    assert not Run.objects.exists()
    told = Delivery.objects.get(kind="reply").payload["message"]["text"]
    assert "over half an hour" in told
