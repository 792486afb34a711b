"""manifest.yml against the code: every command, every API method's scope, every event."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.slack import asking
from bot.slack.bolt import get_app
from bot.slack.commands import ROWS, SLASH

ROOT = Path(__file__).resolve().parents[2]

SCOPES: dict[str, set[str]] = {
    "auth_test": set(),
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "conversations_history": {"channels:history", "groups:history"},
    "conversations_replies": {"channels:history", "groups:history"},
    "files_upload_v2": {"files:write"},
    "users_info": {"users:read", "users:read.email"},
    "views_open": set(),
    "views_publish": set(),
}
"""The scopes of each method we call, as Slack documents them."""


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "manifest.yml").read_text())
    return found


def methods_called() -> set[str]:
    """Every method of Slack's client that a call in ``bot/slack`` names."""
    called = set()
    for path in (ROOT / "bot" / "slack").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called.add(node.func.attr)
    prefixes = ("auth_", "chat_", "conversations_", "files_", "users_", "views_", "reactions_")
    return {name for name in called if name.startswith(prefixes)}


def test_every_method_we_call_is_in_the_table_above() -> None:
    assert methods_called() == set(SCOPES)


def test_the_scopes_are_what_the_methods_need_and_nothing_more(manifest: dict[str, Any]) -> None:
    needed = {"commands"}.union(*SCOPES.values())
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == needed
    assert "user" not in manifest["oauth_config"]["scopes"]


def test_doctor_asks_for_the_same_scopes(manifest: dict[str, Any]) -> None:
    held = set(manifest["oauth_config"]["scopes"]["bot"])
    assert held == asking.SCOPES | asking.WANTED


def test_the_slash_command_and_its_hint_name_what_there_is(manifest: dict[str, Any]) -> None:
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == SLASH
    hinted = set(command["usage_hint"].split(" | "))
    assert hinted <= {row.name for row in ROWS}
    assert {"help", "plan", "apply", "status"} <= hinted
    assert command["should_escape"] is False


def test_every_event_we_listen_to_is_subscribed_and_no_other(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    assert manifest["features"]["app_home"]["home_tab_enabled"] is True
    assert len(get_app()._listeners) == 4, "a command, buttons, modals and one event"


def test_everything_comes_to_one_address_over_tls(manifest: dict[str, Any]) -> None:
    settings = manifest["settings"]
    urls = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        *(command["url"] for command in manifest["features"]["slash_commands"]),
    }
    assert urls == {"https://example.com/slack/events"}
    assert settings["interactivity"]["is_enabled"] is True


def test_there_is_a_bot_user_and_the_texts_fit(manifest: dict[str, Any]) -> None:
    shown = manifest["display_information"]
    assert manifest["features"]["bot_user"]["display_name"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
    (command,) = manifest["features"]["slash_commands"]
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000


def test_tokens_do_not_rotate_for_the_bot_does_not_renew_them(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["token_rotation_enabled"] is False
