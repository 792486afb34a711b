"""``files.*``: the upload in three steps."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names, shapes
from bot.sandbox.api.arguments import ApiError, Arguments
from bot.sandbox.api.chat import thread_root, writable
from bot.sandbox.models import File
from bot.sandbox.store import add_message, changing, new_id

LARGEST = 20_000_000
"""Bytes; Slack takes a gigabyte, a sandbox need not."""


def get_upload_url(given: Arguments) -> dict[str, Any]:
    length = given.number("length", default=0)
    if length <= 0 or length > LARGEST:
        raise ApiError("invalid_arguments")
    row = File.objects.create(
        pk=new_id("F0"),
        name=given.text("filename", missing="invalid_arguments")[:255],
        length=length,
        made_at=given.now,
    )
    return {"upload_url": f"http://{given.host}{given.prefix}upload/{row.pk}", "file_id": row.pk}


def complete_upload(given: Arguments) -> dict[str, Any]:
    """Share what was uploaded, in a channel or a thread if one is named."""
    wanted = given.json("files", error="invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise ApiError("invalid_arguments")
    titles = {str(one.get("id")): str(one.get("title") or "") for one in wanted}
    rows = list(File.objects.filter(pk__in=titles, is_uploaded=True))
    if len(rows) != len(titles):
        raise ApiError("file_not_found")
    channel_id = given.text("channel_id")
    channel = writable(channel_id) if channel_id else None
    thread_ts = given.text("thread_ts")
    if channel and thread_ts:
        thread_ts = thread_root(channel, thread_ts)
    with changing(now=given.now) as change:
        for row in rows:
            row.title, row.is_shared = titles[row.pk][:255] or row.name, channel is not None
            row.save()
        if channel is not None:
            add_message(
                change,
                channel=channel.pk,
                user=names.BOT_USER,
                is_bot=True,
                text=given.text("initial_comment"),
                files=[row.pk for row in rows],
                thread_ts=thread_ts,
            )
    return {"files": [shapes.file(row) for row in rows]}


def receive(row: File, body: bytes) -> bool:
    """Take the bytes of an upload, once. Whether they are what was announced."""
    if row.is_uploaded or len(body) != row.length:
        return False
    row.content = body.decode("utf-8", "replace").replace("\x00", "\u2400")
    row.is_uploaded = True
    row.save()
    return True
