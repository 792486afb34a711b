"""A site of which everything is in "target", and that has changed nothing about who may what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import override_settings

from bot.operations import plain_accounts
from tests.operations.test_at_the_same_moment import migrate
from tests.replay import made_once

ROUTER = "tests.operations.test_at_the_same_moment.Everything"


@contextmanager
def plain_site(
    target: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> Iterator[None]:
    """It has the bot's tables, the accounts and the embedded engine's."""
    monkeypatch.setattr(plain_accounts, "DEFAULT_DB_ALIAS", target)
    monkeypatch.setattr(plain_accounts, "ROUTERS", frozenset({ROUTER}))
    with override_settings(
        MIGRATION_BOT={**settings, "state_database": target, "databases": (target,)},
        DATABASE_ROUTERS=[ROUTER],
    ):
        apps = ("contenttypes", "auth", "migration_bot", "django_tasks_database")
        name = "plain site with Slack" if settings else "plain site"
        made_once(name, target, scratch_url, lambda: migrate(target, *apps))
        yield
