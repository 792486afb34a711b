"""The stand-in's own ids, in the shapes that Slack's have."""

from __future__ import annotations

from bot.nearby import SANDBOX_TOKEN

TEAM = "T0SANDBOX"
DOMAIN = "sandbox"
PARTNER_TEAM = "T0PARTNER"
"""Another workspace, which shares the channel (Slack Connect)."""

APP = "A0SANDBOX"
BOT_USER = "U0SANDBOXBOT"
BOT_ID = "B0SANDBOX"
BOT_NAME = "Migration bot"

CHANNEL = "C0MIGRATIONS"
ELSEWHERE = "C0GENERAL"
"""A channel that the bot has not been invited to."""

TOKEN_PREFIX = SANDBOX_TOKEN

SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "users:read.email",
    "files:write",
    "channels:history",
    "groups:history",
)
"""What the bot was granted; a test holds it against the manifest."""


def im_of(user: str) -> str:
    """The id of the direct messages between the bot and this person."""
    return f"D{user[1:]}"
