"""One call to Slack for one delivery; what its answer means stands in ``outcomes``."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import requests
from django.core.exceptions import ObjectDoesNotExist
from django.db import InterfaceError, OperationalError, ProgrammingError
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.conf import get_settings
from bot.models import Delivery
from bot.outbox import REPLIES
from bot.route.refusals import RunNotFound
from bot.slack import blocks, listing
from bot.slack.client import NotSlacks, get_client, post_reply
from bot.slack.outcomes import Answer, Follower, Outcome, code_of, meaning, seconds_to_wait
from bot.slack.saying import RENDER
from bot.slack.values import Message

logger = logging.getLogger("migration_bot.slack")

RESPONSE_URL_LIVES = timedelta(minutes=29)
"""Slack's 30 minutes, less one."""

BAD_BLOCKS = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "metadata_too_large",
        "invalid_metadata_format",
    }
)
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""The message is not there to be edited any more; it is posted anew."""

FILES = ("plan_sql", "run_sql")
"""What goes as a file: by a scope and to a host of its own."""
MOST_CALLS = 7
"""To Slack for one delivery: the search, then an edit and a post in each of three forms."""

NOTHING_MORE = "What was predicted here no longer stands: see what was measured."
"""In place of a part of a thread that a later telling does not need."""


def post(delivery: Delivery, *, was_suspect: bool, now: datetime) -> Answer:
    """Send one delivery in its newest state.

    Raises only what says that the bot's own database is out of order, which is no fault of this
    one: whatever else is wrong with it is an answer, so that it never holds up the others.
    """
    try:
        if delivery.kind in ("reply", "plan_refused"):
            return _reply(delivery, now=now)
        if delivery.kind == "home":
            return _home(delivery, now=now)
        if delivery.kind in FILES:
            return _file(delivery, was_suspect=was_suspect, now=now)
        return _message(delivery, was_suspect=was_suspect, now=now)
    except SlackApiError as error:
        if delivery.kind in FILES and code_of(error.response) == "missing_scope":
            return Answer(outcome=Outcome.REFUSED, error="missing_scope: files:write")
        return meaning(error, personal=delivery.channel == REPLIES)
    except (SlackClientError, requests.RequestException, OSError) as error:
        return Answer(outcome=Outcome.UNKNOWN, error=f"{type(error).__name__}")
    except (ObjectDoesNotExist, RunNotFound) as gone:
        return Answer(outcome=Outcome.GONE, error=f"what it tells of is gone: {gone}")
    except (InterfaceError, OperationalError, ProgrammingError):
        raise  # an outage or missing tables: it waits as it is, and the clock wakes again
    except Exception as error:  # the outermost edge: told with its reference, and counted
        reference = secrets.token_hex(4)
        logger.exception("delivery %s failed here; reference %s", delivery.key, reference)
        words = f"{type(error).__name__} in the bot itself; reference {reference} in its log"
        # It may have been taken before something broke, so it is looked for first.
        return Answer(outcome=Outcome.REFUSED, error=words, ours=True, still_suspect=True)


# Messages


def _rendered(delivery: Delivery, *, now: datetime) -> list[Message]:
    return RENDER[delivery.kind](delivery, now)


def _message(delivery: Delivery, *, was_suspect: bool, now: datetime) -> Answer:
    part = int(delivery.payload.get("part", 0))
    messages = _rendered(delivery, now=now)
    if part >= len(messages) and not delivery.ts:
        return Answer(outcome=Outcome.SENT)
    message = messages[part] if part < len(messages) else blocks.notice(NOTHING_MORE)
    if message.metadata is not None:
        message = message.keyed(delivery.key)
    ts = delivery.ts
    if was_suspect and not ts:
        try:
            ts = _found(delivery)
        except SlackApiError as failed:
            return replace(meaning(failed), still_suspect=True)
        if ts:
            _note_found(delivery, ts)
    ts, error = _put_somehow(delivery, message, ts)
    return Answer(
        outcome=Outcome.SENT,
        ts=ts,
        error=error,
        followers=tuple(_followers(delivery, messages, part)),
    )


def _put_somehow(delivery: Delivery, message: Message, ts: str) -> tuple[str, str]:
    """``_put``, in ever plainer forms while Slack refuses the blocks: the ``ts``, and what was
    wrong with the form that was meant, empty where nothing was."""
    error = ""
    for plainer in (blocks.plain_fallback, blocks.text_only):
        try:
            return _put(delivery, message, ts), error
        except SlackApiError as refused:
            if code_of(refused.response) not in BAD_BLOCKS:
                raise
            error = f"sent as plain text: {code_of(refused.response)}"
            logger.error("delivery %s %s", delivery.key, error)
            message = plainer(message)
    return _put(delivery, message, ts), error


def _put(delivery: Delivery, message: Message, ts: str) -> str:
    """Edit the message where it is known, else post it; its ``ts``."""
    client = get_client()
    if ts:
        try:
            client.chat_update(channel=delivery.channel, ts=ts, **message.arguments())
        except SlackApiError as error:
            if code_of(error.response) not in GONE:
                raise
        else:
            return ts
    given = message.arguments() | {"unfurl_links": False, "unfurl_media": False}
    thread = _thread_ts(delivery)
    if thread:
        given |= {"thread_ts": thread, "reply_broadcast": delivery.kind == "run_failed"}
    posted = client.chat_postMessage(channel=delivery.channel, **given)
    return str(posted["ts"])


def _thread_ts(delivery: Delivery) -> str:
    if not delivery.thread_of:
        return ""
    deliveries = Delivery.objects.using(get_settings().state_database)
    parent = deliveries.filter(key=delivery.thread_of).values_list("ts", flat=True).first()
    return parent or ""


def _followers(delivery: Delivery, messages: list[Message], part: int) -> Iterator[Follower]:
    """The thread's next part, behind this one."""
    root = delivery.thread_of or delivery.key
    if part + 1 < len(messages):
        base = delivery.key.partition("/")[0]
        yield Follower(
            key=f"{base}/{part + 1}",
            kind=delivery.kind,
            thread_of=root,
            payload={**delivery.payload, "part": part + 1},
        )


