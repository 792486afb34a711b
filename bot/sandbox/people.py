"""Who is in the workspace: somebody for each staff account, and three who may not do anything."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError
from django.db import Error as DatabaseError

from bot.models import Link
from bot.operations import accounts
from bot.operations.changing import changing as changing_state
from bot.operations.linking import link_in
from bot.route.people import SYSTEM
from bot.route.refusals import Refused
from bot.sandbox import names
from bot.sandbox.models import Channel, Message, Person
from bot.sandbox.store import Change, add_message, changing, workspace

MOST = 12
"""So many staff accounts get a person; a project may have thousands."""

WELCOME = (
    "This is a stand-in for Slack, on this machine alone. Everything else is real: the commands, "
    "the plan of *your* database, the approval, the run, the audit.\n"
    "Type `/migrate help` first, then `/migrate plan`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """A person as they should be; see the fields of the model."""

    id: str
    name: str
    real_name: str
    words: str
    team: str = names.TEAM
    account: str = ""
    flags: dict[str, bool] = field(default_factory=dict)


OTHERS = (
    Newcomer(
        id="U0NOBODY",
        name="somebody-new",
        real_name="Somebody new",
        words="no staff account linked",
    ),
    Newcomer(
        id="U0GUEST",
        name="guest",
        real_name="A guest",
        words="guest of the workspace",
        flags={"is_restricted": True},
    ),
    Newcomer(
        id="U0PARTNER",
        name="partner",
        real_name="A partner",
        team=names.PARTNER_TEAM,
        words="from another workspace (Slack Connect)",
    ),
    Newcomer(
        id=names.BOT_USER,
        name="migration_bot",
        real_name=names.BOT_NAME,
        words="",
        flags={"is_bot": True},
    ),
)


def id_of(account: str) -> str:
    """The Slack id of the person made from this account: always the same one."""
    return "U0" + hashlib.sha256(account.encode()).hexdigest()[:9].upper()


def settle(*, now: datetime) -> None:
    """Make the channels and people that are missing; the same call changes nothing twice."""
    staff = _staff()
    wanted = [*(staff or ()), *OTHERS]
    known = {person.pk: person for person in Person.objects.all()}
    gone = known.keys() - {one.id for one in wanted} if staff is not None else set()
    as_wanted = all(_is_as(known.get(one.id), one) for one in wanted)
    if as_wanted and not gone and workspace().revision:
        return
    with changing(now=now) as change:
        for place, one in enumerate(wanted):
            Person.objects.update_or_create(pk=one.id, defaults=_row(one, place))
        Person.objects.filter(pk__in=gone).delete()
        _open_channels(change)
    _link([one for one in wanted if one.account], now=now)


def linked() -> frozenset[str]:
    """Ids of the people who are tied to a staff account now."""
    links = Link.objects.filter(team=names.TEAM, live_key__isnull=False)
    return frozenset(links.values_list("slack_user", flat=True))


def in_order() -> list[Person]:
    """Everybody one can be, staff first."""
    return [person for person in Person.objects.all() if person.pk != names.BOT_USER]


def _link(staff: list[Newcomer], *, now: datetime) -> None:
    """Tie each person to the account they were made from: once, so that an unlinking stays.

    ``/migrate link`` is there to try for the one who has no account.
    """
    known = set(Link.objects.filter(team=names.TEAM).values_list("slack_user", flat=True))
    for one in staff:
        account = accounts.find_by_id(one.account)
        if one.id in known or account is None:
            continue
        with changing_state(now) as change:
            link_in(
                change,
                team=names.TEAM,
                slack_user=one.id,
                account=account,
                actor=SYSTEM,
                how="sandbox",
            )


def _row(one: Newcomer, place: int) -> dict[str, Any]:
    return {
        "team": one.team,
        "name": one.name,
        "real_name": one.real_name,
        "email": f"{one.name}@{'partner' if one.team != names.TEAM else 'sandbox'}.invalid",
        "flags": one.flags,
        "account": one.account,
        "words": one.words,
        "place": place,
    }


def _is_as(person: Person | None, one: Newcomer) -> bool:
    return person is not None and (person.name, person.words) == (one.name, one.words)


def _open_channels(change: Change) -> None:
    _, new = Channel.objects.get_or_create(
        pk=names.CHANNEL,
        defaults={"name": "migrations", "topic": "Plans, requests, runs and the audit"},
    )
    Channel.objects.get_or_create(
        pk=names.ELSEWHERE,
        defaults={
            "name": "general",
            "topic": "The bot has not been invited here",
            "has_bot": False,
        },
    )
    if new and not Message.objects.filter(channel=names.CHANNEL).exists():
        add_message(change, channel=names.CHANNEL, user="USLACKBOT", text=WELCOME)


def _staff() -> list[Newcomer] | None:
    """The project's own staff accounts; None while their table cannot be read."""
    model: Any = get_user_model()
    try:
        rows = model._default_manager.filter(is_staff=True, is_active=True).order_by("pk")
        keys = [str(key) for key in rows.values_list("pk", flat=True)[:MOST]]
        found = [accounts.find_by_id(key) for key in keys]
        return [_newcomer(account) for account in found if account is not None]
    except (DatabaseError, FieldError, Refused):
        return None


def _newcomer(account: accounts.Account) -> Newcomer:
    may = [
        words
        for permission, words in ((accounts.REQUEST, "request"), (accounts.APPROVE, "approve"))
        if account.may(permission)
    ]
    return Newcomer(
        id=id_of(account.id),
        name=account.name,
        real_name=account.name,
        account=account.id,
        words=f"staff, may {' and '.join(may)}" if may else "staff, may look",
    )
