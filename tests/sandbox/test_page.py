"""The page's own addresses: what they give, and what they do not."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox import names
from bot.sandbox.models import Fault, Message
from bot.slack.commands import ROWS
from tests.sandbox.api.calls import post
from tests.sandbox.conftest import HOST, Page, browser


def test_the_page_allows_no_script_but_its_own_files(site: dict[str, Any]) -> None:
    response = browser().get("/sandbox/")
    policy = response["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    body = response.content.decode()
    assert "onclick" not in body
    assert "style=" not in body
    assert body.count("<script") == body.count('<script type="module" src="/sandbox/assets/')


@pytest.mark.parametrize("name", ["page.js", "mrkdwn.js", "sandbox.css", "icon.svg"])
def test_its_files_are_served_without_a_step_to_forget(site: dict[str, Any], name: str) -> None:
    response = browser().get(f"/sandbox/assets/{name}")
    assert response.status_code == 200
    assert b"".join(response.streaming_content)  # type: ignore[attr-defined]
    response.close()


@pytest.mark.parametrize(
    "name", ["..%2fpage.py", "..%2f..%2fconf.py", "page.py", "", "%2fetc%2fpasswd"]
)
def test_no_other_file_is_served(site: dict[str, Any], name: str) -> None:
    assert browser().get(f"/sandbox/assets/{name}").status_code == 404


def test_the_commands_are_those_of_the_help(site: dict[str, Any]) -> None:
    found = browser().get("/sandbox/commands").json()
    assert found["command"] == "/migrate"
    assert [row["name"] for row in found["rows"]] == [row.name for row in ROWS]
    assert "auth" in found["apps"]
    assert not {"migration_bot", "migration_bot_sandbox"} & set(found["apps"])


def test_when_nothing_changed_next_to_nothing_is_sent(page: Page) -> None:
    seen = page.see()
    again = browser().get("/sandbox/state", {"as": page.me, "since": seen["revision"]})
    assert again.json() == {"revision": seen["revision"]}


def test_metadata_and_tokens_are_not_shown(page: Page, slack: WebClient) -> None:
    post(slack, metadata={"event_type": "t", "event_payload": {"secret": "x"}})
    text = browser().get("/sandbox/state", {"as": page.me}).content.decode()
    assert "event_payload" not in text
    assert str(slack.token) not in text


def test_an_ephemeral_message_can_be_dismissed_by_its_reader_alone(
    page: Page, slack: WebClient, robin: str, ada: str
) -> None:
    sent = slack.chat_postEphemeral(channel=names.CHANNEL, user=robin, text="psst")
    wish = {"channel": names.CHANNEL, "ts": sent["message_ts"]}
    Page(ada).do("dismiss", **wish)
    assert Message.objects.filter(text="psst").exists()
    page.do("dismiss", **wish)
    assert not Message.objects.filter(text="psst").exists()


def test_a_bad_day_can_be_had_and_ended(page: Page) -> None:
    page.do("trouble", kind="broken", times=20)
    assert page.see()["trouble"] == [{"kind": "broken", "method": "*", "remaining": 20}]
    page.do("trouble", kind="", times=0)
    assert not Fault.objects.exists()


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param("[" * 100_000, id="deep"),
        *["nonsense", "[]", "{}", '{"as": "U0GUEST"}', '{"as": "U0GUEST", "do": "shout"}'],
        *['{"as": "U0WHO", "do": "home"}', '{"as": "U0SANDBOXBOT", "do": "home"}'],
        '{"as": "U0GUEST", "do": "speak", "channel": "C0NOWHERE", "text": "x"}',
        '{"as": "U0GUEST", "do": "press", "channel": "C0MIGRATIONS", "ts": "1.0"}',
        '{"as": "U0GUEST", "do": "submit", "view": ""}',
    ],
)
def test_nonsense_is_told_from_a_fault(site: dict[str, Any], wish: str) -> None:
    headers = {"host": HOST, "x-sandbox": "1"}
    response = browser().post("/sandbox/do", wish, content_type="application/json", headers=headers)
    assert response.status_code in (400, 404)
    assert response.json()["error"]


def test_direct_messages_of_others_are_not_to_be_seen_or_spoken_in(
    page: Page, slack: WebClient, ada: str
) -> None:
    slack.chat_postMessage(channel=ada, text="for ada alone")
    assert "for ada alone" not in str(page.see())
    assert page.say("hello", channel=names.im_of(ada))["error"]
