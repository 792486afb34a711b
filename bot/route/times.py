"""Times that people type: ``02:00``, ``2026-12-24T02:00``, each also with ``Z`` or an offset."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from bot.route.refusals import TimeNotUnderstood

_SHAPE = re.compile(
    r"(?:(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]+)?"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
    r"\s?(?P<zone>[Zz]|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
_SHOWN = 80
"""Characters of the text that are repeated in a refusal."""


def parse_at(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that ``text`` means, aware and in UTC.

    A time without a date is the next such time after ``now``, today or tomorrow. A time without
    ``Z`` or an offset is one in ``zone``; on the nights when clocks change it is refused where it
    would mean no moment or two. Whether the moment is near enough is the caller's question.
    Raises TimeNotUnderstood.
    """
    text = text.strip()
    match = _SHAPE.fullmatch(text)
    if match is None:
        raise _refusal(text, "it is neither a time of day nor a date and a time")
    given = _zone(match["zone"], text) or zone
    try:
        clock = time(int(match["hour"]), int(match["minute"]), int(match["second"] or 0))
        if match["date"]:
            return _moment(datetime.combine(date.fromisoformat(match["date"]), clock), given, text)
        today = now.astimezone(given).date()
        found = _moment(datetime.combine(today, clock), given, text, later_than=now)
        if found > now:
            return found
        return _moment(datetime.combine(today + timedelta(days=1), clock), given, text)
    except (ValueError, OverflowError):
        raise _refusal(text, "there is no such date or time of day") from None


def _zone(mark: str | None, text: str) -> tzinfo | None:
    if mark is None:
        return None
    if mark in ("Z", "z", "UTC"):
        return UTC
    hours, minutes = int(mark[1:3]), int(mark[-2:])
    if hours > 14 or minutes > 59:  # No place on earth is farther from UTC.
        raise _refusal(text, "there is no such offset from UTC")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if mark[0] == "-" else offset)


def _moment(
    local: datetime, zone: tzinfo, text: str, *, later_than: datetime | None = None
) -> datetime:
    """``local``, a time on the wall in ``zone``, as a moment.

    With ``later_than``, one that is past anyway is not refused for being skipped or ambiguous: the
    caller goes on to the next day.
    """
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second or (later_than is not None and max(first, second) <= later_than):
        return first
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise _refusal(text, "clocks are put forward past it that night")
    raise _refusal(text, "it comes twice that night, so it needs an offset such as +01:00")


def _refusal(text: str, because: str) -> TimeNotUnderstood:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return TimeNotUnderstood(text=shown, because=because)
