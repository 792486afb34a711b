"""Whose request it is: the workspace, the organisation and the app, read from the payload.

Bolt's own authorization accepts any ``team_id`` (facts: measured), so this is asked before it, for
HTTP and for Socket Mode alike. Over HTTP, where anything may come in that is signed, its shape is
asked after that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.conf import get_settings

_NAMED = ("user", "team", "channel", "enterprise")
"""Slack gives the id, or an object that holds it."""
_INSIDE = ("event", "view", "message", "previous_message", "item", "assistant_thread")
"""Where Bolt looks for such names again, if it does not find them outside."""
_DEEPEST = 10


class Misshapen(Exception):
    """No request of Slack's looks like this."""


def check_shape(body: dict[str, Any]) -> None:
    """Raise Misshapen for what Bolt would take for an object, a list or a text, and is none.

    Bolt does not look before it reads, and so breaks where this refuses.
    """
    level = [body]
    for _ in range(_DEEPEST):
        for one in level:
            _check_names(one)
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise Misshapen("it is too deep")
    if "actions" not in body:
        return
    actions = body["actions"]
    if not _is_list_of_objects(actions) or not actions:
        raise Misshapen("its actions are none")
    if body.get("type") == "block_actions":
        for action in actions:
            if not isinstance(action.get("action_id"), str):
                raise Misshapen("an action has no name")


def _check_names(one: dict[str, Any]) -> None:
    for name in _NAMED:
        if not isinstance(one.get(name), str | dict | None):
            raise Misshapen(f"its {name} is neither a text nor an object")
    for name in ("callback_id", "action_id"):
        if not isinstance(one.get(name), str | None):
            raise Misshapen(f"its {name} is no text")
    for name in ("event", "view"):
        if not isinstance(one.get(name, {}), dict):
            raise Misshapen(f"its {name} is no object")
    if not _is_list_of_objects(one.get("response_urls", [])):
        raise Misshapen("its response_urls are no list of objects")
    if not _is_list_of_objects(one.get("authorizations") or []):
        raise Misshapen("its authorizations are no list of objects")


def _inside(one: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (inner for name in _INSIDE if isinstance(inner := one.get(name), dict))
    yield from one.get("authorizations") or []


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


class NotOurs(Exception):
    """It comes from another workspace, organisation or app."""


def check_envelope(body: dict[str, Any]) -> None:
    """Raise NotOurs unless every mark the payload carries is ours, and the person's team is."""
    settings = get_settings()
    if body.get("type") == "url_verification":
        return
    app = _text(body.get("api_app_id"))
    if settings.slack_app_id and app != settings.slack_app_id:
        raise NotOurs("another app")
    enterprise = _enterprise(body)
    if enterprise and settings.slack_enterprise_id and enterprise != settings.slack_enterprise_id:
        raise NotOurs("another organisation")
    teams = _teams(body)
    if not teams:
        raise NotOurs("no workspace")
    for team in teams:
        if not settings.slack_team_id or team != settings.slack_team_id:
            raise NotOurs("another workspace")


def _teams(body: dict[str, Any]) -> list[str]:
    """Every workspace that the payload names: the app's, and that of the person who acted."""
    team, user, view = (_dict(body.get(name)) for name in ("team", "user", "view"))
    found = [body.get("team_id"), team.get("id"), user.get("team_id"), view.get("team_id")]
    return [_text(value) for value in found if value]


def _enterprise(body: dict[str, Any]) -> str:
    return _text(body.get("enterprise_id")) or _text(_dict(body.get("enterprise")).get("id"))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
