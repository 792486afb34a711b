"""What is wrong with a project's use of the sandbox, said at start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core import checks

from bot.sandbox.allowed import why_not, why_not_this_slack

TAG = "migration_bot_sandbox"


def register() -> None:
    """Called from ``ready()``."""
    checks.register(check, TAG)


def check(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """E001: it must not run here. W001: it runs, and nothing talks to it."""
    if because := why_not():
        return [
            checks.Error(
                because,
                hint='Remove "bot.sandbox" from INSTALLED_APPS.',
                id="migration_bot_sandbox.E001",
            )
        ]
    if because := why_not_this_slack():
        return [
            checks.Warning(
                f"The sandbox is shut. {because}",
                hint="Merge bot.sandbox.settings.sandbox_settings(SECRET_KEY, port=8000) into "
                'MIGRATION_BOT, or remove "bot.sandbox" from INSTALLED_APPS.',
                id="migration_bot_sandbox.W001",
            )
        ]
    return []