def _note_found(delivery: Delivery, ts: str) -> None:
    """Keep where it was found at once: whatever happens next, it is not posted a second time."""
    delivery.ts = ts
    delivery.save(update_fields=["ts"])


def _found(delivery: Delivery) -> str:
    """The ``ts`` of a message that Slack took although nobody said so; empty when there is none,
    or when looking is not allowed."""
    client = get_client()
    oldest = str((delivery.created_at - timedelta(minutes=1)).timestamp())
    thread = _thread_ts(delivery)
    given: dict[str, Any] = {"channel": delivery.channel, "include_all_metadata": True}
    try:
        if thread:
            answer = client.conversations_replies(ts=thread, limit=200, **given)
        else:
            answer = client.conversations_history(oldest=oldest, limit=200, **given)
    except SlackApiError as error:
        if code_of(error.response) in ("missing_scope", "not_allowed_token_type", "no_permission"):
            logger.warning("the channel cannot be searched; %s is sent again", delivery.key)
            return ""
        raise
    for found in answer.get("messages") or []:
        payload = (found.get("metadata") or {}).get("event_payload") or {}
        if payload.get("key") == delivery.key:
            return str(found["ts"])
    return ""


def _file(delivery: Delivery, *, was_suspect: bool, now: datetime) -> Answer:
    """Upload a message's file into its thread, the message's words beside it."""
    messages = _rendered(delivery, now=now)
    file = messages[0].file if messages else None
    if file is None:
        return Answer(outcome=Outcome.SENT)
    thread = _thread_ts(delivery)
    if was_suspect and _has_file(delivery.channel, thread, file.name):
        return Answer(outcome=Outcome.SENT)
    get_client().files_upload_v2(
        channel=delivery.channel,
        thread_ts=thread or None,
        initial_comment=messages[0].text,
        filename=file.name,
        title=file.title,
        content=file.content,
    )
    return Answer(outcome=Outcome.SENT)


def _has_file(channel: str, thread: str, name: str) -> bool:
    if not thread:
        return False
    try:
        answer = get_client().conversations_replies(channel=channel, ts=thread, limit=200)
    except SlackApiError:
        return False
    found = answer.get("messages") or []
    return any(f.get("name") == name for message in found for f in message.get("files") or [])


# Answers to one person


def _reply(delivery: Delivery, *, now: datetime) -> Answer:
    """By the response_url while it lives, else as a direct message."""
    message = RENDER[delivery.kind](delivery, now)[0]
    response_url = str(delivery.payload.get("response_url", ""))
    if response_url and now - delivery.created_at < RESPONSE_URL_LIVES:
        try:
            answer = post_reply(response_url, message)
        except NotSlacks:
            logger.error("delivery %s names an address that is not Slack's", delivery.key)
        else:
            if answer.status_code == 429:
                seconds = seconds_to_wait(answer.headers.get("Retry-After", ""))
                return Answer(outcome=Outcome.WAIT, retry_after=seconds, error="rate limited")
            if answer.status_code >= 500:
                return Answer(outcome=Outcome.UNKNOWN, error=f"Slack answered {answer.status_code}")
            if answer.status_code < 400:
                return Answer(outcome=Outcome.SENT)
    user = str(delivery.payload.get("user", ""))
    if not user:
        return Answer(outcome=Outcome.SENT, error="nobody to tell it to")
    get_client().chat_postMessage(channel=user, **message.arguments())
    return Answer(outcome=Outcome.SENT)


def _home(delivery: Delivery, *, now: datetime) -> Answer:
    team, user = str(delivery.payload["team"]), str(delivery.payload["user"])
    view = blocks.home_view(listing.home_view(team, user, now=now))
    get_client().views_publish(user_id=user, view=view)
    return Answer(outcome=Outcome.SENT)
