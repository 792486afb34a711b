"""One thing a Slack person did, as a value: read from Slack's payloads, kept as JSON, answered."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from bot.route.text import storable

_ID = re.compile(r"[A-Z][A-Z0-9]{1,49}")
_RESPONSE_URL_LIMIT = 2000


class How(StrEnum):
    COMMAND = "command"
    ACTION = "action"
    VIEW = "view"
    HOME = "home"


class NotACall(ValueError):
    """A payload in a shape that Slack does not send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``text`` is what was typed; ``name`` an action id or a modal's callback id; ``value`` what
    the button or the modal carries; ``inputs`` what was filled in, by action id."""

    how: How
    team: str
    user: str
    enterprise: str = ""
    channel: str = ""
    text: str = ""
    name: str = ""
    value: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    message_ts: str = ""
    response_url: str = ""
    trigger: str = ""
    """Opens a modal within 3 s, and once."""

    @property
    def person(self) -> str:
        """``team:user``, the key of people and links."""
        return f"{self.team}:{self.user}"

    def to_json(self) -> dict[str, Any]:
        """For keeping. The trigger too: a worker may still be in time to open the form."""
        return {**asdict(self), "how": str(self.how)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Call:
        return cls(**{**data, "how": How(data["how"])})


def from_command(body: dict[str, Any]) -> Call:
    """A slash command's form fields."""
    return Call(
        how=How.COMMAND,
        team=_id(body.get("team_id")),
        user=_id(body.get("user_id")),
        enterprise=_text(body.get("enterprise_id")),
        channel=_text(body.get("channel_id")),
        text=_text(body.get("text")),
        response_url=_text(body.get("response_url"))[:_RESPONSE_URL_LIMIT],
        trigger=_text(body.get("trigger_id")),
    )


def from_action(body: dict[str, Any], action: dict[str, Any]) -> Call:
    """A button's ``block_actions`` payload.

    ``team.id`` can be the app's workspace while ``user.team_id`` is the clicker's (a Slack Connect
    channel), so only the latter says who it was.
    """
    user = _dict(body.get("user"))
    container = _dict(body.get("container"))
    return Call(
        how=How.ACTION,
        team=_id(user.get("team_id")),
        user=_id(user.get("id")),
        enterprise=_text(_dict(body.get("enterprise")).get("id")),
        channel=_text(_dict(body.get("channel")).get("id") or container.get("channel_id")),
        name=_text(action.get("action_id")),
        value=_text(action.get("value")),
        message_ts=_text(container.get("message_ts")),
        response_url=_text(body.get("response_url"))[:_RESPONSE_URL_LIMIT],
        trigger=_text(body.get("trigger_id")),
    )


def from_view(body: dict[str, Any]) -> Call:
    """A modal's ``view_submission`` payload; its inputs by action id."""
    user, view = _dict(body.get("user")), _dict(body.get("view"))
    return Call(
        how=How.VIEW,
        team=_id(user.get("team_id") or _dict(body.get("team")).get("id")),
        user=_id(user.get("id")),
        enterprise=_text(_dict(body.get("enterprise")).get("id")),
        name=_text(view.get("callback_id")),
        value=_text(view.get("private_metadata")),
        inputs=_inputs(_dict(_dict(view.get("state")).get("values"))),
    )


def from_home(body: dict[str, Any]) -> Call:
    """An ``app_home_opened`` event."""
    event = _dict(body.get("event"))
    return Call(
        how=How.HOME,
        team=_id(body.get("team_id")),
        user=_id(event.get("user")),
        enterprise=_text(body.get("enterprise_id")),
    )


def _inputs(values: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for block in values.values():
        for action_id, state in _dict(block).items():
            state = _dict(state)  # noqa: PLW2901 - the same thing, believed less
            selected = _dict(state.get("selected_option")).get("value")
            value = state.get("value") or state.get("selected_date_time") or selected
            found[storable(str(action_id))] = "" if value is None else storable(str(value))
    return found


def _id(value: Any) -> str:
    text = _text(value)
    if not _ID.fullmatch(text):
        raise NotACall("an id of Slack's is missing")
    return text


def _text(value: Any) -> str:
    return storable(value) if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
