"""A site of which everything is in "target", and that has changed nothing about who may what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from bot.operations import plain_accounts
from tests.replay import made_once

ROUTER = f"{__name__}.Everything"


class Everything:
    """Sends every table to "target", so that users and the bot's rows are in one real database."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "target"

    db_for_write = db_for_read

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return True


def migrate(database: str, *apps: str) -> None:
    for app in apps:
        call_command("migrate", app, database=database, verbosity=0)


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
