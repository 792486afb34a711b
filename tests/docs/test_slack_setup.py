"""Whoever follows the README from the manifest to an installed app has named every setting."""

from __future__ import annotations

import os
import re
import textwrap
from dataclasses import fields
from typing import Any

import pytest
import yaml

from bot.conf import Settings
from tests.docs.pages import ROOT

SECTION = re.split(
    r"^## ",
    (ROOT / "README.md").read_text().split("## From manifest.yml to an installed app in Slack")[1],
    flags=re.MULTILINE,
)[0]
ROWS = dict(re.findall(r"^   \| `([A-Z_]+)` \| `(\w+)` \|", SECTION, re.MULTILINE))
LEFT_ALONE = {"slack_api_url", "slack_timeout", "slack_modal_timeout"}
"""Keys whose defaults fit everybody who is on slack.com."""


def test_every_setting_of_slack_is_named() -> None:
    keys = {one.name for one in fields(Settings) if one.name.startswith("slack_")}
    assert keys - LEFT_ALONE == (set(ROWS.values()) - {"public_url"}) | {"slack_app_token"}
    assert "`SLACK_APP_TOKEN` (`slack_app_token`" in SECTION


@pytest.mark.parametrize(("name", "key"), ROWS.items())
def test_the_environments_name_is_the_key_in_capitals(name: str, key: str) -> None:
    assert name == key.upper()


def test_the_settings_of_ones_own_project_are_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    [code] = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
    monkeypatch.setenv("SLACK_CHANNEL", "C0MIGRATIONS")
    found: dict[str, Any] = {"MIGRATION_BOT": {}, "os": os}
    exec(textwrap.dedent(code), found)
    settings = Settings(**found["MIGRATION_BOT"])
    assert settings.slack_channel == "C0MIGRATIONS"
    assert set(found["MIGRATION_BOT"]) <= set(ROWS.values())


def test_what_is_said_of_the_manifest_is_so() -> None:
    text = (ROOT / "manifest.yml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert sum("https://example.com" in line for line in lines) == 3
    assert "in three places" in SECTION
    manifest = yaml.safe_load(text)
    assert len(manifest["oauth_config"]["scopes"]["bot"]) == 7
    assert len(manifest["settings"]["event_subscriptions"]["bot_events"]) == 1
    assert "seven scopes and one event" in SECTION
