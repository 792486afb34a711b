"""What a person does in the workspace, and what the app's answer makes of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from django.urls import reverse

from bot.sandbox import filling, names, outgoing, payloads, replies, shapes
from bot.sandbox.api import views
from bot.sandbox.api.arguments import ApiError
from bot.sandbox.api.checks import require_valid_blocks, require_valid_view
from bot.sandbox.models import Channel, Message, Person, ResponseUrl, Surface, Trigger
from bot.sandbox.store import Change, add_message, changing, direct_messages, new_id
from bot.slack.commands import SLASH

SLACKBOT = "USLACKBOT"
TROUBLE = "We had some trouble connecting. Try again?"

Result = dict[str, Any]


class NotThere(Exception):
    """What was named does not exist, or not for this person."""


def speak(person: Person, channel: Channel, text: str, *, thread_ts: str, now: datetime) -> Result:
    """Say something, or type a slash command."""
    if not text.strip():
        return {}
    if text.startswith("/"):
        return _command(person, channel, text.strip(), in_thread=bool(thread_ts), now=now)
    with changing(now=now) as change:
        add_message(
            change, channel=channel.pk, user=person.pk, text=_escaped(text), thread_ts=thread_ts
        )
    return {}


def _command(
    person: Person, channel: Channel, line: str, *, in_thread: bool, now: datetime
) -> Result:
    command, _, text = line.partition(" ")
    refusal = ""
    if command != SLASH or person.team != names.TEAM:
        # An app's commands exist only in the workspaces that installed it.
        refusal = f"`{_escaped(command)}` is not a valid command."
    elif in_thread:
        refusal = f"`{command}` is not supported in threads. Sorry!"
    if refusal:
        _tell(person, channel, refusal, now=now)
        return {}
    form = payloads.slash_command(
        command=command,
        text=text.strip(),
        user=_user(person),
        channel=_channel(channel),
        trigger=_trigger(person, now=now),
        response_url=_response_url(person, channel, "", now=now),
    )
    answer = outgoing.send_command(form, now=now)
    if answer.error:
        _tell(person, channel, f'`{command}` failed with the error "{answer.error}"', now=now)
        return {"error": answer.error}
    body = answer.json() or ({"text": answer.body} if answer.body.strip() else None)
    if body is None:
        return {}
    try:
        blocks = require_valid_blocks(body.get("blocks"))
        with changing(now=now) as change:
            if body.get("response_type") == "in_channel":
                add_message(change, channel=channel.pk, user=person.pk, text=_escaped(line))
            if body.get("text") or blocks:
                replies.say(
                    change, channel=channel.pk, person=person.pk, body={**body, "blocks": blocks}
                )
    except ApiError as told:
        _tell(person, channel, f'`{command}` failed with the error "{told.name}"', now=now)
        return {"error": told.name, **told.more}
    return {}


def press(
    person: Person,
    message: Message | None,
    surface: Surface | None,
    *,
    block_id: str,
    action_id: str,
    given: dict[str, Any],
    now: datetime,
) -> Result:
    """Press a button, or choose something, in a message or in a view."""
    blocks = message.blocks if message else surface.view["blocks"] if surface else []
    found = next(
        (
            element
            for block, element in filling.elements(blocks)
            if (block["block_id"], element["action_id"]) == (block_id, action_id)
        ),
        None,
    )
    if found is None:
        raise NotThere
    values = filling.values_of(blocks, given)
    state = values.get(block_id, {}).get(action_id, {"type": found["type"]})
    copied = {key: found[key] for key in ("text", "value", "style", "url") if key in found}
    ids = {"action_id": action_id, "block_id": block_id}
    action = {**ids, **copied, **state, "action_ts": f"{now.timestamp():.6f}"}
    common: dict[str, Any] = {
        "user": _user(person),
        "trigger": _trigger(person, now=now),
        "action": action,
    }
    if surface is not None:
        view = shapes.view(surface)
        payload = payloads.block_actions(**common, view=view, values=values)
    elif message is not None:
        channel = Channel.objects.get(pk=message.channel)
        payload = payloads.block_actions(
            **common,
            values=values,
            channel=_channel(channel),
            message=shapes.message(message, with_metadata=True),
            is_ephemeral=bool(message.only_for),
            response_url=_response_url(person, channel, message.ts, now=now),
        )
    answer = outgoing.send_interaction(payload, now=now)
    return {"error": answer.error} if answer.error else {}


def submit(person: Person, surface: Surface, *, given: dict[str, Any], now: datetime) -> Result:
    """Send a modal. ``errors`` by block id, or ``trouble``, when it stays open."""
    blocks = surface.view["blocks"]
    values = filling.values_of(blocks, given)
    if wrong := filling.mistakes(blocks, values):
        return {"errors": wrong}
    payload = payloads.view_submission(
        user=_user(person),
        trigger=_trigger(person, now=now),
        view=shapes.view(surface),
        values=values,
    )
    answer = outgoing.send_interaction(payload, now=now)
    if answer.error:
        return {"trouble": TROUBLE, "error": answer.error}
    body = answer.json() if answer.body.strip() else {}
    if body is None:
        return {"trouble": TROUBLE, "error": "invalid_response"}
    try:
        with changing(now=now) as change:
            return _follow(change, surface, body)
    except ApiError as told:
        return {"trouble": TROUBLE, "error": told.name, **told.more}


def _follow(change: Change, surface: Surface, body: dict[str, Any]) -> Result:
    """Do with the modal what the app's answer to its submission says."""
    action = body.get("response_action")
    if action == "errors":
        errors = body.get("errors")
        known = {block["block_id"] for block in surface.view["blocks"]}
        if not isinstance(errors, dict) or not errors or not set(errors) <= known:
            raise ApiError("invalid_response")
        return {"errors": {str(key): str(value) for key, value in errors.items()}}
    if action == "clear":
        Surface.objects.filter(kind=Surface.MODAL, person=surface.person).delete()
    elif action == "update":
        views.replace(change, surface, require_valid_view(body.get("view"), "modal"))
    elif action == "push":
        view = require_valid_view(body.get("view"), "modal")
        views.place(change, view, person=surface.person, on=surface)
    elif action is None:
        surface.delete()
    else:
        raise ApiError("invalid_response")
    return {}


