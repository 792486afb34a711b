"""What a call carries, read strictly: numbers, times, ids. All of it is data from outside."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from bot import operations
from bot.conf import get_settings
from bot.models import SlackPerson
from bot.operations.changing import denials_recorded
from bot.route.people import Actor
from bot.route.refusals import RunNotFound, TimeNotUnderstood
from bot.route.times import parse_at
from bot.slack import blocks, rendering
from bot.slack.calls import Call
from bot.slack.values import Message


def require_staff(name: str, actor: Actor, now: datetime) -> None:
    """For commands that only read, and so have no operation that would ask."""
    with denials_recorded(f"slack.{name}", actor=actor, now=now):
        operations.accounts.require_staff(actor)


def shown(run: int, now: datetime) -> Message:
    """One run for one person: as its message in the channel, without the buttons."""
    return blocks.run_message(replace(rendering.run_view(run, now=now), answerable=False))


def run_number(text: str) -> int:
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise RunNotFound(run=text[:40] or '""')
    return int(digits)


def moment_of(text: str, call: Call, now: datetime) -> datetime | None:
    """A time as the person means it: in their own time zone, as Slack knows it."""
    if not text.strip():
        return None
    if text.isascii() and text.isdigit() and len(text) >= 9:
        try:
            return datetime.fromtimestamp(int(text), tz=ZoneInfo("UTC"))
        except (ValueError, OverflowError, OSError):
            raise TimeNotUnderstood(text=text[:40], because="there is no such moment") from None
    people_known = SlackPerson.objects.using(get_settings().state_database)
    person = people_known.filter(pk=call.person).first()
    try:
        zone = ZoneInfo((person and person.time_zone) or django_settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo(django_settings.TIME_ZONE)
    return parse_at(text, now, zone)


def carried(call: Call) -> dict[str, Any]:
    """The ids that a modal carries; believed no more than anything else that comes in."""
    try:
        found = json.loads(call.value)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def default_database() -> str:
    return get_settings().target_databases[0]
