"""Whether what has to go on without anybody does: workers live, and Slack has what it should."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q

from bot.conf import get_settings
from bot.models import Delivery, SlackChannel, Worker
from bot.outbox import channels


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Deliveries that Slack does not have yet; the oldest one's age in seconds."""

    waiting: int
    oldest_age: float | None


def backlog(*, now: datetime) -> Backlog:
    """How far the posts lag behind."""
    waiting = Delivery.objects.using(get_settings().state_database).filter(state="pending")
    found = waiting.aggregate(count=Count("pk"), oldest=Min("created_at"))
    age = (now - found["oldest"]).total_seconds() if found["oldest"] else None
    return Backlog(waiting=found["count"], oldest_age=age)


def given_up() -> int:
    """How many messages for a channel are never sent any more; each row says why.

    Somebody who left the workspace is nothing to mend, nor is a channel that the settings name no
    more: but for the audit's posts, those do not count.
    """
    dead = Delivery.objects.using(get_settings().state_database).filter(state=Delivery.DEAD)
    return dead.filter(Q(channel__in=channels()) | Q(kind="audit")).count()


def broken_channels() -> list[SlackChannel]:
    """Channels that Slack takes nothing for, each with why in words; none while there is no Slack.

    What waits for them is tried again each minute; a send that succeeds mends the row.
    """
    if not get_settings().slack_enabled:
        return []
    channels = SlackChannel.objects.using(get_settings().state_database)
    return list(channels.exclude(broken_because="").order_by("broken_at", "pk"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """How the workers are: how many live, and the newest heartbeat's age in seconds, None when
    there never was one. Below zero it comes from a clock that is ahead of this machine's."""

    workers: int
    newest_age: float | None

    @property
    def alive(self) -> bool:
        return self.workers > 0


def pulse(*, now: datetime) -> Pulse:
    """Look at the heartbeats of all machines."""
    beats = Worker.objects.using(get_settings().state_database).values_list("beat_at", flat=True)
    ages = [(now - beat).total_seconds() for beat in beats]
    lease = get_settings().lease
    # One from the future says nothing of now: its worker may be long dead.
    fresh = [age for age in ages if -lease <= age <= lease]
    newest = min(fresh) if fresh else min(ages, key=abs, default=None)
    return Pulse(workers=len(fresh), newest_age=newest)
