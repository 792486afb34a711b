"""Modals and Home: triggers that die, hashes that must fit, views that must be valid."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox.models import Surface
from tests.sandbox.api.calls import error_of, trigger
from tests.sandbox.conftest import Page, modal, section


def test_a_modal_opens_for_whoever_acted(
    slack: WebClient, page: Page, robin: str, ada: str
) -> None:
    answer = slack.views_open(trigger_id=trigger(robin), view=modal(private_metadata="12"))
    assert answer["view"]["private_metadata"] == "12"
    assert answer["view"]["root_view_id"] == answer["view"]["id"]
    assert [one["id"] for one in page.see()["modals"]] == [answer["view"]["id"]]
    assert Page(ada).see()["modals"] == []


def test_a_trigger_lives_three_seconds_and_opens_once(slack: WebClient, robin: str) -> None:
    told = error_of(slack.views_open, trigger_id=trigger(robin, age=3.1), view=modal())
    assert told["error"] == "expired_trigger_id"
    used = trigger(robin)
    slack.views_open(trigger_id=used, view=modal())
    told = error_of(slack.views_open, trigger_id=used, view=modal())
    assert told["error"] == "exchanged_trigger_id"
    told = error_of(slack.views_open, trigger_id="1.2.3.4", view=modal())
    assert told["error"] == "invalid_trigger_id"


@pytest.mark.parametrize(
    "view",
    [
        modal(title={"type": "plain_text", "text": "x" * 25}),
        modal(private_metadata="x" * 3001),
        modal(section("x" * 3001)),
        {"type": "home", "blocks": []},
    ],
)
def test_a_view_beyond_the_limits_is_refused(
    slack: WebClient, robin: str, view: dict[str, Any]
) -> None:
    told = error_of(slack.views_open, trigger_id=trigger(robin), view=view)
    assert told["error"] == "invalid_arguments"
    assert told["response_metadata"]["messages"]
    assert not Surface.objects.exists()


def test_an_update_must_know_the_newest_hash(slack: WebClient, robin: str) -> None:
    view = slack.views_open(trigger_id=trigger(robin), view=modal())["view"]
    old = view["hash"]
    assert slack.views_update(view_id=view["id"], hash=old, view=modal(section("two")))["ok"]
    told = error_of(slack.views_update, view_id=view["id"], hash=old, view=modal())
    assert told["error"] == "hash_conflict"
    assert error_of(slack.views_update, view_id="V0X", view=modal())["error"] == "not_found"


def test_at_most_three_modals_lie_on_one_another(slack: WebClient, robin: str) -> None:
    slack.views_open(trigger_id=trigger(robin), view=modal())
    for _ in range(2):
        slack.views_push(trigger_id=trigger(robin), view=modal())
    told = error_of(slack.views_push, trigger_id=trigger(robin), view=modal())
    assert told["error"] == "push_limit_reached"


def test_home_is_published_for_one_and_replaced(
    slack: WebClient, page: Page, robin: str, ada: str
) -> None:
    for words in ("one", "two"):
        slack.views_publish(user_id=robin, view={"type": "home", "blocks": [section(words)]})
    assert page.see()["home"]["blocks"][0]["text"]["text"] == "two"
    assert Page(ada).see()["home"] is None
