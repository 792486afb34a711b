"""Which staff account a Slack person is, asked at every command and every click.

First the flags that Slack keeps on people, never older than five minutes, then the link. The
account itself and its permission are asked by the operation, at the moment it acts.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import Error as DatabaseError
from django.db import connections, transaction
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.conf import get_settings
from bot.models import Link, SlackPerson
from bot.moment import utc_now
from bot.operations import accounts
from bot.operations.changing import changing
from bot.operations.linking import link_in
from bot.route.people import Actor, Origin
from bot.route.plan_json import parse_time
from bot.route.refusals import NotLinked, SlackBarred
from bot.rows import Query
from bot.slack.calls import Call
from bot.waking import wake

logger = logging.getLogger("migration_bot.slack")

REFRESH_PERSON = "refresh_person"
"""The name of the work that asks Slack about one person; a stored name."""

FRESH = timedelta(minutes=5)
"""No decision rests on flags that are older."""
REFRESH = timedelta(minutes=4)
"""The worker asks again before that."""
AGAIN = timedelta(seconds=30)
"""While Slack does not answer, the worker is woken for one person so often at most."""
ACTIVE = timedelta(days=1)
"""People who were seen within a day are kept fresh; the others wait a moment when they come."""

BARRING = {
    "deleted": "it is deactivated",
    "is_bot": "it is a bot",
    "is_workflow_bot": "it is a bot",
    "is_restricted": "it is a guest",
    "is_ultra_restricted": "it is a guest",
    "is_stranger": "it belongs to another workspace",
    "is_invited_user": "its invitation is not accepted yet",
}
"""users.info's flags that keep a person out, and how it is told."""

UNCONFIRMED = "its email address is not confirmed"
ANOTHER_TEAM = "it belongs to another workspace"


_woken: dict[str, datetime] = {}
"""For whom this process has woken a worker, and when."""


class FlagsOld(Exception):
    """What Slack says of this person is not known or too old; a worker must ask first."""


