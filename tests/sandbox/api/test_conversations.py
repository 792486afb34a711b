"""Looking back into a channel, as the outbox does after an answer that was lost."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.sandbox import names
from tests.sandbox.api.calls import METADATA, error_of, post
from tests.sandbox.conftest import Page


def test_history_is_newest_first_and_pages_on(slack: WebClient) -> None:
    wanted = [post(slack, str(number)) for number in range(7)]
    found: list[str] = []
    cursor = ""
    while True:
        answer = slack.conversations_history(channel=names.CHANNEL, limit=3, cursor=cursor)
        found += [one["ts"] for one in answer["messages"] if one.get("bot_id")]
        cursor = answer["response_metadata"]["next_cursor"]
        assert answer["has_more"] is bool(cursor)
        if not cursor:
            break
    assert found == wanted[::-1]


def test_metadata_is_told_only_when_asked_for(slack: WebClient) -> None:
    post(slack, metadata=METADATA)
    without = slack.conversations_history(channel=names.CHANNEL)["messages"][0]
    assert "metadata" not in without
    answer = slack.conversations_history(channel=names.CHANNEL, include_all_metadata=True)
    assert answer["messages"][0]["metadata"] == METADATA


def test_oldest_and_latest_bound_what_is_told(slack: WebClient) -> None:
    one, two, three = (post(slack, name) for name in "abc")
    answer = slack.conversations_history(channel=names.CHANNEL, oldest=one, latest=three)
    assert [message["ts"] for message in answer["messages"]] == [two]
    answer = slack.conversations_history(
        channel=names.CHANNEL, oldest=one, latest=three, inclusive=True
    )
    assert [message["ts"] for message in answer["messages"]] == [three, two, one]
    answer = slack.conversations_history(channel=names.CHANNEL, oldest="1")
    assert len(answer["messages"]) == 4


def test_replies_are_oldest_first_with_their_root(slack: WebClient, page: Page) -> None:
    root = post(slack, "root")
    wanted = [root, post(slack, "a", thread_ts=root), post(slack, "b", thread_ts=root)]
    page.say("c", thread_ts=root)
    answer = slack.conversations_replies(channel=names.CHANNEL, ts=root)
    assert [one["text"] for one in answer["messages"]] == ["root", "a", "b", "c"]
    assert [one["ts"] for one in answer["messages"]][:3] == wanted
    assert "a" not in [
        one["text"] for one in slack.conversations_history(channel=names.CHANNEL)["messages"]
    ]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0NOWHERE", "channel_not_found"), (names.ELSEWHERE, "not_in_channel")],
)
def test_a_channel_without_the_bot_tells_nothing(
    slack: WebClient, channel: str, error: str
) -> None:
    assert error_of(slack.conversations_history, channel=channel)["error"] == error


def test_nonsense_is_refused_by_name(slack: WebClient) -> None:
    told = error_of(slack.conversations_history, channel=names.CHANNEL, cursor="x!")
    assert told["error"] == "invalid_cursor"
    told = error_of(slack.conversations_history, channel=names.CHANNEL, oldest="x")
    assert told["error"] == "invalid_ts_oldest"
    told = error_of(slack.conversations_replies, channel=names.CHANNEL, ts="1.2")
    assert told["error"] == "thread_not_found"
