"""Posting, editing and deleting, with Slack's own client."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox import names
from bot.sandbox.models import Channel, Message
from tests.sandbox.api.calls import METADATA, error_of, post
from tests.sandbox.conftest import Page, button, section


def test_a_message_is_seen_by_everybody(slack: WebClient, page: Page, ada: str) -> None:
    ts = post(slack, blocks=[section("*hello*")], metadata=METADATA)
    for one in (page, Page(ada)):
        shown = one.messages()[-1]
        assert (shown["ts"], shown["user"], shown["bot"]) == (ts, names.BOT_USER, True)
        assert shown["blocks"][0]["text"]["text"] == "*hello*"
        assert shown["blocks"][0]["block_id"]


def test_every_ts_is_greater_than_the_one_before(slack: WebClient) -> None:
    found = [post(slack) for _ in range(20)]
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": names.ELSEWHERE, "text": "x"}, "not_in_channel"),
        ({"channel": names.CHANNEL, "text": ""}, "no_text"),
        ({"channel": names.CHANNEL, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"channel": names.CHANNEL, "text": "x", "blocks": "{"}, "invalid_blocks_format"),
        ({"channel": names.CHANNEL, "text": "x", "metadata": {"a": 1}}, "invalid_metadata_format"),
    ],
)
def test_what_cannot_be_posted_has_slacks_name(
    slack: WebClient, arguments: dict[str, Any], error: str
) -> None:
    told = error_of(slack.api_call, "chat.postMessage", json=arguments)
    assert told["error"] == error
    assert not Message.objects.filter(is_bot=True).exists()


def test_an_archived_channel_takes_nothing(slack: WebClient) -> None:
    Channel.objects.filter(pk=names.CHANNEL).update(is_archived=True)
    told = error_of(slack.chat_postMessage, channel=names.CHANNEL, text="x")
    assert told["error"] == "is_archived"


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 3001)],
        [section("x")] * 51,
        [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
        [{"type": "section"}],
        [{"type": "nonsense"}],
        [button(value="x" * 2001)],
        [button(), button()],
    ],
)
def test_one_bad_block_drops_the_whole_message(
    slack: WebClient, blocks: list[dict[str, Any]]
) -> None:
    told = error_of(slack.chat_postMessage, channel=names.CHANNEL, text="x", blocks=blocks)
    assert told["error"] == "invalid_blocks"
    assert told["response_metadata"]["messages"]
    assert not Message.objects.filter(is_bot=True).exists()


def test_blocks_that_are_too_long_together_have_their_own_error(slack: WebClient) -> None:
    blocks = [section("x" * 3000) for _ in range(6)]
    told = error_of(slack.chat_postMessage, channel=names.CHANNEL, text="x", blocks=blocks)
    assert told["error"] == "msg_blocks_too_long"


def test_an_edit_replaces_text_and_blocks_and_is_marked(slack: WebClient, page: Page) -> None:
    ts = post(slack, blocks=[section("one")], metadata=METADATA)
    slack.chat_update(channel=names.CHANNEL, ts=ts, text="two")
    shown = page.messages()[-1]
    assert (shown["text"], shown["blocks"], shown["edited"]) == ("two", [], True)
    assert Message.objects.get(ts=ts).metadata == METADATA


def test_an_edit_takes_less_text_than_a_post(slack: WebClient) -> None:
    ts = post(slack, "x" * 5000)
    told = error_of(slack.chat_update, channel=names.CHANNEL, ts=ts, text="x" * 4001)
    assert told["error"] == "msg_too_long"


def test_others_messages_and_ephemeral_ones_cannot_be_edited(
    slack: WebClient, page: Page, robin: str
) -> None:
    page.say("mine")
    ts = page.messages()[-1]["ts"]
    told = error_of(slack.chat_update, channel=names.CHANNEL, ts=ts, text="x")
    assert told["error"] == "cant_update_message"
    ts = slack.chat_postEphemeral(channel=names.CHANNEL, user=robin, text="psst")["message_ts"]
    told = error_of(slack.chat_update, channel=names.CHANNEL, ts=ts, text="x")
    assert told["error"] == "message_not_found"


def test_an_ephemeral_message_is_seen_by_one_alone(
    slack: WebClient, page: Page, robin: str, ada: str
) -> None:
    slack.chat_postEphemeral(channel=names.CHANNEL, user=robin, text="psst")
    assert page.messages()[-1]["only_for_me"] is True
    assert all(one["text"] != "psst" for one in Page(ada).messages())
    history = slack.conversations_history(channel=names.CHANNEL)["messages"]
    assert all(one["text"] != "psst" for one in history)


def test_a_reply_stands_in_its_thread_and_a_broadcast_in_the_channel_too(
    slack: WebClient, page: Page
) -> None:
    ts = post(slack)
    post(slack, "quiet", thread_ts=ts)
    post(slack, "loud", thread_ts=ts, reply_broadcast=True)
    shown = {one["text"]: (one["thread_ts"], one["broadcast"]) for one in page.messages()}
    assert shown["quiet"] == (ts, False)
    assert shown["loud"] == (ts, True)


def test_a_person_can_be_written_to(slack: WebClient, page: Page, robin: str, ada: str) -> None:
    answer = slack.chat_postMessage(channel=robin, text="for you")
    assert answer["channel"] == names.im_of(robin)
    assert [one["text"] for one in page.messages(names.im_of(robin))] == ["for you"]
    assert Page(ada).messages(names.im_of(robin)) == []


def test_a_message_of_the_bots_can_be_deleted(slack: WebClient, page: Page) -> None:
    ts = post(slack, "gone")
    slack.chat_delete(channel=names.CHANNEL, ts=ts)
    assert all(one["ts"] != ts for one in page.messages())


def test_text_that_a_database_cannot_hold_is_shown_not_lost(slack: WebClient, page: Page) -> None:
    post(slack, "a\x00b", blocks=[section("a\x00b")])
    assert page.messages()[-1]["text"] == "a\u2400b"
