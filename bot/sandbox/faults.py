"""Trouble on demand: what Slack does on a bad day, so that one can see that nothing is lost."""

from __future__ import annotations

import time
from datetime import datetime
from enum import StrEnum

from django.db.models import F

from bot.sandbox.models import ApiCall, Fault
from bot.sandbox.store import changing

KEPT = 500
"""So many calls are kept to look at."""


class Kind(StrEnum):
    RATE_LIMITED = "rate_limited"
    """429 with ``Retry-After: seconds``."""
    BROKEN = "broken"
    """503 with a page of HTML; nothing is done."""
    SLOW = "slow"
    """It is done, ``seconds`` later than asked: a caller that waits less sees a timeout."""
    UNHEARD = "unheard"
    """It is done, and the answer is lost: a 502 with a page of HTML."""
    ERROR = "error"
    """``{"ok": false, "error": …}`` with the given name, as ``channel_not_found``."""


def inject(
    method: str, kind: Kind, *, times: int = 1, seconds: float = 1, error: str = ""
) -> Fault:
    """Let the next ``times`` calls of ``method`` (``*``: of any) go wrong."""
    return Fault.objects.create(
        method=method, kind=str(kind), remaining=times, seconds=seconds, error=error
    )


def clear() -> None:
    """No more trouble."""
    Fault.objects.all().delete()


def take(method: str, *, now: datetime) -> Fault | None:
    """The trouble that this call is to have, counted down; None for none."""
    if not Fault.objects.filter(method__in=(method, "*"), remaining__gt=0).exists():
        return None
    with changing(now=now):
        fault = Fault.objects.filter(method__in=(method, "*"), remaining__gt=0).first()
        if fault is not None:
            Fault.objects.filter(pk=fault.pk).update(remaining=F("remaining") - 1)
            Fault.objects.filter(remaining__lte=0).delete()
    return fault


def wait(fault: Fault) -> None:
    """The slowness itself."""
    time.sleep(fault.seconds)


def record(method: str, *, channel: str, error: str, now: datetime) -> None:
    """Remember a call for whoever wants to see what the bot does."""
    made = ApiCall.objects.create(method=method, channel=channel[:50], error=error[:100], at=now)
    if made.pk % 100 == 0:
        ApiCall.objects.filter(pk__lte=made.pk - KEPT).delete()
