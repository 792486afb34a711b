"""What an app says in answer to a command, or through a ``response_url``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from bot.moment import utc_now
from bot.sandbox import names
from bot.sandbox.allowed import only_from_here
from bot.sandbox.api.arguments import ApiError
from bot.sandbox.api.checks import require_metadata, require_valid_blocks
from bot.sandbox.models import Message, ResponseUrl
from bot.sandbox.store import Change, add_message, changing, with_block_ids

LIFE = timedelta(minutes=30)
USES = 5


@only_from_here
def respond(request: HttpRequest, token: str) -> HttpResponse:
    """``/sandbox/response/<token>``: what Slack calls a ``response_url``."""
    if request.method != "POST":
        return HttpResponse(status=405)
    now = utc_now()
    try:
        body = json.loads(request.body)
        if not isinstance(body, dict):
            raise ApiError("invalid_payload")
        with changing(now=now) as change:
            _take(change, _use(token, now=now), body)
    except (ValueError, RecursionError):
        return _refused("invalid_payload", 400)
    except ApiError as told:
        return _refused(told.name, 404 if told.name in ("used_url", "expired_url") else 400)
    return HttpResponse("ok", content_type="text/plain")


def _use(token: str, *, now: datetime) -> ResponseUrl:
    """The row, one use poorer. In the transaction of what it is used for."""
    row = ResponseUrl.objects.filter(pk=token).first()
    if row is None or now - row.made_at > LIFE:
        raise ApiError("expired_url")
    if row.uses >= USES:
        raise ApiError("used_url")
    row.uses += 1
    row.save()
    return row


def _refused(name: str, status: int) -> HttpResponse:
    return JsonResponse({"ok": False, "error": name}, status=status)


def _take(change: Change, url: ResponseUrl, body: dict[str, Any]) -> None:
    original = Message.objects.filter(channel=url.channel, ts=url.message_ts or "-").first()
    if body.get("delete_original") in (True, "true"):
        if original is not None:
            original.delete()
        return
    blocks = require_valid_blocks(body.get("blocks"))
    text = str(body.get("text") or "")
    if not text and not blocks:
        raise ApiError("no_text")
    if body.get("replace_original") in (True, "true") and original is not None:
        original.text, original.blocks = text, with_block_ids(blocks)
        original.revision = change.revision
        if not original.only_for:
            original.edited_ts = change.ts()
        if body.get("metadata") is not None:
            original.metadata = require_metadata(body["metadata"])
        original.save()
        return
    say(change, channel=url.channel, person=url.person, body={**body, "blocks": blocks})


def say(change: Change, *, channel: str, person: str, body: dict[str, Any]) -> Message:
    """The bot's words: to everybody when it says ``in_channel``, else to this person alone."""
    everybody = body.get("response_type") == "in_channel"
    return add_message(
        change,
        channel=channel,
        user=names.BOT_USER,
        is_bot=True,
        only_for="" if everybody else person,
        text=str(body.get("text") or ""),
        blocks=body.get("blocks") or [],
        metadata=require_metadata(body.get("metadata")),
        thread_ts=str(body.get("thread_ts") or ""),
    )
