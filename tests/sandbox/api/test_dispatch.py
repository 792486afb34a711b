"""Tokens, scopes, unknown methods and bad days, as Slack's own client sees them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.moment import utc_now
from bot.sandbox import faults, names
from bot.sandbox.api.dispatch import METHODS
from bot.sandbox.faults import Kind
from bot.sandbox.models import ApiCall, Fault, Message, Workspace
from tests.project import ROOT
from tests.sandbox.api.calls import error_of
from tests.sandbox.conftest import HOST, InProcess, browser


def test_who_the_bot_is(slack: WebClient) -> None:
    answer = slack.auth_test()
    assert answer["team_id"] == names.TEAM
    assert answer["user_id"] == names.BOT_USER
    assert "chat:write" in answer.headers["X-OAuth-Scopes"].split(",")


def test_a_wrong_token_is_refused(slack: WebClient, site: dict[str, Any]) -> None:
    url = site["slack_api_url"]
    assert error_of(InProcess(token="xoxb-sandbox-x", base_url=url).auth_test)["error"] == (
        "invalid_auth"
    )
    assert error_of(InProcess(token=None, base_url=url).auth_test)["error"] == "not_authed"


def test_an_unknown_method_is_refused(slack: WebClient) -> None:
    assert error_of(slack.api_call, "chat.shout")["error"] == "unknown_method"


def test_a_scope_that_is_not_granted_is_named(slack: WebClient) -> None:
    Workspace.objects.update(scopes=["commands", "users:read"])
    told = error_of(slack.chat_postMessage, channel=names.CHANNEL, text="x")
    assert (told["error"], told["needed"]) == ("missing_scope", "chat:write")
    assert told["provided"] == "commands,users:read"
    told = error_of(slack.conversations_history, channel=names.CHANNEL)
    assert (told["error"], told["needed"]) == ("missing_scope", "channels:history")


def test_the_scopes_are_the_manifests() -> None:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(names.SCOPES)


def test_methods_that_read_take_no_json(slack: WebClient) -> None:
    told = error_of(slack.api_call, "users.info", json={"user": "U0GUEST"})
    assert told["error"] == "user_not_found"


def test_a_body_that_is_no_json_is_refused(slack: WebClient, site: dict[str, Any]) -> None:
    response = browser().post(
        "/sandbox/api/chat.postMessage",
        "{",
        content_type="application/json; charset=utf-8",
        headers={"host": HOST, "authorization": f"Bearer {site['slack_bot_token']}"},
    )
    assert response.json() == {"ok": False, "error": "invalid_json"}


def test_too_many_requests_are_told_to_wait(slack: WebClient) -> None:
    faults.inject("chat.postMessage", Kind.RATE_LIMITED, times=1, seconds=7)
    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(channel=names.CHANNEL, text="one")
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    assert slack.chat_postMessage(channel=names.CHANNEL, text="two")["ok"]
    assert [one.text for one in Message.objects.filter(is_bot=True)] == ["two"]


def test_a_broken_slack_does_nothing(slack: WebClient) -> None:
    faults.inject("*", Kind.BROKEN)
    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(channel=names.CHANNEL, text="one")
    assert caught.value.response.status_code == 503
    assert not Message.objects.filter(is_bot=True).exists()


def test_an_answer_that_is_lost_leaves_the_message_there(slack: WebClient) -> None:
    faults.inject("chat.postMessage", Kind.UNHEARD)
    with pytest.raises(SlackApiError) as caught:
        slack.chat_postMessage(channel=names.CHANNEL, text="one")
    assert caught.value.response.status_code == 502
    assert [one.text for one in Message.objects.filter(is_bot=True)] == ["one"]


def test_an_error_by_name(slack: WebClient) -> None:
    faults.inject("chat.update", Kind.ERROR, error="channel_not_found")
    told = error_of(slack.chat_update, channel=names.CHANNEL, ts="1.0", text="x")
    assert told["error"] == "channel_not_found"
    assert not Fault.objects.exists()


def test_slowness_comes_after_the_work(slack: WebClient, monkeypatch: Any) -> None:
    waited: list[float] = []
    monkeypatch.setattr("bot.sandbox.faults.time.sleep", waited.append)
    faults.inject("chat.postMessage", Kind.SLOW, seconds=5)
    slack.chat_postMessage(channel=names.CHANNEL, text="one")
    assert waited == [5]
    assert Message.objects.filter(text="one").exists()


def test_calls_are_kept_to_be_looked_at(slack: WebClient) -> None:
    slack.chat_postMessage(channel=names.CHANNEL, text="one")
    error_of(slack.chat_postMessage, channel="C0NOWHERE", text="one")
    rows = ApiCall.objects.values_list("method", "channel", "error")
    assert list(rows) == [
        ("chat.postMessage", names.CHANNEL, ""),
        ("chat.postMessage", "C0NOWHERE", "channel_not_found"),
    ]


def test_old_calls_are_forgotten(site: dict[str, Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("bot.sandbox.faults.KEPT", 50)
    for number in range(230):
        faults.record("auth.test", channel=str(number), error="", now=utc_now())
    assert ApiCall.objects.count() < 160


@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_answers_to_no_arguments_in_slacks_words(slack: WebClient, name: str) -> None:
    answer = browser().post(
        f"/sandbox/api/{name}",
        headers={"host": HOST, "authorization": f"Bearer {slack.token}"},
    )
    assert answer.status_code == 200
    assert answer.json()["ok"] is (name == "auth.test")
