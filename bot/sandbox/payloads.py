"""What Slack sends to an app, shaped as Slack shapes it. Pure: values in, plain dicts out."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names

_TEAM = {"id": names.TEAM, "domain": names.DOMAIN}


def slash_command(
    *,
    command: str,
    text: str,
    user: dict[str, Any],
    channel: dict[str, Any],
    trigger: str,
    response_url: str,
) -> dict[str, str]:
    """The form of a slash command. ``user`` and ``channel`` have ``id`` and ``name``."""
    return {
        "token": "sandbox",
        "team_id": names.TEAM,
        "team_domain": names.DOMAIN,
        "channel_id": channel["id"],
        "channel_name": channel["name"],
        "user_id": user["id"],
        "user_name": user["username"],
        "command": command,
        "text": text,
        "api_app_id": names.APP,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger,
    }


def block_actions(
    *,
    user: dict[str, Any],
    trigger: str,
    action: dict[str, Any],
    channel: dict[str, Any] | None = None,
    message: dict[str, Any] | None = None,
    is_ephemeral: bool = False,
    response_url: str = "",
    view: dict[str, Any] | None = None,
    values: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A button that was pressed: in a ``message`` of a ``channel``, or in a ``view``."""
    payload = {
        "type": "block_actions",
        **_common(user, trigger),
        "is_enterprise_install": False,
        "state": {"values": values or {}},
        "actions": [action],
    }
    if view is not None:
        shown = {**view, "state": {"values": values or {}}}
        return payload | {"container": {"type": "view", "view_id": view["id"]}, "view": shown}
    if message is None or channel is None:
        raise ValueError("a button stands in a message of a channel or in a view")
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": channel["id"],
        "is_ephemeral": is_ephemeral,
    }
    if "thread_ts" in message:
        container["thread_ts"] = message["thread_ts"]
    payload |= {"container": container, "channel": channel, "response_url": response_url}
    # Slack shows an app only the outline of a message that nobody else sees.
    return payload if is_ephemeral else payload | {"message": message}


def view_submission(
    *, user: dict[str, Any], trigger: str, view: dict[str, Any], values: dict[str, Any]
) -> dict[str, Any]:
    """A modal that was sent."""
    return {
        "type": "view_submission",
        **_common(user, trigger),
        "view": {**view, "state": {"values": values}},
        "response_urls": [],
        "is_enterprise_install": False,
    }


def view_closed(*, user: dict[str, Any], view: dict[str, Any], is_cleared: bool) -> dict[str, Any]:
    """A modal that was closed, where it asked to be told."""
    common = _common(user, "")
    del common["trigger_id"]
    return {
        "type": "view_closed",
        **common,
        "view": view,
        "is_cleared": is_cleared,
        "is_enterprise_install": False,
    }


def home_opened(
    *, user: str, channel: str, event_id: str, seconds: int, view: dict[str, Any] | None
) -> dict[str, Any]:
    """The event ``app_home_opened``. ``view`` is what is published already."""
    event: dict[str, Any] = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel,
        "tab": "home",
        "event_ts": f"{seconds}.000000",
    }
    if view is not None:
        event["view"] = view
    return {
        "token": "sandbox",
        "team_id": names.TEAM,
        "context_team_id": names.TEAM,
        "context_enterprise_id": None,
        "api_app_id": names.APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": seconds,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": names.TEAM,
                "user_id": names.BOT_USER,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
    }


def _common(user: dict[str, Any], trigger: str) -> dict[str, Any]:
    return {
        "team": dict(_TEAM),
        "enterprise": None,
        "user": user,
        "api_app_id": names.APP,
        "token": "sandbox",
        "trigger_id": trigger,
    }
