"""Whose request it is: the workspace, the organisation and the app, read from the payload.

Bolt's own authorization accepts any ``team_id`` (facts: measured), so this is asked before it, for
HTTP and for Socket Mode alike.
"""

from __future__ import annotations

from typing import Any

from bot.conf import get_settings


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
