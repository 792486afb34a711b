"""Slack people and how they stand with the site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client, override_settings

from bot.models import Link, SlackPerson
from bot.moment import utc_now
from tests.plans import an_account
from tests.slack.payloads import SETTINGS, TEAM, send


@pytest.fixture
def slack_settings() -> Iterator[dict[str, Any]]:
    with override_settings(MIGRATION_BOT=SETTINGS):
        yield dict(SETTINGS)


@pytest.fixture
def now() -> datetime:
    """The door asks the clock of the machine, so what it finds is made by the same clock."""
    return utc_now()


@pytest.fixture
def known(db: None, slack_settings: dict[str, Any], now: datetime) -> Callable[..., SlackPerson]:
    """Makes a Slack person whose flags are fresh."""

    def make(user: str, *, barred: str = "", flags_at: datetime | None = now) -> SlackPerson:
        return SlackPerson.objects.create(
            key=f"{TEAM}:{user}",
            team=TEAM,
            slack_user=user,
            name=user.title(),
            barred=barred,
            flags_at=flags_at,
            seen_at=now,
        )

    return make


@pytest.fixture
def linked(known: Callable[..., SlackPerson], now: datetime) -> Callable[..., Any]:
    """Makes a Slack person tied to a new account: ``linked("U0ADA", "ada", "approve_run")``."""

    def make(user: str, name: str, *permissions: str, **account: Any) -> Any:
        known(user)
        made = an_account(name, *permissions, **account)
        Link.objects.create(
            team=TEAM,
            slack_user=user,
            account=str(made.pk),
            account_name=name,
            linked_at=now,
            live_key=f"{TEAM}:{user}",
        )
        return made

    return make


@pytest.fixture
def says(client: Client, now: datetime) -> Callable[[bytes], Any]:
    """Sends a signed body and returns the JSON of the answer ({} for none)."""

    def make(body: bytes, **given: Any) -> Any:
        answer = send(client, body, now=now, **given)
        assert answer.status_code == 200, answer.content
        return answer.json() if answer.content.startswith(b"{") else {}

    return make
