"""Who is there: the project's own staff, tied to their accounts, and three who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError
from slack_sdk import WebClient

from bot.models import AuditEntry, Link
from bot.moment import utc_now
from bot.operations.linking import unlink
from bot.route.people import Actor, Origin
from bot.sandbox import names, people
from bot.sandbox.models import Message, Person, Workspace
from tests.sandbox.conftest import Page


def test_every_staff_account_has_a_person_tied_to_it(
    site: dict[str, Any], robin: str, ada: str
) -> None:
    assert [one.pk for one in people.in_order()] == [
        *[robin, ada, "U0NOBODY", "U0GUEST", "U0PARTNER"]
    ]
    assert people.linked() == {robin, ada}
    assert Person.objects.get(pk=robin).words == "staff, may request"
    assert Person.objects.get(pk=ada).words == "staff, may approve"


def test_a_link_stands_in_the_audit(site: dict[str, Any]) -> None:
    assert [entry.event for entry in AuditEntry.objects.all()] == ["link.made", "link.made"]


def test_nothing_is_done_twice(site: dict[str, Any]) -> None:
    before = Workspace.objects.get().revision
    people.settle(now=utc_now())
    assert Workspace.objects.get().revision == before
    assert Link.objects.count() == 2


def test_a_tie_that_was_ended_stays_ended(site: dict[str, Any], robin: str, page: Page) -> None:
    me = Actor(origin=Origin.SLACK, team=names.TEAM, slack_user=robin)
    unlink(names.TEAM, robin, actor=me, now=utc_now())
    User.objects.create_user("lee", is_staff=True)
    people.settle(now=utc_now())
    assert robin not in people.linked()
    shown = {one["name"]: one["words"] for one in page.see()["people"]}
    assert shown["robin"] == "staff, may request, not linked"
    assert shown["lee"] == "staff, may look"


def test_a_new_account_gets_a_person_and_one_that_lost_its_staff_loses_it(
    site: dict[str, Any], robin: str
) -> None:
    User.objects.filter(username="robin").update(is_staff=False)
    people.settle(now=utc_now())
    assert robin not in {one.pk for one in people.in_order()}
    lee = User.objects.create_user("lee", is_staff=True)
    people.settle(now=utc_now())
    assert people.id_of(str(lee.pk)) in {one.pk for one in people.in_order()}


def test_of_many_accounts_some_are_shown(site: dict[str, Any]) -> None:
    for number in range(20):
        User.objects.create_user(f"staff{number}", is_staff=True)
    people.settle(now=utc_now())
    assert sum(bool(one.account) for one in people.in_order()) == people.MOST


def test_accounts_that_cannot_be_read_send_nobody_away(
    site: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(account: str) -> None:
        raise DatabaseError("no such column: auth_user.is_staff")

    before = [one.pk for one in people.in_order()]
    monkeypatch.setattr("bot.operations.accounts.find_by_id", broken)
    people.settle(now=utc_now())
    assert [one.pk for one in people.in_order()] == before


def test_the_first_line_says_what_to_type(page: Page, slack: WebClient) -> None:
    first = page.messages()[0]
    assert "Type `/migrate help` first, then `/migrate plan`." in first["text"]
    assert Message.objects.filter(text=people.WELCOME).count() == 1


def test_a_partner_sees_the_shared_channel_alone(site: dict[str, Any]) -> None:
    assert [one["id"] for one in Page("U0PARTNER").see()["channels"]] == [names.CHANNEL]
