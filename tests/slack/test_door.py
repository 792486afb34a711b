"""Signed and hostile HTTP through the real view."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from bot.models import AuditEntry, SeenRequest, SlackCall
from bot.moment import utc_now
from bot.route.refusals import SetupNeeded
from bot.slack.door import SlackEvents
from bot.slack.entrance import forget_old_requests
from tests.slack.payloads import (
    CHANNEL,
    SETTINGS,
    TEAM,
    command,
    home_opened,
    press,
    send,
    signature,
    submit,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings() -> Any:
    with override_settings(MIGRATION_BOT=SETTINGS):
        yield


@pytest.fixture
def now() -> datetime:
    return utc_now()


def refused(client: Client, body: bytes, now: datetime, status: int, **given: Any) -> None:
    """It is answered with ``status``, with nothing in it, and nothing has happened."""
    before = SlackCall.objects.count()
    answer = send(client, body, now=now, **given)
    assert answer.status_code == status
    assert answer.content == b""
    assert SlackCall.objects.count() == before


def test_a_signed_command_is_taken(client: Client, now: datetime) -> None:
    answer = send(client, command("help"), now=now)
    assert answer.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": "v0=" + "é" * 64},
        {"X-Slack-Signature": "v0=" + "０" * 64},
        {"X-Slack-Request-Timestamp": "soon"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "９" * 10},
        {"X-Slack-Request-Timestamp": "9" * 400},
    ],
)
def test_what_is_not_signed_is_refused(
    client: Client, now: datetime, headers: dict[str, str]
) -> None:
    refused(client, command("status"), now, 401, headers=headers)


def test_another_secret_is_refused(client: Client, now: datetime) -> None:
    body, timestamp = command("status"), str(int(now.timestamp()))
    headers = {"X-Slack-Signature": signature(body, timestamp, secret="another")}
    refused(client, body, now, 401, headers=headers)


def test_a_changed_body_is_refused(client: Client, now: datetime) -> None:
    body, timestamp = command("status"), str(int(now.timestamp()))
    headers = {"X-Slack-Signature": signature(body, timestamp)}
    refused(client, body + b"&text=apply", now, 401, headers=headers)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_stale_request_is_refused_and_one_from_the_future_too(
    client: Client, now: datetime, minutes: int
) -> None:
    refused(client, command("status"), now + timedelta(minutes=minutes), 401)


def test_a_replay_is_refused(client: Client, now: datetime) -> None:
    body = command("help")
    assert send(client, body, now=now).status_code == 200
    refused(client, body, now, 403)


def test_a_replay_with_lazy_headers_runs_nothing(client: Client, now: datetime) -> None:
    body = command("plan")
    lazy = {"X-Slack-Bolt-Lazy-Only": "1", "X-Slack-Bolt-Lazy-Function-Name": "on_command"}
    first = send(client, body, now=now, headers=lazy)
    assert first.json()["text"], "the headers changed nothing: it is answered as a command"
    assert send(client, body, now=now, headers=lazy).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        command("status", team="T0OTHER"),
        command("status", api_app_id="A0OTHER"),
        command("status", team=""),
        press("migration_bot.approve", "1", user_team="T0STRANGER"),
        press("migration_bot.approve", "1", team="T0OTHER"),
        submit("migration_bot.reject_reason", {"run": 1}, {}, team="T0OTHER"),
        urlencode({"a": "b"}).encode(),
        urlencode({"payload": "{}"}).encode(),
    ],
)
def test_another_workspace_or_app_is_refused(client: Client, now: datetime, body: bytes) -> None:
    refused(client, body, now, 403)


def test_a_strangers_click_is_audited_once_a_minute(client: Client, now: datetime) -> None:
    for _ in range(5):
        body = press("migration_bot.approve", "1", user="U0GUEST", user_team="T0STRANGER")
        refused(client, body, now, 403)
    (entry,) = AuditEntry.objects.all()
    assert entry.event == "slack.request.refused"
    actor, data = json.loads(entry.actor), json.loads(entry.data)
    assert (actor["team"], actor["slack_user"]) == ("T0STRANGER", "U0GUEST")
    assert "another workspace" in data["because"]


def test_who_is_not_signed_by_slack_writes_no_audit(client: Client, now: datetime) -> None:
    body = press("migration_bot.approve", "1", user_team="T0STRANGER")
    refused(client, body, now, 401, headers={"X-Slack-Signature": "v0=" + "0" * 64})
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("user", [None, 7, [], {"id": "\0" * 9}, {"id": "U" * 5000}])
def test_a_stranger_without_a_sensible_name_is_refused_too(
    client: Client, now: datetime, user: Any
) -> None:
    payload = {"type": "block_actions", "team": {"id": "T0OTHER"}, "user": user}
    payload["api_app_id"] = SETTINGS["slack_app_id"]
    refused(client, urlencode({"payload": json.dumps(payload)}).encode(), now, 403)
    assert AuditEntry.objects.count() == 1


def test_an_event_of_another_workspace_is_refused(client: Client, now: datetime) -> None:
    body = home_opened(team="T0OTHER")
    refused(client, body, now, 403, content_type="application/json")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff\xfe\x00", "application/x-www-form-urlencoded"),
        (b"text=%ff", "application/x-www-form-urlencoded"),
        (b"payload=not+json", "application/x-www-form-urlencoded"),
        (b"payload=" + b"[" * 100_000, "application/x-www-form-urlencoded"),
        (b"payload=[]", "application/x-www-form-urlencoded"),
        (b"not json", "application/json"),
        (b"\xff", "application/json"),
        (b"[1]", "application/json"),
    ],
)
def test_broken_encodings_are_a_client_error_even_when_signed(
    client: Client, now: datetime, body: bytes, content_type: str
) -> None:
    refused(client, body, now, 400, content_type=content_type)


def test_a_body_that_is_too_large_is_refused(client: Client, now: datetime) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000):
        refused(client, command("x" * 2000), now, 413)


def test_without_a_signing_secret_the_door_stays_shut(client: Client, now: datetime) -> None:
    with override_settings(MIGRATION_BOT={**SETTINGS, "slack_signing_secret": ""}):
        refused(client, command("help"), now, 503)


def test_without_a_workspace_nobody_is_ours(client: Client, now: datetime) -> None:
    with override_settings(MIGRATION_BOT={**SETTINGS, "slack_team_id": ""}):
        refused(client, command("help"), now, 403)


def test_the_certificate_check_gets_a_200_and_does_nothing(client: Client) -> None:
    assert client.get("/slack/events", {"ssl_check": "1"}).status_code == 200
    assert client.get("/slack/events").status_code == 405
    form = "application/x-www-form-urlencoded"
    answer = client.post("/slack/events", "ssl_check=1&token=x", content_type=form)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("length", ["²", "-1", "1e3", "9" * 5000])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    form = "application/x-www-form-urlencoded"
    request = RequestFactory().post("/slack/events", data=b"ssl_check=1", content_type=form)
    request.META["CONTENT_LENGTH"] = length
    assert SlackEvents.as_view()(request).status_code == 400


def test_the_url_verification_of_the_app_page_is_answered(client: Client, now: datetime) -> None:
    body = json.dumps({"type": "url_verification", "token": "x", "challenge": "3eZbrw1a"}).encode()
    answer = send(client, body, now=now, content_type="application/json")
    assert answer.status_code == 200
    assert "3eZbrw1a" in answer.content.decode()


def test_bodies_are_never_logged(
    client: Client, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(client, command("plan secret-word"), now=now)
    send(client, command("plan secret-word"), now=now, headers={"X-Slack-Signature": "v0=x"})
    send(client, b"payload=secret-word", now=now)
    assert "secret-word" not in caplog.text


def test_signatures_are_forgotten_once_they_are_too_old_to_be_taken(
    client: Client, now: datetime
) -> None:
    send(client, command("help"), now=now)
    assert forget_old_requests(now=now + timedelta(minutes=5)) == 0
    assert forget_old_requests(now=now + timedelta(minutes=11)) == 1
    assert not SeenRequest.objects.exists()


def test_a_payload_of_an_unknown_kind_is_harmless(client: Client, now: datetime) -> None:
    payload = {"type": "shortcut", "team": {"id": TEAM}, "user": {"id": "U1", "team_id": TEAM}}
    payload |= {"api_app_id": SETTINGS["slack_app_id"], "channel": {"id": CHANNEL}}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    assert send(client, body, now=now).status_code == 404


def test_old_tables_are_told_in_a_sentence(
    client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def old(*_: Any, **__: Any) -> Any:
        raise SetupNeeded()

    monkeypatch.setattr("bot.slack.bolt.dispatch", old)
    answer = send(client, command("status"), now=now)
    assert (answer.status_code, "migration_bot setup" in answer.content.decode()) == (200, True)


def test_a_sign_in_middleware_of_the_project_does_not_stand_before_the_door(
    client: Client, now: datetime, settings: Any
) -> None:
    signing_in = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, signing_in]
    assert send(client, command("help"), now=now).status_code == 200


def test_no_transaction_of_the_project_is_around_a_request(
    client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    depths: list[int] = []

    def look(*_: Any) -> HttpResponse:
        depths.append(len(connection.savepoint_ids))
        return HttpResponse()

    monkeypatch.setattr("bot.slack.bolt.dispatch", look)
    send(client, command("help"), now=now)
    assert depths == [0]


@pytest.mark.parametrize(
    ("from_where", "status"),
    [
        ({"HTTP_HOST": "127.0.0.1:8000"}, 200),
        ({"HTTP_HOST": "127.0.0.1:8000", "REMOTE_ADDR": "203.0.113.9"}, 403),
        ({"HTTP_HOST": "127.0.0.1:8000", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, 403),
        ({"HTTP_HOST": "testserver"}, 403),
    ],
)
def test_the_sandboxs_secret_opens_the_door_to_this_machine_alone(
    now: datetime, from_where: dict[str, str], status: int
) -> None:
    with override_settings(MIGRATION_BOT={**SETTINGS, "slack_bot_token": "xoxb-sandbox-x"}):
        client = Client(**from_where)  # type: ignore[arg-type]
        assert send(client, command("help"), now=now).status_code == status
