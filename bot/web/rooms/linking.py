"""Tying one's Slack account to the staff account that is signed in here, and ending such ties."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import reverse

from bot.conf import get_settings
from bot.models import Link
from bot.operations import linking
from bot.route.refusals import Refused
from bot.web import answers
from bot.web.edge import Visit, staff_view
from bot.web.forms import fields_of
from bot.web.rooms.common import room


@staff_view("GET", "POST", wish="link.make")
def link(visit: Visit, code: str) -> HttpResponse:
    """Who asks, from Slack; with a POST, the tie is made to the account that is signed in."""
    if visit.request.method == "POST":
        made = linking.confirm_code(code, actor=visit.actor, now=visit.now)
        if visit.wants_json:
            return answers.as_json(_as_json(made), status=201)
        return answers.see_other(reverse("migration_bot:links"))
    asked = linking.read_code(code, now=visit.now)
    older = linking.find_link(asked.team, asked.slack_user)
    context = {
        "code": code,
        "slack_name": asked.slack_name or asked.slack_user,
        "slack_user": asked.slack_user,
        "team": asked.team,
        "expires_at": asked.expires_at,
        "tied_to": older.account_name if older is not None else "",
        "tied_to_another": older is not None and older.account != visit.account.id,
    }
    return room(visit, "link", context, here="links")


@staff_view("GET", "POST", wish="link.end")
def links(visit: Visit) -> HttpResponse:
    """One's own ties, and for superusers everybody's; a POST with ``team`` and ``slack_user`` ends
    one."""
    refused: Refused | None = None
    if visit.request.method == "POST":
        fields = fields_of(visit.request)
        try:
            linking.unlink(fields["team"], fields["slack_user"], actor=visit.actor, now=visit.now)
        except Refused as denied:
            refused = denied
    if visit.wants_json:
        if refused is not None:
            return answers.refusal_as_json(refused)
        return answers.as_json({"links": [_as_json(link) for link in _seen_by(visit)]})
    if visit.request.method == "POST" and refused is None:
        return answers.see_other(reverse("migration_bot:links"))
    context = {"links": _seen_by(visit), "everybody": visit.account.is_superuser}
    return room(visit, "links", context, here="links", refused=refused)


def _seen_by(visit: Visit) -> list[Link]:
    live = Link.objects.using(get_settings().state_database).filter(live_key__isnull=False)
    if not visit.account.is_superuser:
        live = live.filter(account=visit.account.id)
    return list(live.order_by("account_name", "id"))


def _as_json(link: Link) -> dict[str, str]:
    return {
        "team": link.team,
        "slack_user": link.slack_user,
        "account": link.account,
        "account_name": link.account_name,
    }
