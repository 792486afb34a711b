"""Times, durations and counts in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone


def clock(at: datetime) -> str:
    """``23 Nov 2026, 13:00 CET``: in the site's time zone, whatever the host's settings are."""
    local = at.astimezone(timezone.get_default_timezone())
    return f"{local.day} {local:%b %Y, %H:%M %Z}"


def distance(at: datetime, now: datetime) -> str:
    """``3 min ago``, ``in 2 h``."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 5:
        return "now"
    words = _rough(abs(seconds))
    return f"in {words}" if seconds > 0 else f"{words} ago"


def _rough(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 36 * 3600:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / 86400:.0f} days"


def duration(seconds: float | None) -> str:
    """``417 ms``, ``12.3 s``, ``2 min 5 s``, ``1 h 4 min``; nothing when it is not known."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def between(start: datetime | None, end: datetime | None) -> timedelta | None:
    """How long it took or takes; None when it has not begun."""
    return None if start is None or end is None else end - start


def count(number: int, one: str, many: str = "") -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {one if number == 1 else many or one + 's'}"