def close(person: Person, surface: Surface, *, everything: bool, now: datetime) -> Result:
    """Close a modal, or all that lie on one another."""
    shown = shapes.view(surface)
    everything = everything or bool(surface.view.get("clear_on_close"))
    with changing(now=now):
        rows = Surface.objects.filter(kind=Surface.MODAL, person=person.pk)
        (rows if everything else rows.filter(pk=surface.pk)).delete()
    if surface.view.get("notify_on_close"):
        payload = payloads.view_closed(user=_user(person), view=shown, is_cleared=everything)
        outgoing.send_interaction(payload, now=now)
    return {}


def open_home(person: Person, *, now: datetime) -> Result:
    """Look at the app's Home."""
    if person.team != names.TEAM:
        return {}
    row = Surface.objects.filter(kind=Surface.HOME, person=person.pk).first()
    payload = payloads.home_opened(
        user=person.pk,
        channel=direct_messages(person.pk).pk,
        event_id=new_id("Ev0"),
        seconds=int(now.timestamp()),
        view=shapes.view(row) if row else None,
    )
    answer = outgoing.send_event(payload, now=now)
    return {"error": answer.error} if answer.error else {}


def _tell(person: Person, channel: Channel, text: str, *, now: datetime) -> None:
    """Slack's own words, to one person."""
    with changing(now=now) as change:
        add_message(change, channel=channel.pk, user=SLACKBOT, only_for=person.pk, text=text)


def _trigger(person: Person, *, now: datetime) -> str:
    pk = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
    Trigger.objects.filter(made_at__lt=now - replies.LIFE).delete()
    Trigger.objects.create(pk=pk, person=person.pk, made_at=now)
    return pk


def _response_url(person: Person, channel: Channel, ts: str, *, now: datetime) -> str:
    row = ResponseUrl.objects.create(
        token=secrets.token_urlsafe(24),
        channel=channel.pk,
        person=person.pk,
        message_ts=ts,
        made_at=now,
    )
    return outgoing.origin() + reverse("migration_bot_sandbox:response", args=[row.token])


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": person.pk,
        "username": person.name,
        "name": person.name,
        "team_id": person.team,
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {"id": channel.pk, "name": "directmessage" if channel.person else channel.name}


def _escaped(text: str) -> str:
    """As Slack keeps what people type."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
