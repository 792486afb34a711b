"""Requests to the app's own ``/slack/events``: real HTTP, signed as Slack signs, 3 seconds long."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from django.urls import reverse
from slack_sdk.signature import SignatureVerifier

from bot.conf import get_settings
from bot.nearby import is_loopback

logger = logging.getLogger("migration_bot.sandbox")

PATIENCE = 3.0
"""Seconds until Slack gives up."""

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the app said. ``error`` is what Slack calls it when it said nothing useful."""

    body: str = ""
    error: str = ""

    def json(self) -> dict[str, Any] | None:
        """The body as an object, if it is one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return value if isinstance(value, dict) else None


def origin() -> str:
    """Where this site listens on this machine: ``http://127.0.0.1:8000``."""
    parts = urlsplit(get_settings().slack_api_url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        raise ValueError("slack_api_url does not lead to the sandbox on this machine")
    return f"http://{parts.netloc}"


def send_command(form: dict[str, str], *, now: datetime) -> Answer:
    return _send(urlencode(form).encode(), _FORM, now)


def send_interaction(payload: dict[str, Any], *, now: datetime) -> Answer:
    return _send(urlencode({"payload": json.dumps(payload)}).encode(), _FORM, now)


def send_event(payload: dict[str, Any], *, now: datetime, attempts: int = 2) -> Answer:
    """An event; tried again as Slack does, saying so, though not minutes later."""
    body = json.dumps(payload).encode()
    answer = _send(body, "application/json", now)
    for number in range(1, attempts):
        if not answer.error:
            break
        because = "http_timeout" if answer.error == "operation_timeout" else "http_error"
        again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": because}
        answer = _send(body, "application/json", now, again)
    return answer


def _send(
    body: bytes, content_type: str, now: datetime, headers: dict[str, str] | None = None
) -> Answer:
    timestamp = str(int(now.timestamp()))
    signed = SignatureVerifier(get_settings().slack_signing_secret)
    everything = {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        "Accept": "application/json,*/*",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signed.generate_signature(timestamp=timestamp, body=body) or "",
        **(headers or {}),
    }
    session = requests.Session()
    session.trust_env = False  # never through a proxy: it is this machine
    try:
        with session:
            response = session.post(
                origin() + reverse("migration_bot:slack"),
                data=body,
                headers=everything,
                timeout=PATIENCE,
                allow_redirects=False,
            )
    except requests.Timeout:
        return Answer(error="operation_timeout")
    except requests.RequestException as error:
        logger.warning("the app cannot be reached: %s", error)
        return Answer(error="dispatch_failed")
    if response.status_code != requests.codes.ok:
        logger.warning("the app answered %s", response.status_code)
        return Answer(error="dispatch_failed")
    return Answer(body=response.text)
