"""``conversations.*``: what is in a channel, as far as the bot was granted to read it."""

from __future__ import annotations

import base64
from typing import Any

from django.db.models import Q, QuerySet

from bot.sandbox import names, shapes
from bot.sandbox.api.arguments import ApiError, Arguments
from bot.sandbox.api.chat import find_channel
from bot.sandbox.models import Channel, Message, Person
from bot.sandbox.store import direct_messages

LIMIT, MOST = 100, 999


def info(given: Arguments) -> dict[str, Any]:
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    _require(given, channel, "read")
    return {"channel": shapes.channel(channel)}


def members(given: Arguments) -> dict[str, Any]:
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    _require(given, channel, "read")
    people = Person.objects.exclude(pk=names.BOT_USER).values_list("pk", flat=True)
    everybody = [channel.person] if channel.person else list(people)
    if channel.has_bot:
        everybody.append(names.BOT_USER)
    return {"members": everybody, "response_metadata": {"next_cursor": ""}}


def open_(given: Arguments) -> dict[str, Any]:
    user = given.text("users", missing="users_list_not_supplied")
    if not Person.objects.filter(pk=user).exclude(pk=names.BOT_USER).exists():
        raise ApiError("user_not_found")
    return {"channel": shapes.channel(direct_messages(user))}


def history(given: Arguments) -> dict[str, Any]:
    """Newest first, without what stands in threads alone."""
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    _require(given, channel, "history")
    rows = Message.objects.filter(channel=channel.pk, only_for="")
    rows = rows.filter(Q(thread_ts="") | Q(is_broadcast=True)).order_by("-ts")
    return _page(given, rows)


def replies(given: Arguments) -> dict[str, Any]:
    """The message that the thread hangs on, and its replies, oldest first."""
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    _require(given, channel, "history")
    ts = given.text("ts", missing="thread_not_found")
    rows = Message.objects.filter(channel=channel.pk, only_for="")
    rows = rows.filter(Q(ts=ts) | Q(thread_ts=ts)).order_by("ts")
    if not rows.exists():
        raise ApiError("thread_not_found")
    return _page(given, rows)


def _require(given: Arguments, channel: Channel, what: str) -> None:
    """The scope of the channel's kind, and that the bot is in it."""
    kind = "im" if channel.person else "groups" if channel.is_private else "channels"
    needed = f"{kind}:{what}"
    if needed not in given.scopes:
        provided = ",".join(sorted(given.scopes))
        raise ApiError("missing_scope", needed=needed, provided=provided)
    if what == "history" and not channel.has_bot:
        raise ApiError("not_in_channel")


def _page(given: Arguments, rows: QuerySet[Message]) -> dict[str, Any]:
    inclusive = given.flag("inclusive")
    if oldest := given.text("oldest"):
        oldest = _as_ts(oldest)
        rows = rows.filter(ts__gte=oldest) if inclusive else rows.filter(ts__gt=oldest)
    if latest := given.text("latest"):
        latest = _as_ts(latest)
        rows = rows.filter(ts__lte=latest) if inclusive else rows.filter(ts__lt=latest)
    limit = min(max(given.number("limit", default=LIMIT), 1), MOST)
    begin = _place(given.text("cursor"))
    found = list(rows[begin : begin + limit + 1])
    more = len(found) > limit
    cursor = base64.b64encode(f"next:{begin + limit}".encode()).decode() if more else ""
    with_metadata = given.flag("include_all_metadata")
    return {
        "messages": [shapes.message(row, with_metadata=with_metadata) for row in found[:limit]],
        "has_more": more,
        "response_metadata": {"next_cursor": cursor},
    }


def _as_ts(text: str) -> str:
    """A moment as a ``ts`` that compares as text: ten digits, a point, six digits."""
    seconds, _, rest = text.partition(".")
    if not seconds.isascii() or not seconds.isdecimal():
        raise ApiError("invalid_ts_oldest")
    return f"{int(seconds):010d}.{rest[:6]:0<6}"


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor).decode().removeprefix("next:"))
    except ValueError:
        raise ApiError("invalid_cursor") from None
