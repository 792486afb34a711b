"""Opening a form: the one thing that Slack has to be called for at once, as a trigger lives 3 s."""

from __future__ import annotations

import logging

from slack_sdk.errors import SlackClientError

from bot.conf import get_settings
from bot.slack.calls import Call
from bot.slack.replies import Reply

logger = logging.getLogger("migration_bot.slack")


def opened(call: Call, reply: Reply) -> bool:
    """Open the reply's modal; whether it is open now."""
    from bot.slack.client import get_client

    try:
        client = get_client(timeout=get_settings().slack_modal_timeout)
        client.views_open(trigger_id=call.trigger, view=reply.modal or {})
    except (SlackClientError, OSError) as error:
        logger.warning("a modal could not be opened: %s", type(error).__name__)
        return False
    return True
