"""What staff are told on the page about Slack: what is broken, and where their links are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client, override_settings

from bot import operations
from bot.models import Run, SlackChannel
from bot.outbox import REPLIES
from bot.route.states import State
from tests.plans import acting
from tests.slack.payloads import CHANNEL, SETTINGS

pytestmark = pytest.mark.django_db

PAGES = ("/migrations/", "/migrations/runs/", "/migrations/audit/", "/migrations/links/")


@pytest.fixture
def broken(now: datetime) -> None:
    SlackChannel.objects.create(
        pk=CHANNEL, broken_because="token_revoked: <b>install</b> the app again", broken_at=now
    )


@pytest.mark.parametrize("page", PAGES)
def test_staff_see_why_a_channel_takes_nothing(
    page: str, signed_in: Callable[[Any], Client], robin: Any, broken: None
) -> None:
    with override_settings(MIGRATION_BOT=SETTINGS):
        text = signed_in(robin).get(page).content.decode()
    assert f"messages for {CHANNEL}" in text
    assert "token_revoked: &lt;b&gt;install&lt;/b&gt; the app again." in text
    assert "migration_bot doctor" in text


def test_whoever_is_not_staff_is_told_nothing(client: Client, broken: None) -> None:
    with override_settings(MIGRATION_BOT=SETTINGS):
        assert CHANNEL not in client.get("/migrations/").content.decode()


def test_answers_to_people_that_cannot_be_sent_are_told_as_such(
    signed_in: Callable[[Any], Client], robin: Any, now: datetime
) -> None:
    SlackChannel.objects.create(pk=REPLIES, broken_because="missing_scope", broken_at=now)
    with override_settings(MIGRATION_BOT=SETTINGS):
        text = signed_in(robin).get("/migrations/").content.decode()
    assert "Slack has taken no answers to people since" in text


def test_a_dead_channel_stops_no_decision_on_the_page(
    signed_in: Callable[[Any], Client],
    ada: Any,
    asked: Callable[..., Run],
    broken: None,
    now: datetime,
) -> None:
    with override_settings(MIGRATION_BOT=SETTINGS):
        run = asked()
        assert signed_in(ada).post(f"/migrations/runs/{run.pk}/approve/").status_code == 303
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_a_mended_channel_is_not_spoken_of(
    signed_in: Callable[[Any], Client], robin: Any, now: datetime
) -> None:
    SlackChannel.objects.create(pk=CHANNEL, sent_at=now)
    with override_settings(MIGRATION_BOT=SETTINGS):
        assert "Slack has taken no" not in signed_in(robin).get("/migrations/").content.decode()


@pytest.mark.parametrize(("given", "shown"), [(SETTINGS, True), ({}, False)])
def test_the_links_are_in_the_menu_where_there_is_a_slack(
    signed_in: Callable[[Any], Client], robin: Any, given: dict[str, Any], shown: bool
) -> None:
    with override_settings(MIGRATION_BOT=given):
        text = signed_in(robin).get("/migrations/").content.decode()
    assert (">Slack links</a>" in text) is shown


def test_a_plan_page_has_the_note_too(
    signed_in: Callable[[Any], Client], robin: Any, broken: None, now: datetime
) -> None:
    with override_settings(MIGRATION_BOT=SETTINGS):
        stored = operations.ask_for_plan(
            actor=acting(robin), database="default", target="", now=now
        )
        text = signed_in(robin).get(f"/migrations/plans/{stored.pk}/").content.decode()
    assert "token_revoked" in text
