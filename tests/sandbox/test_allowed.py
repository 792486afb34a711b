"""In the sandbox one acts as anybody: it must not run, and must not answer, where it could harm."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from bot.nearby import is_loopback
from bot.sandbox import checks, names
from tests.project import ProjectFactory
from tests.sandbox.conftest import HOST, Page, browser

PATHS = [
    *["/sandbox/", "/sandbox/state", "/sandbox/commands", "/sandbox/assets/page.js"],
    *["/sandbox/api/auth.test", "/sandbox/response/x", "/sandbox/upload/x", "/sandbox/file/x"],
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "request_",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "2001:db8::1"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_FORWARDED_PROTO": "https"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_FORWARDED": "for=127.0.0.1"},
        {"HTTP_VIA": "1.1 proxy"},
        {"SERVER_PROTOCOL": "HTTP/1.0"},
        {"HTTP_HOST": "testserver"},
    ],
)
def test_nobody_from_elsewhere_is_answered(
    site: dict[str, Any], path: str, request_: dict[str, str]
) -> None:
    assert browser().post(path, **request_).status_code == 403  # type: ignore[arg-type]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_is_answered_where_debug_is_off_and_no_setting_allows_it(
    site: dict[str, Any], settings: Settings, path: str
) -> None:
    settings.MIGRATION_BOT = site
    assert browser().get(path).status_code == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "real",
    [
        {"slack_bot_token": "xoxb-1-2-real"},
        {"slack_bot_token": ""},
        {"slack_team_id": "T0REAL"},
        {"slack_signing_secret": ""},
        {"slack_api_url": "https://slack.com/api/"},
        {"slack_api_url": "http://example.com/sandbox/api/"},
    ],
)
def test_it_never_speaks_for_a_real_slack(
    site: dict[str, Any], settings: Settings, path: str, real: dict[str, str]
) -> None:
    settings.MIGRATION_BOT = {**site, "sandbox": True, **real}
    assert browser().get(path).status_code == 403


def test_whoever_sits_at_this_machine_is_answered(site: dict[str, Any]) -> None:
    assert browser().get("/sandbox/").status_code == 200
    assert Client(headers={"host": "localhost:8000"}).get("/sandbox/").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"x-sandbox": "1", "origin": "http://127.0.0.1:9"}])
def test_another_sites_page_cannot_press_buttons(page: Page, headers: dict[str, str]) -> None:
    wish = {"as": page.me, "do": "speak", "channel": names.CHANNEL, "text": "hello"}
    headers = {"host": HOST, **headers}
    response = browser().post("/sandbox/do", wish, content_type="application/json", headers=headers)
    assert response.status_code == 403
    assert all(one["text"] != "hello" for one in page.messages())


@pytest.mark.parametrize(
    ("host", "here"),
    [
        *[("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("[::1]", True)],
        *[("::ffff:127.0.0.1", True), ("localhost", True), ("127.0.0.1.example.com", False)],
        *[("10.0.0.1", False), ("0.0.0.0", False), ("", False), ("::ffff:10.0.0.1", False)],
    ],
)
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_e001_says_that_it_may_not_run(settings: Settings) -> None:
    settings.MIGRATION_BOT = {}
    (found,) = checks.check()
    assert found.id == "migration_bot_sandbox.E001"
    assert found.msg == (
        "The sandbox lets one act as anybody, so it runs only while DEBUG is on or "
        'MIGRATION_BOT has "sandbox": True.'
    )


def test_w001_says_that_nothing_speaks_to_it(settings: Settings) -> None:
    settings.MIGRATION_BOT = {"sandbox": True}
    (found,) = checks.check()
    assert found.id == "migration_bot_sandbox.W001"
    assert "sandbox_settings(SECRET_KEY" in (found.hint or "")


def test_with_its_own_settings_there_is_nothing_to_say(site: dict[str, Any]) -> None:
    assert checks.check() == []


def test_the_app_refuses_to_start(settings: Settings) -> None:
    settings.MIGRATION_BOT = {}
    with pytest.raises(ImproperlyConfigured, match="act as anybody"):
        apps.get_app_config("migration_bot_sandbox").ready()


def test_a_project_with_it_does_not_start_without_debug(
    project: ProjectFactory, new_database: Any
) -> None:
    shop = project(
        database_url=new_database("sqlite"), settings='INSTALLED_APPS += ["bot.sandbox"]'
    )
    done: subprocess.CompletedProcess[str] = shop.manage("check", check=False)
    assert done.returncode != 0
    assert 'Remove "bot.sandbox" from INSTALLED_APPS.' in done.stderr
