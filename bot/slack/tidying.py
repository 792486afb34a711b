"""Forgetting what the Slack face no longer needs. The audit keeps what was decided."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from bot.conf import get_settings
from bot.models import Delivery, Link, LinkCode, SlackCall, SlackPerson
from bot.slack.entrance import forget_old_requests

WEEK = timedelta(days=7)
STRANGERS = timedelta(days=30)
"""People without a link who were not seen for so long are asked for anew when they come back."""

PERSONAL = ("reply", "plan_refused", "home")
"""Deliveries to one person; those to a channel stay, to be found again by their key."""


def tidy(*, now: datetime) -> None:
    """Meant for every hour or so; any number of machines may do it at once."""
    forget_old_requests(now=now)
    using = get_settings().state_database
    LinkCode.objects.using(using).filter(expires_at__lt=now - timedelta(days=1)).delete()
    SlackCall.objects.using(using).filter(asked_at__lt=now - WEEK).delete()
    told = Delivery.objects.using(using).filter(kind__in=PERSONAL, created_at__lt=now - WEEK)
    told.exclude(state=Delivery.PENDING).exclude(sent_at__gte=now - WEEK).delete()
    linked = Link.objects.using(using).filter(live_key__isnull=False).values("live_key")
    people = SlackPerson.objects.using(using).exclude(pk__in=linked)
    long_ago = now - STRANGERS
    people.filter(Q(seen_at__lt=long_ago) | Q(seen_at=None, flags_at__lt=long_ago)).delete()
