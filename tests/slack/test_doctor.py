"""What the doctor finds, what it says to do about it, and how the command ends."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests
import responses
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction
from django.test import override_settings

from bot.engines import celery
from bot.models import Delivery, SlackChannel, Worker
from bot.slack import asking, doctor
from bot.slack.asking import Diagnosis, token_and_clock
from bot.slack.client import get_client
from tests.slack.payloads import CHANNEL, SETTINGS, TEAM

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]

API = SETTINGS["slack_api_url"]
SITE = f"{SETTINGS['public_url']}/healthz"
ALL_SCOPES = ", ".join(sorted(asking.SCOPES | asking.WANTED))


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    with responses.mock:
        yield


@pytest.fixture
def worker(now: datetime) -> Worker:
    return Worker.objects.create(name="host:1:worker", kind="worker", started_at=now, beat_at=now)


def slack(
    now: datetime,
    *,
    scopes: str = ALL_SCOPES,
    team: str = TEAM,
    skew: timedelta = timedelta(0),
    token_error: str = "",
    channel_error: str = "",
    site: Any = None,
) -> None:
    """A Slack and a site that answer as they should, but for what is given."""
    told: dict[str, Any] = {"ok": True, "team_id": team, "team": "Example"}
    responses.post(
        f"{API}auth.test",
        json={"ok": False, "error": token_error} if token_error else told,
        headers={"X-OAuth-Scopes": scopes, "Date": format_datetime(now + skew)},
    )
    history = {"ok": False, "error": channel_error} if channel_error else {"ok": True}
    responses.add("GET", f"{API}conversations.history", json=history)
    responses.post(f"{API}conversations.history", json=history)
    responses.get(SITE, json={"audit": {}} if site is None else site)


def found(now: datetime) -> dict[str, Diagnosis]:
    return {diagnosis.name: diagnosis for diagnosis in doctor.examine(now=now)}


def test_where_all_is_well_nothing_is_wrong(now: datetime, worker: Worker) -> None:
    slack(now)
    diagnoses = found(now)
    names = "worker, queue, outbox, signing secret, token, scopes, clock, channel, PUBLIC_URL"
    assert ", ".join(diagnoses) == names
    assert {d.ok for d in diagnoses.values()} == {True}


WRONG: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a token that was revoked": (
        {"token_error": "token_revoked"},
        "token",
        "token_revoked",
        "Install the app again",
    ),
    "a token of another workspace": (
        {"team": "T0OTHER"},
        "token",
        "belongs to T0OTHER",
        "SLACK_TEAM_ID=T0OTHER",
    ),
    "missing scopes": (
        {"scopes": "commands, users:read, chat:write"},
        "scopes",
        "files:write, users:read.email",
        "manifest.yml",
    ),
    "a clock that is wrong": (
        {"skew": timedelta(minutes=7)},
        "clock",
        "by 4",
        "NTP",
    ),
    "a bot outside its channel": (
        {"channel_error": "not_in_channel"},
        "channel",
        "the bot is not in the channel",
        "/invite @Migration bot",
    ),
    "a channel that is not there": (
        {"channel_error": "channel_not_found"},
        "channel",
        "does not exist",
        "an id (C…), no name",
    ),
    "another site at the public address": (
        {"site": {"hello": "world"}},
        "PUBLIC_URL",
        "not the bot's",
        'include("bot.urls")',
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_at_slack_comes_with_its_remedy(
    case: str, now: datetime, worker: Worker
) -> None:
    given, name, words, remedy = WRONG[case]
    slack(now, **given)
    diagnoses = found(now)
    assert diagnoses[name].ok is False
    assert words in diagnoses[name].words
    assert remedy in diagnoses[name].remedy
    assert [d.name for d in diagnoses.values() if d.ok is False] == [name]


def test_without_the_history_scopes_it_is_well_with_a_word_of_warning(
    now: datetime, worker: Worker
) -> None:
    slack(now, scopes=", ".join(asking.SCOPES), channel_error="missing_scope")
    diagnoses = found(now)
    assert diagnoses["scopes"].ok is True
    assert "posted twice" in diagnoses["scopes"].words
    assert diagnoses["channel"].ok is None


def test_a_slack_that_cannot_be_reached_is_wrong(now: datetime) -> None:
    responses.post(f"{API}auth.test", body=requests.ConnectionError("no route"))
    token = next(token_and_clock(get_client(timeout=1)))
    assert token.ok is False
    assert API in token.words
    assert "network" in token.remedy


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_bad_moment_of_slacks_is_no_fault_of_the_token(status: int) -> None:
    responses.post(f"{API}auth.test", status=status, json={"ok": False})
    token = next(token_and_clock(get_client(timeout=1)))
    assert token.ok is None
    assert "Try again" in token.remedy


@pytest.mark.parametrize(
    ("key", "name", "remedy"),
    [
        ("slack_signing_secret", "signing secret", "SLACK_SIGNING_SECRET"),
        ("slack_channel", "channel", "SLACK_CHANNEL"),
        ("public_url", "PUBLIC_URL", "Set PUBLIC_URL"),
    ],
)
def test_a_setting_that_is_missing_is_named(
    key: str, name: str, remedy: str, now: datetime, worker: Worker
) -> None:
    slack(now)
    with override_settings(MIGRATION_BOT={**SETTINGS, key: ""}):
        diagnosis = found(now)[name]
    assert diagnosis.ok is False
    assert remedy in diagnosis.remedy


def test_an_audit_channel_of_its_own_is_looked_at_too(now: datetime, worker: Worker) -> None:
    slack(now)
    with override_settings(MIGRATION_BOT={**SETTINGS, "slack_audit_channel": "C0AUDIT"}):
        told = [d.words for d in doctor.examine(now=now) if d.name == "channel"]
    assert told == [f"The bot is in {CHANNEL}.", "The bot is in C0AUDIT."]


def public_url(address: str, answer: Any = None, **more: str) -> Diagnosis:
    """The diagnosis of this PUBLIC_URL, where asking for it gives ``answer``."""
    responses.get(
        f"{address}/healthz", **(answer if answer is not None else {"json": {"audit": {}}})
    )
    with override_settings(MIGRATION_BOT={**SETTINGS, "public_url": address, **more}):
        return doctor.public_url()


def test_a_public_address_must_be_https_but_on_ones_own_machine_or_over_socket_mode() -> None:
    assert public_url("http://site.test").ok is False
    assert public_url("http://127.0.0.1:8000").ok is True
    assert public_url("http://site.test", slack_app_token="xapp-1").ok is True


@pytest.mark.parametrize(
    "answer",
    [
        {"body": requests.ConnectionError("no such host")},
        {"body": "<html>", "status": 502},
        {"status": 302, "headers": {"Location": "https://evil.test/"}},
    ],
)
def test_a_public_address_that_does_not_answer_is_wrong(answer: dict[str, Any]) -> None:
    diagnosis = public_url("https://elsewhere.test", answer)
    assert diagnosis.ok is False
    assert "ALLOWED_HOSTS" in diagnosis.remedy


def test_a_dead_worker_is_wrong(now: datetime, worker: Worker) -> None:
    Worker.objects.update(beat_at=now - timedelta(minutes=5))
    diagnosis = doctor.worker(now=now)
    assert diagnosis.ok is False
    assert "migration_bot worker" in diagnosis.remedy


def test_a_broken_channel_and_a_message_that_was_given_up_are_wrong(now: datetime) -> None:
    assert doctor.outbox(now=now).ok is True
    Delivery.objects.create(
        key="k",
        kind="run",
        channel=CHANNEL,
        state=Delivery.DEAD,
        due_at=now,
        created_at=now,
        error="no_text",
    )
    given_up = doctor.outbox(now=now)
    assert (given_up.ok, "given up" in given_up.words) == (False, True)
    SlackChannel.objects.create(pk=CHANNEL, broken_because="is_archived", broken_at=now)
    broken = doctor.outbox(now=now)
    assert broken.ok is False
    assert f"{CHANNEL}: is_archived" in broken.words
    assert "sent by itself" in broken.remedy


def test_a_queue_in_the_database_that_is_not_there_is_wrong(now: datetime) -> None:
    if not connection.features.can_rollback_ddl:
        pytest.skip(f"{connection.vendor} keeps a changed schema")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE django_tasks_database_dbtaskresult RENAME TO elsewhere")
        diagnosis = doctor.queue(now=now)
        transaction.set_rollback(True)
    assert diagnosis.ok is False
    assert "TASKS" in diagnosis.remedy


def test_a_broker_that_is_down_is_wrong(now: datetime) -> None:
    tasks = {
        "default": {
            "BACKEND": "bot.engines.celery.CeleryBackend",
            "QUEUES": ["migration_bot", "migration_bot_runs", "migration_bot_rehearsals"],
            "OPTIONS": {"broker_url": "redis://127.0.0.1:1/0"},
        }
    }
    celery.get_app.cache_clear()
    try:
        with override_settings(TASKS=tasks):
            diagnosis = doctor.queue(now=now)
    finally:
        celery.get_app.cache_clear()
    assert diagnosis.ok is False
    assert "celery" in diagnosis.words
    assert "broker" in diagnosis.remedy


SOCKET = {**SETTINGS, "slack_app_token": "xapp-1-test", "slack_signing_secret": ""}


def test_socket_mode_is_tried_with_its_own_token_and_needs_no_signing_secret(
    now: datetime, worker: Worker
) -> None:
    slack(now)
    asked = responses.post(f"{API}apps.connections.open", json={"ok": True, "url": "wss://x.test"})
    with override_settings(MIGRATION_BOT=SOCKET):
        diagnoses = found(now)
    assert diagnoses["Socket Mode"].ok is True
    assert diagnoses["signing secret"].ok is True
    assert asked.calls[0].request.headers["Authorization"] == "Bearer xapp-1-test"


def test_a_wrong_app_level_token_is_wrong(now: datetime, worker: Worker) -> None:
    slack(now)
    refused = {"ok": False, "error": "not_allowed_token_type"}
    responses.post(f"{API}apps.connections.open", json=refused)
    with override_settings(MIGRATION_BOT=SOCKET):
        diagnosis = found(now)["Socket Mode"]
    assert diagnosis.ok is False
    assert "connections:write" in diagnosis.remedy


# The command


def command(*words: str) -> tuple[int, str]:
    """``manage.py migration_bot doctor``: its exit code and what it wrote to stdout."""
    out = io.StringIO()
    try:
        call_command("migration_bot", "doctor", *words, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def test_the_command_ends_with_0_where_all_is_well(now: datetime, worker: Worker) -> None:
    slack(now)
    code, out = command()
    assert code == 0
    assert f"good     token: It works in Example ({TEAM})." in out
    assert "WRONG" not in out


def test_the_command_ends_with_1_where_something_is_wrong_and_says_what_to_do(
    now: datetime, worker: Worker
) -> None:
    slack(now, channel_error="not_in_channel")
    code, out = command()
    assert code == 1
    wrong = out[out.index("WRONG    channel") :].splitlines()
    assert "/invite" in wrong[1]


@pytest.mark.parametrize(("error", "code"), [("", 0), ("token_revoked", 1)])
def test_as_json_it_is_one_document(now: datetime, worker: Worker, error: str, code: int) -> None:
    slack(now, token_error=error)
    ended, out = command("--json")
    document = json.loads(out)
    assert ended == code
    assert document["ok"] is (code == 0)
    assert {"name", "ok", "words", "remedy"} == set(document["diagnoses"][0])


def test_without_slack_it_is_well_when_the_worker_and_the_queue_are(
    now: datetime, worker: Worker
) -> None:
    with override_settings(MIGRATION_BOT={}):
        code, out = command()
    assert code == 0
    assert "Slack is not used" in out


def test_no_secret_is_ever_said(now: datetime) -> None:
    slack(now, token_error="invalid_auth", channel_error="not_in_channel")
    responses.post(f"{API}apps.connections.open", json={"ok": False, "error": "invalid_auth"})
    given = {**SETTINGS, "slack_app_token": "xapp-1-test"}
    with override_settings(MIGRATION_BOT=given):
        _, out = command("--json")
    for key in ("slack_bot_token", "slack_signing_secret", "slack_app_token"):
        assert given[key] not in out