def unlinked_actor(call: Call) -> Actor:
    """The Slack person alone, as the audit names somebody without an account."""
    return Actor(origin=Origin.SLACK, team=call.team, slack_user=call.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a Slack person, with the account of their live link, if there is one."""

    barred: str
    flags_at: datetime | None
    seen_at: datetime | None
    account: str | None
    account_name: str


def check_flags(call: Call, standing: Standing, *, now: datetime) -> None:
    """Let those pass whom nothing bars. Raises FlagsOld, SlackBarred."""
    if standing.flags_at is None or standing.flags_at < now - FRESH:
        raise FlagsOld(call.person)
    if standing.barred:
        raise SlackBarred(flag=standing.barred)


def actor_of(call: Call, standing: Standing, *, now: datetime) -> Actor:
    """The staff account behind the call, as an actor. Raises FlagsOld, SlackBarred, NotLinked."""
    check_flags(call, standing, now=now)
    if standing.account is None:
        raise NotLinked()
    return Actor(
        origin=Origin.SLACK,
        account=standing.account,
        name=standing.account_name,
        team=call.team,
        slack_user=call.user,
    )


def note_seen(call: Call, standing: Standing, *, now: datetime) -> None:
    """Keep that this person was here, once an hour: who was here lately is kept fresh."""
    if standing.seen_at is None or standing.seen_at < now - timedelta(hours=1):
        using = get_settings().state_database
        try:
            with transaction.atomic(using=using):
                SlackPerson.objects.using(using).filter(pk=call.person).update(seen_at=now)
        except DatabaseError:  # What they came for may be done already: it is not told as broken.
            logger.warning("that %s was here could not be noted", call.person, exc_info=True)


NOBODY = Standing(barred="", flags_at=None, seen_at=None, account=None, account_name="")


def query(keys: Collection[str]) -> Query:
    """What asks how these people (``team:user``) stand, by one statement that is not built anew
    each time: it is asked at every command and every click."""
    using = get_settings().state_database
    marks = ", ".join(["%s"] * len(keys))
    return f"{_statement(using, connections[using].vendor)} ({marks})", list(keys)


def standings(rows: Iterable[tuple[Any, ...]]) -> dict[str, Standing]:
    """What ``query`` gave, by the people's keys. Whom nobody knows is left out."""
    return {
        key: Standing(
            barred=barred,
            flags_at=parse_time(flags_at) if flags_at else None,
            seen_at=parse_time(seen_at) if seen_at else None,
            account=account,
            account_name=name or "",
        )
        for key, barred, flags_at, seen_at, account, name in rows
    }


@lru_cache(maxsize=8)
def _statement(using: str, vendor: str) -> str:
    """Its parameters are people's keys, in brackets."""
    name = connections[using].ops.quote_name
    person, link = name(SlackPerson._meta.db_table), name(Link._meta.db_table)
    columns = [f"{person}.{name(each)}" for each in ("key", "barred", "flags_at", "seen_at")]
    columns += [f"{link}.{name(each)}" for each in ("account", "account_name")]
    return (
        f"SELECT {', '.join(columns)} FROM {person}"  # noqa: S608 - our names
        f" LEFT JOIN {link} ON {link}.{name('live_key')} = {person}.{name('key')}"
        f" WHERE {person}.{name('key')} IN"
    )


def refresh(key: str) -> None:
    """Ask Slack about one person (``team:user``) and keep the answer. Work for a worker."""
    team, _, user = key.partition(":")
    ask_slack(team, user, now=utc_now())


def ask_slack(team: str, user: str, *, now: datetime) -> bool:
    """Ask users.info and keep its flags; whether Slack answered."""
    from bot.slack.client import get_client

    try:
        answer = get_client().users_info(user=user)
        keep(team, user, answer["user"], now=now)
    except SlackApiError as error:
        if error.response.get("error") not in ("user_not_found", "user_not_visible"):
            logger.warning("users.info of %s failed: %s", user, error.response.get("error"))
            return False
        keep(team, user, {"id": user, "team_id": team, "deleted": True}, now=now)
    except (SlackClientError, OSError) as error:
        logger.warning("users.info of %s failed: %s", user, type(error).__name__)
        return False
    return True


def keep(team: str, user: str, found: Mapping[str, Any], *, now: datetime) -> SlackPerson:
    """Keep what users.info said of a person; ends nothing, grants nothing but the email link."""
    profile = found.get("profile") or {}
    person, _ = SlackPerson.objects.using(get_settings().state_database).update_or_create(
        pk=f"{team}:{user}",
        defaults={
            "team": team,
            "slack_user": user,
            "name": str(profile.get("display_name") or found.get("real_name") or "")[:255],
            "email": str(profile.get("email") or "")[:320],
            "email_confirmed": bool(found.get("is_email_confirmed")),
            "time_zone": str(found.get("tz") or "")[:100],
            "barred": barred_by(found, team=team),
            "flags_at": now,
        },
    )
    if get_settings().link_by_email and not person.barred:
        _link_by_email(person, now=now)
    return person


def barred_by(found: Mapping[str, Any], *, team: str) -> str:
    """Why a person is kept out, in words, from users.info; empty when nothing does it."""
    for flag, words in BARRING.items():
        if found.get(flag):
            return words
    enterprise = (found.get("enterprise_user") or {}).get("enterprise_id", "")
    home = get_settings().slack_enterprise_id
    if found.get("team_id") != team and not (home and enterprise == home):
        return ANOTHER_TEAM
    return "" if found.get("is_email_confirmed") else UNCONFIRMED


def _link_by_email(person: SlackPerson, *, now: datetime) -> None:
    """Link by a confirmed address that exactly one staff account has; never after an unlinking."""
    links = Link.objects.using(get_settings().state_database)
    if links.filter(team=person.team, slack_user=person.slack_user).exists():
        return
    account = accounts.find_by_email(person.email)
    if account is None or not account.is_active or not account.is_staff:
        return
    actor = Actor(origin=Origin.SLACK, team=person.team, slack_user=person.slack_user)
    with changing(now) as change:
        link_in(
            change,
            team=person.team,
            slack_user=person.slack_user,
            account=account,
            actor=actor,
            how="email",
        )


def tick(*, now: datetime) -> None:
    """Wake a worker for people with a live link whose flags will soon be too old."""
    if not get_settings().slack_bot_token:
        return
    for key in [key for key, at in _woken.items() if at <= now - AGAIN]:
        del _woken[key]
    using = get_settings().state_database
    keys = Link.objects.using(using).filter(live_key__isnull=False).values_list("live_key")
    due = SlackPerson.objects.using(using).filter(
        pk__in=keys, flags_at__lt=now - REFRESH, seen_at__gt=now - ACTIVE
    )
    for key in due.values_list("pk", flat=True):
        if key not in _woken:
            _woken[key] = now
            wake(REFRESH_PERSON, key)
