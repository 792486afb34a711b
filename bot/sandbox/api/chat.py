"""``chat.*``: posting, editing, deleting."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names, shapes
from bot.sandbox.api.arguments import ApiError, Arguments
from bot.sandbox.api.checks import require_metadata, require_valid_blocks
from bot.sandbox.models import Channel, Message, Person
from bot.sandbox.store import add_message, changing, direct_messages, with_block_ids

TEXT, EDIT_TEXT = 40_000, 4_000
"""Characters that Slack keeps of a message, and takes in an edit."""


def find_channel(wanted: str, *, missing: str = "channel_not_found") -> Channel:
    """The channel with this id; a person's id means the direct messages with them."""
    if wanted.startswith("U") and Person.objects.filter(pk=wanted).exclude(pk=names.BOT_USER):
        return direct_messages(wanted)
    found = Channel.objects.filter(pk=wanted).first()
    if found is None:
        raise ApiError(missing)
    return found


def writable(wanted: str) -> Channel:
    """The channel, if the bot may post there."""
    channel = find_channel(wanted)
    if channel.is_archived:
        raise ApiError("is_archived")
    if not channel.has_bot:
        raise ApiError("not_in_channel")
    return channel


def post_message(given: Arguments) -> dict[str, Any]:
    channel = writable(given.text("channel", missing="channel_not_found"))
    text, blocks = _content(given)
    metadata = require_metadata(given.json("metadata", error="invalid_metadata_format"))
    thread_ts = given.text("thread_ts")
    if thread_ts:
        thread_ts = thread_root(channel, thread_ts)
    with changing(now=given.now) as change:
        row = add_message(
            change,
            channel=channel.pk,
            user=names.BOT_USER,
            is_bot=True,
            text=text[:TEXT],
            blocks=blocks,
            metadata=metadata,
            thread_ts=thread_ts,
            is_broadcast=bool(thread_ts) and given.flag("reply_broadcast"),
        )
    shown = shapes.message(row, with_metadata=True)
    return {"channel": channel.pk, "ts": row.ts, "message": shown}


def post_ephemeral(given: Arguments) -> dict[str, Any]:
    channel = writable(given.text("channel", missing="channel_not_found"))
    user = given.text("user", missing="user_not_in_channel")
    if not Person.objects.filter(pk=user).exists():
        raise ApiError("user_not_in_channel")
    text, blocks = _content(given)
    with changing(now=given.now) as change:
        row = add_message(
            change,
            channel=channel.pk,
            user=names.BOT_USER,
            is_bot=True,
            only_for=user,
            text=text,
            blocks=blocks,
            thread_ts=given.text("thread_ts"),
        )
    return {"message_ts": row.ts}


def update(given: Arguments) -> dict[str, Any]:
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    row = _own(channel, given.text("ts", missing="message_not_found"), "cant_update_message")
    text, blocks = _content(given)
    if len(text) > EDIT_TEXT:
        raise ApiError("msg_too_long")
    metadata = given.json("metadata", error="invalid_metadata_format")
    with changing(now=given.now) as change:
        row.text, row.blocks = text, with_block_ids(blocks)
        if metadata is not None:
            row.metadata = require_metadata(metadata)
        if given.flag("reply_broadcast") and row.thread_ts:
            row.is_broadcast = True
        row.edited_ts, row.revision = change.ts(), change.revision
        row.save()
    shown = shapes.message(row, with_metadata=True)
    return {"channel": channel.pk, "ts": row.ts, "text": row.text, "message": shown}


def delete(given: Arguments) -> dict[str, Any]:
    channel = find_channel(given.text("channel", missing="channel_not_found"))
    row = _own(channel, given.text("ts", missing="message_not_found"), "cant_delete_message")
    with changing(now=given.now):
        row.delete()
    return {"channel": channel.pk, "ts": given.text("ts")}


def _content(given: Arguments) -> tuple[str, list[dict[str, Any]]]:
    """Text and blocks; one of them has to be there."""
    text = given.text("text")
    blocks = given.json("blocks", error="invalid_blocks_format")
    if not text and not blocks:
        raise ApiError("no_text")
    if not text:
        given.warnings.append("missing_text_in_message")
    return text, require_valid_blocks(blocks)


def thread_root(channel: Channel, ts: str) -> str:
    """The root of the thread that ``ts`` belongs to."""
    row = Message.objects.filter(channel=channel.pk, ts=ts, only_for="").first()
    if row is None:
        raise ApiError("thread_not_found")
    return row.thread_ts or row.ts


def _own(channel: Channel, ts: str, foreign: str) -> Message:
    """A message of the bot's that can be changed: ephemeral ones cannot."""
    row = Message.objects.filter(channel=channel.pk, ts=ts, only_for="").first()
    if row is None:
        raise ApiError("message_not_found")
    if not row.is_bot:
        raise ApiError(foreign)
    return row
