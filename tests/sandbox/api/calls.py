"""Calls that several tests of the sandbox make."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.moment import utc_now
from bot.sandbox import names
from bot.sandbox.models import Trigger

METADATA = {"event_type": "migration_bot.run", "event_payload": {"run": 12, "key": "run:12"}}


def error_of(call: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """What Slack answered to a call that it refused."""
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    data = caught.value.response.data
    assert isinstance(data, dict)
    return data


def post(slack: WebClient, text: str = "hello", **more: Any) -> str:
    ts = slack.chat_postMessage(channel=names.CHANNEL, text=text, **more)["ts"]
    assert isinstance(ts, str)
    return ts


def trigger(person: str, *, age: float = 0) -> str:
    row = Trigger.objects.create(
        pk=f"1.2.{Trigger.objects.count()}",
        person=person,
        made_at=utc_now() - timedelta(seconds=age),
    )
    return row.pk
