"""Settings are of the right type everywhere, also in a process that runs no checks."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from bot.checks import check_all
from bot.conf import Settings, get_settings

KINDS = get_type_hints(Settings)
SWITCHES = [one.name for one in fields(Settings) if KINDS[one.name] in (bool, bool | None)]


@pytest.mark.parametrize("value", ["False", "0", "off", "", 0, 1, [], "True"])
@pytest.mark.parametrize("key", SWITCHES)
def test_what_only_looks_like_a_switch_switches_nothing(key: str, value: object) -> None:
    with (
        override_settings(MIGRATION_BOT={key: value}),
        pytest.raises(ImproperlyConfigured, match=f'MIGRATION_BOT."{key}". is a '),
    ):
        get_settings()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("lease", "30"), ("lease", None), ("lock_retries", 1.5), ("lock_timeout", True)],
        *[("databases", "default"), ("databases", [1]), ("approvals", [1, 2])],
        *[("rehearsal_databases", {"default": ["a"]}), ("data_check_databases", {1: "a"})],
        *[("slack_team_id", None), ("slack_bot_token", b"xoxb"), ("release", 3)],
    ],
)
def test_the_words_are_those_of_the_check(key: str, value: object) -> None:
    with override_settings(MIGRATION_BOT={key: value}):
        (found,) = check_all()
        with pytest.raises(ImproperlyConfigured) as raised:
            get_settings()
    assert str(raised.value) == found.msg


@pytest.mark.parametrize("number", [0, -1, "1", True, None, 1.0])
def test_no_plan_runs_unapproved_for_a_number_that_is_none(number: object) -> None:
    with (
        override_settings(MIGRATION_BOT={"approvals": {"dangerous": number}}),
        pytest.raises(ImproperlyConfigured, match="whole numbers from 1"),
    ):
        get_settings()


@pytest.mark.parametrize("level", ["terrible", "Safe", ""])
def test_a_risk_that_nobody_knows_is_told_at_once_and_not_where_a_plan_needs_approvals(
    level: str,
) -> None:
    with (
        override_settings(MIGRATION_BOT={"approvals": {level: 2}}),
        pytest.raises(ImproperlyConfigured, match="for safe, caution or dangerous"),
    ):
        get_settings()


@pytest.mark.parametrize("given", [None, [], "self_approval", 1])
def test_what_is_no_dictionary_is_told(given: Any) -> None:
    with (
        override_settings(MIGRATION_BOT=given),
        pytest.raises(ImproperlyConfigured, match="not a dictionary"),
    ):
        get_settings()


def test_a_whole_number_is_a_number_and_a_list_is_a_tuple() -> None:
    with override_settings(MIGRATION_BOT={"lease": 30, "databases": ["default"]}):
        assert get_settings().databases == ("default",)


def test_secrets_stand_in_no_repr() -> None:
    secrets = {
        one.name: f"hidden-{one.name}"
        for one in fields(Settings)
        if one.name.endswith(("token", "secret"))
    }
    assert len(secrets) == 3
    with override_settings(MIGRATION_BOT=secrets):
        shown = repr(get_settings())
    assert "hidden" not in shown
    assert "lease=30.0" in shown
