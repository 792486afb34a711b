"""Tags of the staff page's templates."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bot.route.plan_json import isoformat
from bot.web.words import clock, count, distance

register = template.Library()

STATE_MARKS = {
    "requested": "?",
    "approved": "✓",
    "queued": "…",
    "running": "▸",
    "succeeded": "✓",
    "failed": "×",
    "cancelled": "–",
    "rejected": "×",
    "expired": "–",
    "stale": "≠",
    "interrupted": "!",
    "needs_attention": "!",
    "waiting": "…",
    "ready": "✓",
    "refused": "×",
    "pending": "·",
    "applied": "✓",
    "unapplied": "↶",
    "not_run": "–",
    "unknown": "?",
}
RISK_MARKS = {"safe": "○", "caution": "△", "dangerous": "◆"}
_CODE = re.compile(r"`([^`\n]+)`")


@register.simple_tag(takes_context=True)
def moment(context: Any, at: datetime | None) -> SafeString | str:
    """A time in the site's zone, and how far off it is; a dash for none."""
    if at is None:
        return "–"
    return format_html(
        '<time datetime="{}">{} <span class="far">({})</span></time>',
        isoformat(at),
        clock(at),
        distance(at, context["now"]),
    )


@register.simple_tag
def state(name: str) -> SafeString:
    """A state as a badge: a mark and a word, so that it does not depend on colour."""
    return format_html(
        '<span class="badge state-{}"><span class="mark" aria-hidden="true">{}</span>{}</span>',
        name,
        STATE_MARKS.get(name, "·"),
        name.replace("_", " "),
    )


@register.simple_tag
def risk(name: str) -> SafeString:
    """A risk as a badge."""
    return format_html(
        '<span class="badge risk-{}"><span class="mark" aria-hidden="true">{}</span>{}</span>',
        name,
        RISK_MARKS.get(name, "·"),
        name,
    )


@register.filter
def beginning(fingerprint: str) -> str:
    """The first 12 characters: enough to compare two by eye."""
    return fingerprint[:12]


@register.filter
def counted(number: int, one: str) -> str:
    """``3|counted:"step"`` is ``3 steps``."""
    return count(number, one)


@register.filter
def ago(at: datetime, now: datetime) -> str:
    return distance(at, now)


@register.filter
def code(sentence: str) -> SafeString:
    """A refusal's sentence: what stands between backticks, for Slack and terminals, as code."""
    pieces = enumerate(_CODE.split(str(sentence)))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in pieces)
    )


@register.filter
def words(name: str) -> str:
    """A stored name as words."""
    return name.replace("_", " ")


@register.simple_tag
def zone() -> str:
    """The site's time zone, which times without one are read in."""
    return timezone.get_default_timezone_name()
