"""What the sample site makes of its environment."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from django.core.exceptions import ImproperlyConfigured

from bot.conf import Settings
from django_site.environment import boolean, bot_settings, databases, parse

HERE = Path("/srv/site")


def test_without_a_word_the_site_and_the_bot_each_have_an_sqlite_file() -> None:
    found = databases({}, HERE)
    assert found["default"]["NAME"] == "/srv/site/site.sqlite3"
    assert found["state"]["NAME"] == "/srv/site/site-bot.sqlite3"


def test_an_sqlite_file_elsewhere_has_the_bots_file_beside_it() -> None:
    found = databases({"DATABASE_URL": "sqlite:////var/lib/shop.db"}, HERE)
    assert found["state"]["NAME"] == "/var/lib/shop-bot.db"


@pytest.mark.parametrize("url", ["postgresql://u@h:5432/shop", "mysql://u@h/shop"])
def test_a_server_keeps_the_bots_tables_in_the_sites_own_database(url: str) -> None:
    assert list(databases({"DATABASE_URL": url}, HERE)) == ["default"]


def test_the_bots_tables_go_where_the_environment_says() -> None:
    found = databases(
        {"DATABASE_URL": "mysql://u@h/shop", "STATE_DATABASE_URL": "postgresql://u@h/bot"}, HERE
    )
    assert found["state"]["ENGINE"] == "django.db.backends.postgresql"


def test_one_database_named_twice_is_one_alias() -> None:
    url = "postgresql://u@h:5432/shop"
    found = databases({"DATABASE_URL": url, "STATE_DATABASE_URL": url}, HERE)
    assert list(found) == ["default"]


def test_an_unreadable_url_is_refused_without_repeating_its_password() -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL") as refused:
        databases({"DATABASE_URL": "postgrs://u:hunter2@h/shop"}, HERE)
    assert "hunter2" not in str(refused.value)


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={one}" for key, one in value.items())
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)


def test_every_key_comes_back_from_its_text() -> None:
    defaults = asdict(Settings())
    environ = {f"MIGRATION_BOT_{key.upper()}": _as_text(one) for key, one in defaults.items()}
    assert bot_settings(environ) == defaults


def test_every_type_of_a_setting_can_be_read() -> None:
    kinds = set(map(str, get_type_hints(Settings).values()))
    for kind in get_type_hints(Settings).values():
        text = "1" if kind in (int, float, bool) else ""
        parse("MIGRATION_BOT_X", text, kind)
    assert kinds


def test_release_and_public_url_go_without_the_prefix() -> None:
    found = bot_settings({"RELEASE": "abc123", "PUBLIC_URL": "https://shop.example.com"})
    assert found == {"release": "abc123", "public_url": "https://shop.example.com"}


def test_the_name_with_the_prefix_wins() -> None:
    assert bot_settings({"RELEASE": "a", "MIGRATION_BOT_RELEASE": "b"}) == {"release": "b"}


def test_lists_and_dicts_are_read_from_text() -> None:
    found = bot_settings(
        {
            "MIGRATION_BOT_DATABASES": "default, replica",
            "MIGRATION_BOT_APPROVALS": "safe=1, dangerous=3",
        }
    )
    assert found == {
        "databases": ("default", "replica"),
        "approvals": {"safe": 1, "dangerous": 3},
    }
    assert bot_settings({"MIGRATION_BOT_APPROVALS": '{"caution": 2}'}) == {
        "approvals": {"caution": 2}
    }


def test_a_misspelt_safeguard_stops_the_start_and_names_the_right_one() -> None:
    with pytest.raises(ImproperlyConfigured, match="Did you mean MIGRATION_BOT_SELF_APPROVAL"):
        bot_settings({"MIGRATION_BOT_SELF_APROVAL": "0"})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MIGRATION_BOT_LOCK_TIMEOUT", "five"),
        ("MIGRATION_BOT_LOCK_RETRIES", "1.5"),
        ("MIGRATION_BOT_SELF_APPROVAL", "maybe"),
        ("MIGRATION_BOT_APPROVALS", "dangerous"),
        ("MIGRATION_BOT_APPROVALS", "{no json"),
    ],
)
def test_a_value_of_another_type_stops_the_start(name: str, text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=name):
        bot_settings({name: text})


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("off", False), ("", 0)])
def test_yes_and_no_are_read_as_people_write_them(text: str, value: bool) -> None:
    assert boolean("DEBUG", text) == value
