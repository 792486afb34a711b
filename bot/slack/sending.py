"""Sending what the outbox holds: in order per channel, nothing lost, doubled only in the dark.

One process at a time sends to a channel, by a lease on its ``SlackChannel`` row. A message is
marked suspect before it is sent; when nobody knows whether Slack took it, the channel is searched
for the delivery's key in the messages' metadata before it is sent again. Where that search is not
allowed it is sent again: at least once, rarely twice.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from bot.conf import get_settings
from bot.models import Delivery, SlackChannel
from bot.moment import utc_now
from bot.outbox import DELIVER, REPLIES, channel_now, channels
from bot.slack import posting
from bot.slack.client import CONNECT_TIMEOUT
from bot.slack.outcomes import Answer, Outcome
from bot.slack.posting import FILES
from bot.waking import wake

logger = logging.getLogger("migration_bot.slack")

SHORTEST_LEASE = timedelta(seconds=45)
LEASE_SPARE = timedelta(seconds=5)
"""For the bot's own database, around the calls to Slack."""
BROKEN_WAIT = timedelta(seconds=60)
"""A broken channel or token is tried again so often: mended is mended."""
BACKOFF = (1, 2, 4, 8, 15, 30, 60)
"""Seconds until a send that failed is tried again; the last one repeats."""
TRIES = 5
"""After so many refusals by Slack of one message, others no longer wait for it."""
HOPELESS_WAIT = timedelta(hours=1)
OUR_TRIES = TRIES + 24
"""What fails in the bot itself is tried hourly for another day: a release may mend it, or know the
kind of message that an older one does not."""

ANSWERS = ("reply", "plan_refused")
"""What one person was told, by an address that works for a while: kept no longer than it takes.
It may be a link code."""


def deliver(channel: str, *, clock: Callable[[], datetime] = utc_now) -> int:
    """Send what is due in one channel, until nothing is; how many were sent. Work for a worker."""
    name = f"{socket.gethostname()}:{os.getpid()}"
    if not _claim(channel, name, clock()):
        return 0
    sent = 0
    try:
        while (delivery := _next(channel, clock())) is not None:
            if not _renew(channel, name, clock()):
                return sent
            sent += _send(delivery, clock)
    finally:
        _channels().filter(pk=channel, claimed_by=name).update(claimed_by="", claimed_until=None)
    return sent


def tick(*, now: datetime) -> None:
    """Wake a sender for each channel in which something is due and that nobody sends to."""
    if not get_settings().slack_bot_token:
        return
    due = _deliveries().filter(state=Delivery.PENDING, due_at__lte=now)
    busy = set(
        _channels()
        .filter(Q(claimed_until__gt=now) | Q(wait_until__gt=now))
        .values_list("pk", flat=True)
    )
    for channel in due.order_by().values_list("channel", flat=True).distinct():
        if channel not in busy:
            with transaction.atomic(using=get_settings().state_database):
                wake(DELIVER, channel)


def lease() -> timedelta:
    """Longer than all the calls to Slack that one delivery may take; renewed before each delivery.
    Were it shorter, a second sender would take the channel during a call, and send it again."""
    seconds = posting.MOST_CALLS * (CONNECT_TIMEOUT + get_settings().slack_timeout)
    return max(SHORTEST_LEASE, timedelta(seconds=seconds) + LEASE_SPARE)


def _claim(channel: str, name: str, now: datetime) -> bool:
    _channels().get_or_create(pk=channel)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    rows = _channels().filter(free, pk=channel)
    return bool(rows.update(claimed_by=name, claimed_until=now + lease()))


def _renew(channel: str, name: str, now: datetime) -> bool:
    rows = _channels().filter(pk=channel, claimed_by=name)
    return bool(rows.update(claimed_until=now + lease()))


def _next(channel: str, now: datetime) -> Delivery | None:
    """What is to be sent now. In a channel a message that waits holds up those behind it, but an
    edit that waits to be coalesced does not, nor a file, which goes by another address than
    messages do; answers to persons wait for nobody."""
    if _channels().filter(pk=channel, wait_until__gt=now).exists():
        return None
    pending = _deliveries().filter(channel=channel, state=Delivery.PENDING).order_by("id")
    delivery: Delivery
    for delivery in pending.iterator(chunk_size=50):
        if delivery.due_at <= now:
            return delivery
        first = delivery.sent_version == 0 and delivery.refusals < TRIES
        if first and channel != REPLIES and delivery.kind not in FILES:
            return None
    return None


