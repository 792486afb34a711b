"""What a project merges into ``MIGRATION_BOT`` to talk to the sandbox instead of Slack."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from bot.sandbox import names


def sandbox_settings(secret_key: str, *, port: int = 8000, prefix: str = "") -> dict[str, Any]:
    """The keys of ``MIGRATION_BOT`` under which the bot takes the sandbox for Slack.

    Call it in your settings with your ``SECRET_KEY``: token and signing secret are derived from it,
    so every process of the site has the same and nobody else can compute them. ``port`` is where
    the site itself listens; ``prefix`` is what stands before ``/sandbox/`` in your addresses.

        MIGRATION_BOT = {**sandbox_settings(SECRET_KEY, port=8000)}
    """
    site = f"http://127.0.0.1:{port}"
    return {
        "slack_bot_token": names.TOKEN_PREFIX + _derive(secret_key, "token"),
        "slack_signing_secret": _derive(secret_key, "signing secret"),
        "slack_team_id": names.TEAM,
        "slack_app_id": names.APP,
        "slack_channel": names.CHANNEL,
        "slack_api_url": f"{site}{prefix}/sandbox/api/",
        "public_url": site,
    }


def _derive(secret_key: str, what: str) -> str:
    return hmac.new(
        secret_key.encode(), f"migration_bot.sandbox {what}".encode(), hashlib.sha256
    ).hexdigest()[:32]
