"""``socket``: take Slack's requests over Socket Mode, for a site that Slack cannot reach."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bot.conf import get_settings
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.route.refusals import SocketNeedsToken


def arguments(parser: ArgumentParser) -> None:
    """It takes none: the settings hold the tokens."""


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    settings = get_settings()
    if not settings.slack_app_token or not settings.slack_bot_token:
        raise SocketNeedsToken()
    from bot.slack.bolt import run_socket

    desk.say("Taking Slack's requests over Socket Mode, until interrupted.")
    run_socket()
    return Exit.FINE
