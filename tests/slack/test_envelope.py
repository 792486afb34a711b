"""A signed request of a shape that Slack never sends is refused, and Bolt never sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from django.test import Client, override_settings

from bot.models import AuditEntry, SlackCall
from bot.moment import utc_now
from tests.slack.payloads import SETTINGS, command, home_opened, press, send, submit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _settings() -> Any:
    with override_settings(MIGRATION_BOT=SETTINGS):
        yield


def pressed(**changed: Any) -> bytes:
    return changed_payload(press("approve", "5"), changed)


def submitted(**changed: Any) -> bytes:
    return changed_payload(submit("reject", {"run": 5}, {}), changed)


def opened(**changed: Any) -> bytes:
    return json.dumps({**json.loads(home_opened()), **changed}).encode()


def changed_payload(body: bytes, changed: dict[str, Any]) -> bytes:
    (payload,) = parse_qs(body.decode())["payload"]
    return urlencode({"payload": json.dumps({**json.loads(payload), **changed})}).encode()


def deep(levels: int) -> dict[str, Any]:
    event: dict[str, Any] = {"type": "message", "user": "U0ADA"}
    for _ in range(levels):
        event = {"type": "message", "event": event}
    return event


ACTIONS: list[Any] = [[], "x", {}, None, 5, [5], [{}], [[]]]
VIEWS: list[Any] = [None, [], "x", {"callback_id": ["reject"]}]
EVENTS: list[Any] = [None, [], "x", {"type": "x", "user": 5}]


@pytest.mark.parametrize(
    ("make", "changed"),
    [
        *((pressed, {"actions": actions}) for actions in ACTIONS),
        (pressed, {"actions": [{"action_id": ["approve"], "value": "5"}]}),
        (pressed, {"type": "interactive_message", "callback_id": "x", "actions": []}),
        *((pressed, {name: 5}) for name in ("user", "team", "channel", "enterprise", "view")),
        (pressed, {"type": "block_suggestion", "action_id": 5}),
        *((submitted, {"view": view}) for view in VIEWS),
        *((submitted, {"response_urls": urls}) for urls in (None, "x", [5])),
        *((opened, {"event": event}) for event in EVENTS),
        *((opened, {"authorizations": given}) for given in ("x", [5], [{"team": 5}])),
        (opened, {"event": deep(500)}),
    ],
)
def test_no_odd_shape_reaches_bolt(
    client: Client, make: Callable[..., bytes], changed: dict[str, Any]
) -> None:
    kind = "application/json" if make is opened else "application/x-www-form-urlencoded"
    answer = send(client, make(**changed), now=utc_now(), content_type=kind)
    assert (answer.status_code, answer.content) == (400, b"")
    assert not SlackCall.objects.exists()
    assert not AuditEntry.objects.exists()


def test_what_slack_leaves_out_or_empty_is_no_odd_shape(client: Client) -> None:
    home = opened(authorizations=None, enterprise=None, event=deep(3))
    for body, kind in (
        (command("help"), "application/x-www-form-urlencoded"),
        (pressed(), "application/x-www-form-urlencoded"),
        (submitted(), "application/x-www-form-urlencoded"),
        (opened(), "application/json"),
        (home, "application/json"),
    ):
        status = send(client, body, now=utc_now(), content_type=kind).status_code
        assert status < 500
        assert status != 400
