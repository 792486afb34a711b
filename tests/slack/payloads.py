"""Slack's payloads in their real shapes, and requests that carry them, signed."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.test import Client

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
TEAM, APP, CHANNEL = "T0TEAM", "A0APP", "C0MIGRATIONS"

SETTINGS = {
    "slack_signing_secret": SECRET,
    "slack_bot_token": "xoxb-test",
    "slack_team_id": TEAM,
    "slack_app_id": APP,
    "slack_channel": CHANNEL,
    "slack_api_url": "https://slack.test/api/",
    "public_url": "https://site.test",
}
"""``MIGRATION_BOT`` for tests of the Slack face."""

_numbers = itertools.count(1)


def signature(body: bytes, timestamp: str, secret: str = SECRET) -> str:
    """``v0=`` and the HMAC that Slack documents."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def send(
    client: Client,
    body: bytes,
    *,
    now: datetime,
    content_type: str = "application/x-www-form-urlencoded",
    headers: dict[str, str] | None = None,
) -> Any:
    """POST a signed body to the door; ``headers`` replace what would be sent."""
    timestamp = str(int(now.timestamp()))
    given = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(body, timestamp),
        **(headers or {}),
    }
    return client.post(
        "/slack/events",
        data=body,
        content_type=content_type,
        headers={name: value for name, value in given.items() if value},
    )


def command(text: str, *, user: str = "U0ROBIN", team: str = TEAM, **fields: str) -> bytes:
    """A slash command's body. Each has a trigger of its own, as in life."""
    number = next(_numbers)
    return urlencode(
        {
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "team_id": team,
            "team_domain": "example",
            "channel_id": CHANNEL,
            "channel_name": "migrations",
            "user_id": user,
            "user_name": user.lower(),
            "command": "/migrate",
            "text": text,
            "api_app_id": APP,
            "is_enterprise_install": "false",
            "response_url": f"https://hooks.slack.test/commands/{team}/{number}",
            "trigger_id": f"{number}.1.abc",
            **fields,
        }
    ).encode()


def press(
    action_id: str,
    value: str,
    *,
    user: str = "U0ADA",
    team: str = TEAM,
    user_team: str | None = None,
    ts: str = "1763899200.000100",
) -> bytes:
    """A button's ``block_actions`` body."""
    number = next(_numbers)
    payload: dict[str, Any] = {
        "type": "block_actions",
        "user": {
            "id": user,
            "username": user.lower(),
            "name": user.lower(),
            "team_id": user_team or team,
        },
        "api_app_id": APP,
        "token": "gIkuvaNzQIHg97ATvDxqgjtO",
        "container": {
            "type": "message",
            "message_ts": ts,
            "channel_id": CHANNEL,
            "is_ephemeral": False,
        },
        "trigger_id": f"{number}.1.abc",
        "team": {"id": team, "domain": "example"},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": CHANNEL, "name": "migrations"},
        "message": {"type": "message", "ts": ts, "text": "…", "bot_id": "B0"},
        "state": {"values": {}},
        "response_url": f"https://hooks.slack.test/actions/{team}/{number}",
        "actions": [
            {
                "action_id": action_id,
                "block_id": "b1",
                "type": "button",
                "value": value,
                "text": {"type": "plain_text", "text": "…"},
                "action_ts": f"176389920{number % 10}.0",
            }
        ],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def submit(
    callback_id: str,
    carried: dict[str, Any],
    inputs: dict[str, dict[str, Any]],
    *,
    user: str = "U0ADA",
    team: str = TEAM,
) -> bytes:
    """A modal's ``view_submission`` body; ``inputs`` by block id, then by action id."""
    payload = {
        "type": "view_submission",
        "team": {"id": team, "domain": "example"},
        "user": {"id": user, "username": user.lower(), "name": user.lower(), "team_id": team},
        "api_app_id": APP,
        "token": "gIkuvaNzQIHg97ATvDxqgjtO",
        "trigger_id": f"{next(_numbers)}.1.abc",
        "view": {
            "id": f"V0{next(_numbers)}",
            "team_id": team,
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": json.dumps(carried),
            "hash": "156772938.1827394",
            "state": {"values": inputs},
            "app_id": APP,
        },
        "response_urls": [],
        "is_enterprise_install": False,
        "enterprise": None,
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def home_opened(*, user: str = "U0ADA", team: str = TEAM) -> bytes:
    """An ``app_home_opened`` event's body (JSON)."""
    return json.dumps(
        {
            "token": "gIkuvaNzQIHg97ATvDxqgjtO",
            "team_id": team,
            "api_app_id": APP,
            "type": "event_callback",
            "event_id": f"Ev{next(_numbers)}",
            "event_time": 1763899200,
            "event": {
                "type": "app_home_opened",
                "user": user,
                "channel": "D0HOME",
                "tab": "home",
                "event_ts": "1763899200.000200",
            },
            "authorizations": [{"team_id": team, "user_id": "U0BOT", "is_bot": True}],
        }
    ).encode()
