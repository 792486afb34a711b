"""A signed request that is not ours: refused, and who made it is audited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.operations.changing import denials_recorded
from bot.route.people import Actor, Origin
from bot.route.refusals import Refused, SlackBarred
from bot.route.text import storable
from bot.slack.envelope import NotOurs

WISH = "slack.request"
LONGEST = 50
"""Characters of an id; Slack's have about eleven."""


def record_stranger(body: dict[str, Any], other: NotOurs, *, now: datetime) -> None:
    """Write ``slack.request.refused`` with the ids the payload names, at most once a minute each.

    Only for requests whose signature is Slack's. Raises database errors.
    """
    user, team, event = (_dict(body.get(name)) for name in ("user", "team", "event"))
    person = _text(user.get("id")) or _text(body.get("user_id")) or _text(event.get("user"))
    home = _text(user.get("team_id")) or _text(team.get("id")) or _text(body.get("team_id"))
    actor = Actor(origin=Origin.SLACK, team=home, slack_user=person)
    try:
        with denials_recorded(WISH, actor=actor, now=now):
            raise SlackBarred(flag=f"the request is for {other}")
    except Refused:
        return  # whoever asked gets a status alone


def _text(value: Any) -> str:
    return storable(value)[:LONGEST] if isinstance(value, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
