"""System checks: what is misconfigured, found at start, with a remedy. None asks a database.

Their tag is ``migration_bot``: ``manage.py check --tag migration_bot``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, register

from bot.checks.databases import check_databases
from bot.checks.engine import check_engine
from bot.checks.rows import ROWS
from bot.checks.values import check_values

TAG = "migration_bot"


def check_all(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that is wrong with the bot's configuration."""
    found = list(check_values())
    if not any(message.is_serious() for message in found):
        # With values of a wrong type the rest would stumble over them.
        found += [*check_databases(), *check_engine(), *_check_apps()]
    return found


def _check_apps() -> Iterator[CheckMessage]:
    for app in ("django.contrib.auth", "django.contrib.contenttypes"):
        if not apps.is_installed(app):
            yield ROWS["E030"].found(app=app)


def connect() -> None:
    """Register the checks; once, from ``ready()``."""
    register(check_all, TAG)
