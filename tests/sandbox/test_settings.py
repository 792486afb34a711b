"""Secrets that every process of a site agrees on, and nobody else."""

from __future__ import annotations

from bot.conf import KEYS
from bot.sandbox.settings import sandbox_settings


def test_the_same_key_gives_the_same_secrets_and_another_key_others() -> None:
    one, same, other = (sandbox_settings(key) for key in ("a", "a", "b"))
    assert one == same
    for name in ("slack_bot_token", "slack_signing_secret"):
        assert one[name] != other[name]
    assert one["slack_bot_token"].removeprefix("xoxb-sandbox-") != one["slack_signing_secret"]


def test_every_key_is_a_setting_of_the_bot() -> None:
    assert set(sandbox_settings("a")) <= set(KEYS)


def test_the_addresses_follow_the_port_and_the_prefix() -> None:
    values = sandbox_settings("a", port=9000, prefix="/bot")
    assert values["slack_api_url"] == "http://127.0.0.1:9000/bot/sandbox/api/"
    assert values["public_url"] == "http://127.0.0.1:9000"
