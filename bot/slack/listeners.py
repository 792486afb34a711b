"""Bolt's listeners: each turns a payload into a ``Call``, has it answered, and acknowledges.

They decide nothing. What must be told later goes through the outbox; the one network call of a
request is opening a modal, whose trigger lives 3 s.
"""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any

from slack_bolt import App, BoltContext

from bot.moment import utc_now
from bot.slack import calls
from bot.slack.answers import answer
from bot.slack.calls import Call, NotACall
from bot.slack.commands import SLASH
from bot.slack.entrance import STAMP, Fate, Replayed, Stamp
from bot.slack.forms import opened
from bot.slack.replies import Reply
from bot.slack.values import Message

logger = logging.getLogger("migration_bot.slack")

OURS = re.compile(r"migration_bot\..+")


def register(app: App) -> None:
    """Tell Bolt which payloads go where."""
    app.command(SLASH)(on_command)
    app.action(OURS)(on_action)
    app.view(OURS)(on_view)
    app.event("app_home_opened")(on_home)


def on_command(ack: Any, body: dict[str, Any], context: BoltContext) -> None:
    """A slash command: the acknowledgement itself is the answer, for its sender's eyes only."""
    call = _read(ack, calls.from_command, body)
    if call is None:
        return
    reply = _answered(call, context)
    message = _told(call, reply)
    _acknowledge(ack, message)


def on_action(ack: Any, body: dict[str, Any], action: dict[str, Any], context: BoltContext) -> None:
    """A button. Its acknowledgement shows nothing, so answers go through the outbox."""
    call = _read(ack, lambda given: calls.from_action(given, action), body)
    if call is None:
        return
    reply = _answered(call, context)
    message = _told(call, reply)
    if message is not None:
        _answer_by_outbox(call, message)
    ack()


def on_view(ack: Any, body: dict[str, Any], context: BoltContext) -> None:
    """A modal that was submitted: errors show at their fields, anything else in its place."""
    call = _read(ack, calls.from_view, body)
    if call is None:
        return
    reply = _answered(call, context)
    if reply.errors:
        ack(response_action="errors", errors=reply.errors)
    elif reply.modal is not None:
        ack(response_action="update", view=reply.modal)
    else:
        ack(response_action="clear")


def on_home(ack: Any, body: dict[str, Any], context: BoltContext) -> None:
    """The Home tab was opened: a worker publishes it anew."""
    call = _read(ack, calls.from_home, body)
    if call is not None:
        _answered(call, context)
        ack()


def _read(ack: Any, reader: Any, body: dict[str, Any]) -> Call | None:
    try:
        read: Call = reader(body)
    except NotACall:
        logger.warning("a payload named nobody; it was answered with nothing")
        ack()
        return None
    return read


def _answered(call: Call, context: BoltContext) -> Reply:
    """The outermost edge of a request: what nobody expected gets a reference, and is told."""
    stamp: Stamp | None = context.get(STAMP)
    try:
        return answer(call, stamp, now=utc_now())
    except Replayed:
        return Reply()  # The door refuses it.
    except Exception:
        if stamp is not None and stamp.fate is Fate.UNKNOWN:
            logger.exception("a request could not be remembered, so it was not taken")
            return Reply()  # The door apologizes.
        reference = secrets.token_hex(4)
        logger.exception("a %s failed; reference %s", call.how, reference)
        return Reply.broken(call, reference)


def _told(call: Call, reply: Reply) -> Message | None:
    """What is said; nothing where a form is open instead."""
    if reply.modal is None:
        return reply.message
    return None if opened(call, reply) else reply.instead


def _acknowledge(ack: Any, message: Message | None) -> None:
    if message is None:
        ack()
    else:
        ack(text=message.text, blocks=list(message.blocks), response_type="ephemeral")


def _answer_by_outbox(call: Call, message: Message) -> None:
    from bot import outbox
    from bot.operations.changing import changing

    now = utc_now()
    with changing(now):
        key = secrets.token_hex(8)
        outbox.reply(
            key, message.to_json(), response_url=call.response_url, user=call.user, now=now
        )
