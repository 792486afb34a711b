"""The sandbox without a network: Slack's own client in front of it, a stand-in app behind it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import Message as Headers
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request

import pytest
import requests
import responses
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings
from slack_sdk import WebClient
from slack_sdk.web.file_upload_v2_result import FileUploadV2Result

from bot.moment import utc_now
from bot.sandbox import people
from bot.sandbox.settings import sandbox_settings

HOST = "127.0.0.1:8000"
EVENTS = f"http://{HOST}/slack/events"


def browser() -> Client:
    """A client on this very machine, as the sandbox wants it."""
    return Client(headers={"host": HOST})


class InProcess(WebClient):
    """Slack's client, its encoding untouched, whose requests end in Django's test client."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        parts = urlsplit(url)
        headers = {name.lower(): value for name, value in req.header_items()}
        response = browser().generic(
            "POST",
            parts.path + (f"?{parts.query}" if parts.query else ""),
            req.data or b"",
            content_type=headers.pop("content-type", ""),
            headers={"host": HOST, **headers},
        )
        found = Headers()
        for name, value in response.items():
            found[name] = value
        if response.status_code >= 400:
            body = io.BytesIO(response.content)
            raise HTTPError(url, response.status_code, "", found, body)
        return {
            "status": response.status_code,
            "headers": found,
            "body": response.content.decode(),
        }

    def _upload_file(self, *, url: str, data: bytes, **rest: Any) -> FileUploadV2Result:
        response = browser().post(urlsplit(url).path, data, content_type="application/octet-stream")
        return FileUploadV2Result(status=response.status_code, body=response.content.decode())


@pytest.fixture
def site(settings: Settings, db: None) -> dict[str, Any]:
    """The settings of a site whose Slack is the sandbox, with three accounts in it."""
    values = sandbox_settings("only for tests", port=8000)
    settings.MIGRATION_BOT = {**values, "sandbox": True}
    robin = User.objects.create_user("robin", is_staff=True)
    ada = User.objects.create_user("ada", is_staff=True)
    User.objects.create_user("kim")
    for user, name in ((robin, "request_run"), (ada, "approve_run")):
        user.user_permissions.add(Permission.objects.get(codename=name))
    people.settle(now=utc_now())
    return values


@pytest.fixture
def slack(site: dict[str, Any]) -> WebClient:
    """Slack's client, as the bot has it."""
    return InProcess(token=site["slack_bot_token"], base_url=site["slack_api_url"])


@pytest.fixture
def robin(site: dict[str, Any]) -> str:
    return people.id_of(str(User.objects.get(username="robin").pk))


@pytest.fixture
def ada(site: dict[str, Any]) -> str:
    return people.id_of(str(User.objects.get(username="ada").pk))


@dataclass
class App:
    """What the sandbox asked the app, and what the app answers."""

    asked: list[requests.PreparedRequest] = field(default_factory=list)
    answer: Callable[[requests.PreparedRequest], tuple[int, str]] = lambda request: (200, "")

    @property
    def bodies(self) -> list[str]:
        return [_text(request.body) for request in self.asked]

    def form(self) -> dict[str, str]:
        """The newest request's form."""
        return {key: value[0] for key, value in parse_qs(self.bodies[-1]).items()}

    def payload(self) -> dict[str, Any]:
        """The newest request's interaction."""
        found: dict[str, Any] = json.loads(self.form()["payload"])
        return found


def _text(body: Any) -> str:
    return body.decode() if isinstance(body, bytes) else str(body)


@pytest.fixture
def app(site: dict[str, Any]) -> Iterator[App]:
    made = App()

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        made.asked.append(request)
        status, body = made.answer(request)
        return status, {}, body

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.POST, EVENTS, callback=answer)
        yield made


class Page:
    """The browser's side: what a person does and sees."""

    def __init__(self, me: str) -> None:
        self.me = me

    def do(self, what: str, **more: Any) -> dict[str, Any]:
        """Do it; the answer as JSON."""
        found: dict[str, Any] = (
            browser()
            .post(
                "/sandbox/do",
                {"as": self.me, "do": what, **more},
                content_type="application/json",
                headers={"host": HOST, "x-sandbox": "1"},
            )
            .json()
        )
        return found

    def say(self, text: str, channel: str = "C0MIGRATIONS", **more: Any) -> dict[str, Any]:
        return self.do("speak", text=text, channel=channel, **more)

    def see(self) -> dict[str, Any]:
        found: dict[str, Any] = browser().get("/sandbox/state", {"as": self.me}).json()
        return found

    def messages(self, channel: str = "C0MIGRATIONS") -> list[dict[str, Any]]:
        return [one for one in self.see()["messages"] if one["channel"] == channel]


@pytest.fixture
def page(robin: str) -> Page:
    """Robin in front of the browser."""
    return Page(robin)


def button(action_id: str = "migration_bot.show", **more: Any) -> dict[str, Any]:
    """An actions block with one button."""
    text = {"type": "plain_text", "text": "Show"}
    element = {"type": "button", "action_id": action_id, "text": text, "value": "12", **more}
    return {"type": "actions", "block_id": "act", "elements": [element]}


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": "migration_bot.test",
        "title": {"type": "plain_text", "text": "Test"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": list(blocks) or [section("Hello")],
        **more,
    }


def text_input(**more: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "migration_bot.reason", **more}
    label = {"type": "plain_text", "text": "Why?"}
    return {"type": "input", "block_id": "reason", "label": label, "element": element}
