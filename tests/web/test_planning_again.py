"""A plan that could not be made is asked for again, mended, where it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot import operations
from bot.models import StoredPlan
from bot.route.refusals import BrokenMigrations, Refused, UnknownApp

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(robin: Any, signed_in: Callable[..., Client]) -> Client:
    return signed_in(robin)


@pytest.fixture
def refused(client: Client, now: datetime) -> Callable[[str, Refused], str]:
    """The address of a plan of this target that was refused so."""

    def make(target: str, refused: Refused) -> str:
        client.post("/migrations/plan/", {"target": target})
        stored = StoredPlan.objects.get()
        operations.refuse_plan(stored.pk, refused, now=now)
        return reverse("migration_bot:plan", args=[stored.pk])

    return make


@pytest.mark.parametrize("fragment", ["", "?fragment=1"])
def test_a_typo_can_be_mended_where_it_is_told(
    client: Client, refused: Callable[[str, Refused], str], fragment: str
) -> None:
    told = UnknownApp(app="shopp", nearest=" Did you mean shop?")
    page = client.get(refused("shopp 0007", told) + fragment).content.decode()
    assert "Did you mean shop?" in page
    assert '<input id="target" name="target" value="shopp 0007"' in page
    assert '<option value="default" selected>' in page


def test_what_was_left_empty_stays_empty(
    client: Client, refused: Callable[[str, Refused], str]
) -> None:
    page = client.get(refused("", BrokenMigrations(detail="NameError: Q"))).content.decode()
    assert '<input id="target" name="target" value=""' in page


def test_what_a_sentence_has_between_backticks_stands_as_code_and_nothing_else_is_markup(
    client: Client, refused: Callable[[str, Refused], str]
) -> None:
    address = refused("", UnknownApp(app="<b>shopp", nearest=""))
    for page in (client.get(address).content.decode(), client.get("/migrations/").content.decode()):
        assert "no app &lt;b&gt;shopp. <code>migrate</code> knows the app labels" in page
