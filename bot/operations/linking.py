"""Tying a Slack person to a staff account, and ending that. A link says who, not what they may."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from bot import outbox
from bot.conf import get_settings
from bot.models import Link, LinkCode
from bot.operations import accounts
from bot.operations.changing import Change, changing, denials_recorded
from bot.route.events import LinkEnded, LinkMade
from bot.route.people import Actor
from bot.route.refusals import LinkCodeUnusable, LinkNotFound, NotForAdministrators


def digest(code: str) -> str:
    """What is kept of a code."""
    return hashlib.sha256(code.encode("utf-8")).hexdigest()


def offer_code(
    code: str, *, team: str, slack_user: str, slack_name: str, now: datetime
) -> datetime:
    """Keep a fresh one-time code for this Slack person; earlier ones die. When it expires."""
    expires = now + timedelta(minutes=get_settings().link_minutes)
    with changing(now) as change:
        codes = LinkCode.objects.using(change.using)
        codes.filter(team=team, slack_user=slack_user, used_at__isnull=True).update(used_at=now)
        codes.create(
            digest=digest(code),
            team=team,
            slack_user=slack_user,
            slack_name=slack_name,
            created_at=now,
            expires_at=expires,
        )
    return expires


def read_code(code: str, *, now: datetime) -> LinkCode:
    """Who asks with this code, to be shown before it is confirmed; or LinkCodeUnusable."""
    codes = LinkCode.objects.using(get_settings().state_database)
    found = codes.filter(digest=digest(code), used_at__isnull=True, expires_at__gt=now).first()
    if found is None:
        raise LinkCodeUnusable()
    return found


def confirm_code(code: str, *, actor: Actor, now: datetime) -> Link:
    """Tie the code's Slack person to the signed-in staff account, once."""
    with denials_recorded("link.make", actor=actor, now=now):
        account = accounts.require_staff(actor)
        with changing(now) as change:
            found = read_code(code, now=now)
            found.used_at = now
            found.save(using=change.using, update_fields=["used_at"])
            return link_in(
                change,
                team=found.team,
                slack_user=found.slack_user,
                account=account,
                actor=actor,
                how="code",
            )


def link_in(
    change: Change,
    *,
    team: str,
    slack_user: str,
    account: accounts.Account,
    actor: Actor,
    how: str,
) -> Link:
    """Make the link inside an open transaction; an older one of the same Slack person ends."""
    links = Link.objects.using(change.using)
    key = f"{team}:{slack_user}"
    older = links.filter(live_key=key).first()
    if older is not None:
        _end(change, older, actor=actor)
    link = links.create(
        team=team,
        slack_user=slack_user,
        account=account.id,
        account_name=account.name,
        linked_at=change.now,
        live_key=key,
    )
    event = LinkMade(
        team=team,
        slack_user=slack_user,
        account=account.id,
        account_name=account.name,
        how=how,
    )
    change.record(event, actor=actor)
    outbox.home(team, slack_user, now=change.now)
    return link


def unlink(team: str, slack_user: str, *, actor: Actor, now: datetime) -> Link:
    """End a live link: one's own, from Slack or from the site; anybody's, by a superuser."""
    with denials_recorded("link.end", actor=actor, now=now):
        from_slack = (actor.team, actor.slack_user) == (team, slack_user)
        account = None if from_slack else accounts.require_staff(actor)
        with changing(now) as change:
            link = Link.objects.using(change.using).filter(live_key=f"{team}:{slack_user}").first()
            if link is None:
                raise LinkNotFound()
            if account and account.id != link.account and not account.is_superuser:
                raise NotForAdministrators()
            _end(change, link, actor=actor)
            return link


def _end(change: Change, link: Link, *, actor: Actor) -> None:
    link.live_key, link.ended_at = None, change.now
    link.ended_by = actor.name or f"{actor.team}/{actor.slack_user}"
    link.save(using=change.using, update_fields=["live_key", "ended_at", "ended_by"])
    event = LinkEnded(
        team=link.team,
        slack_user=link.slack_user,
        account=link.account,
        account_name=link.account_name,
    )
    change.record(event, actor=actor)
    # Their Home shows runs; whoever is no longer linked is shown them no longer.
    outbox.home(link.team, link.slack_user, now=change.now)


def find_link(team: str, slack_user: str) -> Link | None:
    """The live link of a Slack person."""
    links = Link.objects.using(get_settings().state_database)
    return links.filter(live_key=f"{team}:{slack_user}").first()
