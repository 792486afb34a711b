"""Denials that repeat are counted, so that nobody can fill the audit or the channel with them.

The first one of a person, a wish and a code is an entry at once. Those of the next minute only
raise a number; what it came to stands in one entry, written with the next denial after that minute
or by the clock. An entry with ``repeated: n`` stands for n denials, one without it for one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from bot.conf import get_settings
from bot.models import DenialTally
from bot.route.people import Actor

MINUTE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """What was refused to whom, as its entry will have it."""

    actor: Actor
    wish: str
    code: str
    because: str
    run: int | None

    @property
    def key(self) -> str:
        """One for each person, wish and code, whatever run was named and whatever the words.

        Somebody without an account is told apart by what they cannot choose: a shell can say any
        name, so there it is the login.
        """
        actor = self.actor
        who = [actor.account] if actor.account else [actor.team, actor.slack_user, actor.os_user]
        text = json.dumps([bool(actor.account), who, self.wish, self.code])
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def count_again(denial: Denial, *, now: datetime) -> bool:
    """Count a denial whose like was written within the minute; False when it must be written.

    One statement, and no lock of the audit's head: a flood of refusals holds up nobody.
    """
    tallies = DenialTally.objects.using(get_settings().state_database)
    # A clock that is a little ahead must not make every denial an entry.
    fresh = tallies.filter(pk=denial.key, since__gt=now - MINUTE, since__lt=now + MINUTE)
    changed = fresh.update(
        count=F("count") + 1, because=denial.because, run=denial.run, actor=denial.actor.to_json()
    )
    return bool(changed)


def begin(denial: Denial, *, now: datetime) -> int:
    """Begin a minute with this denial, which is about to be written; how many its entry stands for.

    The audit's head must be locked.
    """
    tallies = DenialTally.objects.using(get_settings().state_database)
    older = tallies.filter(pk=denial.key).first()
    if older is None:
        tallies.create(
            key=denial.key,
            actor=denial.actor.to_json(),
            wish=denial.wish,
            code=denial.code,
            because=denial.because,
            run=denial.run,
            since=now,
        )
        return 1
    tallies.filter(pk=denial.key).update(since=now, count=F("count") - older.count)
    return older.count + 1


def is_any_over(*, now: datetime) -> bool:
    """Whether some minute is over."""
    return _over(now).exists()


def take_over(*, now: datetime) -> Iterator[tuple[Denial, int]]:
    """Each denial that was repeated in a minute that is over, with how many its entry stands for.
    Its next minute begins; a tally that nothing was added to is forgotten.

    The audit's head must be locked.
    """
    for tally in _over(now):
        row = DenialTally.objects.using(get_settings().state_database).filter(pk=tally.key)
        if not tally.count:
            row.filter(count=0).delete()
            continue
        row.update(since=now, count=F("count") - tally.count)
        denial = Denial(
            actor=Actor.from_json(tally.actor),
            wish=tally.wish,
            code=tally.code,
            because=tally.because,
            run=tally.run,
        )
        yield denial, tally.count


def _over(now: datetime) -> QuerySet[DenialTally]:
    return DenialTally.objects.using(get_settings().state_database).filter(since__lte=now - MINUTE)
