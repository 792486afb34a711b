"""The bot's tables stay in the state database, and others stay out of one that is its own."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings

from bot.conf import OWN_LABELS
from bot.models import Decision, Run
from bot.routers import StateRouter


@pytest.fixture
def router(settings: Settings) -> StateRouter:
    settings.MIGRATION_BOT = {"state_database": "state"}
    return StateRouter()


def test_the_bots_models_are_read_and_written_in_the_state_database(router: StateRouter) -> None:
    assert router.db_for_read(Run) == router.db_for_write(Run) == "state"


def test_other_models_are_left_to_other_routers(router: StateRouter) -> None:
    assert router.db_for_read(User) is router.db_for_write(User) is None


@pytest.mark.parametrize("label", OWN_LABELS)
def test_the_bots_tables_are_made_in_the_state_database_alone(
    router: StateRouter, label: str
) -> None:
    assert router.allow_migrate("state", label) is True
    assert router.allow_migrate("default", label) is False


def test_no_other_table_is_made_in_a_state_database_of_its_own(router: StateRouter) -> None:
    assert router.allow_migrate("state", "auth") is False
    assert router.allow_migrate("default", "auth") is None


def test_a_state_database_that_is_migrated_too_is_shared(settings: Settings) -> None:
    settings.MIGRATION_BOT = {"state_database": "state", "databases": ["default", "state"]}
    assert StateRouter().allow_migrate("state", "auth") is None


def test_by_default_it_changes_nothing_for_others(settings: Settings) -> None:
    settings.MIGRATION_BOT = {}
    assert StateRouter().allow_migrate("default", "auth") is None
    assert StateRouter().allow_migrate("default", "migration_bot") is True
    assert StateRouter().allow_migrate("replica", "migration_bot") is False


def test_the_bots_rows_and_the_hosts_cannot_be_related(router: StateRouter) -> None:
    assert router.allow_relation(Run(), User()) is False
    assert router.allow_relation(Run(), Decision()) is None
    assert router.allow_relation(User(), User()) is None
