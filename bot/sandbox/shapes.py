"""Rows as the Web API and the events show them."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names
from bot.sandbox.models import Channel, File, Message, Person, Surface

_FLAGS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_app_user")


def user(person: Person, *, with_email: bool) -> dict[str, Any]:
    """``users.info``'s user. ``is_stranger`` is not there, as for members of shared channels."""
    profile = {"real_name": person.real_name, "display_name": person.name, "team": person.team}
    shown: dict[str, Any] = {
        "id": person.pk,
        "team_id": person.team,
        "name": person.name,
        "real_name": person.real_name,
        "tz": person.time_zone,
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        **dict.fromkeys(_FLAGS, False),
        "profile": profile,
        "updated": 0,
    }
    if person.team == names.TEAM:
        shown["is_email_confirmed"] = True
        if with_email and not person.flags.get("is_bot"):
            profile["email"] = person.email
    return {**shown, **person.flags}


def channel(row: Channel) -> dict[str, Any]:
    """``conversations.info``'s channel."""
    if row.person:
        return {"id": row.pk, "is_im": True, "user": row.person, "is_archived": False}
    return {
        "id": row.pk,
        "name": row.name,
        "is_channel": not row.is_private,
        "is_group": row.is_private,
        "is_im": False,
        "is_private": row.is_private,
        "is_archived": row.is_archived,
        "is_member": row.has_bot,
        "is_ext_shared": row.pk == names.CHANNEL,
        "topic": {"value": row.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "context_team_id": names.TEAM,
    }


def message(row: Message, *, with_metadata: bool) -> dict[str, Any]:
    """A message as history, replies and ``block_actions`` show it."""
    shown: dict[str, Any] = {"type": "message", "ts": row.ts, "text": row.text}
    shown |= {"user": row.user, "team": names.TEAM}
    if row.is_bot:
        shown |= {"bot_id": names.BOT_ID, "app_id": names.APP}
    if row.blocks:
        shown["blocks"] = row.blocks
    if row.thread_ts:
        shown["thread_ts"] = row.thread_ts
    if row.is_broadcast:
        shown["subtype"] = "thread_broadcast"
    if row.files:
        shown["files"] = [file(one) for one in File.objects.filter(pk__in=row.files)]
    if row.edited_ts:
        shown["edited"] = {"user": row.user, "ts": row.edited_ts}
    if with_metadata and row.metadata:
        shown["metadata"] = row.metadata
    return shown


def file(row: File) -> dict[str, Any]:
    """A file as messages and ``files.completeUploadExternal`` show it."""
    return {
        "id": row.pk,
        "name": row.name,
        "title": row.title or row.name,
        "mimetype": "text/plain",
        "filetype": row.name.rpartition(".")[2] or "text",
        "size": row.length,
        "mode": "snippet",
        "user": names.BOT_USER,
    }


def view(row: Surface) -> dict[str, Any]:
    """A view as ``views.open`` returns it and ``view_submission`` carries it."""
    given = row.view
    kept = {name: given.get(name) for name in ("title", "close", "submit")}
    return {
        "id": row.pk,
        "team_id": names.TEAM,
        "type": row.kind,
        "blocks": given["blocks"],
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "external_id": given.get("external_id", ""),
        "state": {"values": {}},
        "hash": row.hash,
        **kept,
        "clear_on_close": given.get("clear_on_close", False),
        "notify_on_close": given.get("notify_on_close", False),
        "previous_view_id": row.previous or None,
        "root_view_id": row.root or row.pk,
        "app_id": names.APP,
        "app_installed_team_id": names.TEAM,
        "bot_id": names.BOT_ID,
    }