def _send(delivery: Delivery, clock: Callable[[], datetime]) -> int:
    """Send one, and note what came of it; 1 when Slack has it now."""
    version = delivery.version
    delivery.attempts += 1
    was_suspect, delivery.suspect = delivery.suspect, True
    row = _deliveries().filter(pk=delivery.pk)
    if not row.update(attempts=delivery.attempts, suspect=True):
        return 0  # It was withdrawn meanwhile.
    answer = posting.post(delivery, was_suspect=was_suspect, now=clock())
    now = clock()
    note = Note(delivery=delivery, answer=answer, now=now)
    with transaction.atomic(using=get_settings().state_database):
        match answer.outcome:
            case Outcome.SENT:
                note.sent(version)
            case Outcome.WAIT:
                note.wait()
            case Outcome.BROKEN:
                note.broken()
            case Outcome.REFUSED:
                note.refused()
            case Outcome.GONE:
                note.gone()
            case Outcome.UNKNOWN:
                note.unknown()
    return int(answer.outcome is Outcome.SENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Writes down what became of one try."""

    delivery: Delivery
    answer: Answer
    now: datetime

    def sent(self, version: int) -> None:
        """Slack has it. If it changed meanwhile, it stays pending for an edit."""
        rows = _deliveries().filter(pk=self.delivery.pk)
        rows.update(
            ts=self.answer.ts or self.delivery.ts,
            sent_version=version,
            sent_at=self.now,
            suspect=False,
            attempts=0,
            refusals=0,
            error=self.answer.error[:2000],
        )
        rows.filter(version=version).update(state=Delivery.SENT)
        if self.delivery.kind in ANSWERS:
            rows.update(payload={})
        for follower in self.answer.followers:
            _deliveries().get_or_create(
                key=follower.key,
                defaults={
                    "kind": follower.kind,
                    "channel": self.delivery.channel,
                    "run": self.delivery.run,
                    "thread_of": follower.thread_of,
                    "payload": follower.payload,
                    "due_at": self.now,
                    "created_at": self.now,
                },
            )
        _channels().filter(pk=self.delivery.channel).update(
            broken_because="", broken_at=None, wait_until=None, sent_at=self.now
        )

    def wait(self) -> None:
        """Slack said when to come again; it did not take this one."""
        self._again(timedelta(seconds=self.answer.retry_after), count=False)
        if self.delivery.channel != REPLIES:
            until = self.now + timedelta(seconds=self.answer.retry_after)
            _channels().filter(pk=self.delivery.channel).update(wait_until=until)

    def broken(self) -> None:
        """The channel or the token does not work; this one waits, and only this channel does."""
        named = channels()
        if self.answer.of_channel and named and self.delivery.channel not in named:
            self._abandoned()
            return
        logger.error("channel %s: %s", self.delivery.channel, self.answer.error)
        self._again(BROKEN_WAIT, count=False)
        changes = {"broken_because": self.answer.error, "wait_until": self.now + BROKEN_WAIT}
        channel = _channels().filter(pk=self.delivery.channel)
        channel.filter(broken_at__isnull=True).update(broken_at=self.now)
        if self.delivery.channel == REPLIES:
            del changes["wait_until"]
        channel.update(**changes)

    def _abandoned(self) -> None:
        """The channel takes nothing and no setting names it any more, so nobody will mend it. What
        stands in it is not told any further; what does not yet goes where the settings say now."""
        _channels().filter(pk=self.delivery.channel).update(
            broken_because="", broken_at=None, wait_until=None
        )
        channel = channel_now(self.delivery)
        if not channel:
            logger.error("delivery %s was given up: %s", self.delivery.key, self.answer.error)
            self._dead()
            return
        rows = _deliveries().filter(pk=self.delivery.pk)
        rows.update(channel=channel, due_at=self.now, suspect=False, error=self.answer.error[:2000])
        wake(DELIVER, channel)

    def refused(self) -> None:
        """This very message cannot be sent. An audit entry is never given up."""
        logger.error("delivery %s was refused: %s", self.delivery.key, self.answer.error)
        if self.delivery.channel == REPLIES and not self.answer.ours:
            # Slack took the token, and that is all that can be broken for answers to people.
            _channels().filter(pk=REPLIES).update(broken_because="", broken_at=None)
        refusals = self.delivery.refusals + 1
        if refusals < TRIES:
            self._again(self._pause(), refusals=refusals)
        elif self.delivery.kind == "audit" or (self.answer.ours and refusals < OUR_TRIES):
            self._again(HOPELESS_WAIT, refusals=refusals)
        else:
            self._dead(refusals=refusals)

    def gone(self) -> None:
        """What it is about is not there any more, so there is nothing to try again."""
        logger.error("delivery %s was given up: %s", self.delivery.key, self.answer.error)
        self._dead()

    def _dead(self, **changes: int) -> None:
        """Give it up. The row stays, with why; ``doctor`` and ``/healthz`` tell a channel's."""
        rows = _deliveries().filter(pk=self.delivery.pk)
        rows.update(state=Delivery.DEAD, suspect=False, error=self.answer.error[:2000], **changes)
        if self.delivery.kind in ANSWERS:
            rows.update(payload={})

    def unknown(self) -> None:
        """Nobody knows whether Slack took it: it stays suspect."""
        self._again(self._pause(), suspect=True)

    def _pause(self) -> timedelta:
        return timedelta(seconds=BACKOFF[min(self.delivery.attempts, len(BACKOFF)) - 1])

    def _again(
        self, after: timedelta, *, suspect: bool = False, count: bool = True, **changes: int
    ) -> None:
        """Try it again later. ``count`` says whether this try makes the next pause longer."""
        _deliveries().filter(pk=self.delivery.pk).update(
            due_at=self.now + after,
            suspect=suspect or self.answer.still_suspect,
            attempts=self.delivery.attempts if count else self.delivery.attempts - 1,
            error=self.answer.error[:2000],
            **changes,
        )


def _deliveries() -> Any:
    return Delivery.objects.using(get_settings().state_database)


def _channels() -> Any:
    return SlackChannel.objects.using(get_settings().state_database)
