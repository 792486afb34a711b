"""Past the door: the signature is remembered, the person is looked up, and what they ask for kept.

All of it at once, for everybody who comes at the same moment: each takes a few statements, and
sixteen people together take no more (``bot.together``). What is written commits together, so a
command whose wish could not be kept can be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.db import Error as DatabaseError
from django.db import IntegrityError, transaction

from bot.conf import get_settings
from bot.models import SeenRequest
from bot.operations import accounts, asking
from bot.operations.asking import Kept, Wanted, Weighed, Wish
from bot.operations.changing import setup_asked_for
from bot.route.people import Actor
from bot.route.refusals import Refused
from bot.rows import insert, select
from bot.slack import people
from bot.slack.calls import Call
from bot.slack.people import FlagsOld, Standing
from bot.together import Together

AGE = timedelta(minutes=5)
"""How old a request may be, as Slack documents it; so long is its signature remembered."""


class Fate(Enum):
    """What became of a request's signature."""

    OPEN = "not remembered yet"
    TAKEN = "remembered: this request is the first that carries it"
    REPLAYED = "another request carried it before"
    UNKNOWN = "the database could not say"


STAMP = "migration_bot_stamp"
"""The name of a request's stamp in Bolt's context."""


@dataclass(slots=True)
class Stamp:
    """A verified signature on its way in. Whoever lets it in says what became of it."""

    signature: str
    at: datetime
    fate: Fate = Fate.OPEN


class Replayed(Exception):
    """A request with this signature was taken before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One call that comes in. ``signature`` is empty where nothing can be replayed: Socket Mode,
    and a call that was kept."""

    call: Call
    now: datetime
    signature: str
    signed_at: datetime
    wanted: Wanted | None

    def actor(self, standing: Standing) -> Actor | None:
        """Who wishes; None when there is no wish, or nobody who may have one: their own thread
        says why."""
        if self.wanted is None:
            return None
        try:
            return people.actor_of(self.call, standing, now=self.now)
        except (FlagsOld, Refused):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """How the person stands, and what came of what they want."""

    standing: Standing
    asked: Kept | Refused | None


def enter(
    call: Call, stamp: Stamp | None, *, now: datetime, wanted: Wanted | None = None
) -> Entered:
    """Take a call in, once. What it wants is kept if the person may ask for it; otherwise nothing
    but the signature is. Raises Replayed, and whatever the database raises: then nothing is."""
    arrival = Arrival(
        call=call,
        now=now,
        signature=stamp.signature if stamp is not None and stamp.fate is Fate.OPEN else "",
        signed_at=stamp.at if stamp is not None else now,
        wanted=wanted,
    )
    fate = Fate.OPEN  # Unless something else becomes of it: the door sees to it then.
    try:
        with setup_asked_for():
            # A project's own rule for who may what is asked in the thread of whom it concerns.
            alone = wanted is not None and not accounts.are_plain()
            entered = _entering.do(arrival, alone=alone)
        fate = Fate.TAKEN
    except Replayed:
        fate = Fate.REPLAYED
        raise
    except DatabaseError:
        fate = Fate.UNKNOWN
        raise
    finally:
        if arrival.signature and stamp is not None:
            stamp.fate = fate
    if isinstance(entered.asked, Kept):
        entered.asked.see_woken()
    people.note_seen(call, entered.standing, now=now)
    return entered


def _let_in(arrivals: Sequence[Arrival]) -> Sequence[Entered]:
    queries = [people.query({each.call.person for each in arrivals})]
    if any(each.wanted is not None for each in arrivals):
        queries.append(asking.waiting_query())
    found, *waiting = select(*queries, using=get_settings().state_database)
    known = people.standings(found)
    standings = [known.get(each.call.person, people.NOBODY) for each in arrivals]
    wishes: dict[int, Wish] = {}
    for place, (each, standing) in enumerate(zip(arrivals, standings, strict=True)):
        actor = each.actor(standing)
        if actor is not None and each.wanted is not None:
            wishes[place] = Wish(actor=actor, wanted=each.wanted, now=each.now)
    weighed = asking.weigh(list(wishes.values()), waiting[0]) if wishes else asking.NOTHING
    answers = dict(zip(wishes, _kept(arrivals, weighed), strict=True))
    return [
        Entered(standing=standing, asked=answers.get(place))
        for place, standing in enumerate(standings)
    ]


_entering: Together[Arrival, Entered] = Together(_let_in)


def _kept(arrivals: Sequence[Arrival], weighed: Weighed) -> Sequence[Kept | Refused]:
    seen = [
        SeenRequest(signature=each.signature, at=each.signed_at)
        for each in arrivals
        if each.signature
    ]
    with _replays_told(seen):
        return weighed.keep(seen)


def remember(stamp: Stamp) -> None:
    """Remember a signature that nobody has. Raises Replayed, and whatever the database raises."""
    seen = [SeenRequest(signature=stamp.signature, at=stamp.at)]
    with _replays_told(seen):
        insert(seen, using=get_settings().state_database)
    stamp.fate = Fate.TAKEN


@contextmanager
def _replays_told(seen: Sequence[SeenRequest]) -> Iterator[None]:
    """Turn the database's word that one of these is there already into Replayed."""
    using = get_settings().state_database
    # Where a middleware has begun a transaction all the same, a savepoint keeps the refusal of a
    # replay from breaking it.
    within = transaction.get_connection(using).in_atomic_block
    try:
        with transaction.atomic(using=using) if within else nullcontext():
            yield
    except IntegrityError:
        there = SeenRequest.objects.using(using)
        if there.filter(pk__in=[one.pk for one in seen]).exists():
            raise Replayed from None
        raise


def forget_old_requests(*, now: datetime) -> int:
    """Forget signatures that are too old to be accepted anyway."""
    seen = SeenRequest.objects.using(get_settings().state_database)
    deleted, _ = seen.filter(at__lt=now - 2 * AGE).delete()
    return deleted
