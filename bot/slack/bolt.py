"""The Bolt app: built when the first request comes, without a secret or a network call.

``process_before_response=True``: listeners run in the request's own thread, so that five slow ones
cannot starve the sixth command (facts: measured). It verifies nothing itself; ``door`` did, and
Socket Mode needs none. ``authorize`` is our own, so that no ``auth.test`` is called.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult

from bot.conf import get_settings
from bot.moment import utc_now
from bot.slack.envelope import NotOurs, check_envelope
from bot.slack.strangers import record_stranger

logger = logging.getLogger("migration_bot.slack")

FORWARDED = ("content-type",)
"""The only headers that Bolt gets to see: its lazy headers must not come from outside."""


def _authorize(**_: Any) -> AuthorizeResult:
    settings = get_settings()
    return AuthorizeResult(
        enterprise_id=settings.slack_enterprise_id or None,
        team_id=settings.slack_team_id,
        bot_token=settings.slack_bot_token or "xoxb-none",
        bot_id="B0",
        bot_user_id="U0",
    )


BOLT = logging.getLogger("migration_bot.slack.bolt")
"""Bolt's own words; its loggers take level, handlers and filters from this one."""


def _worth_saying(record: logging.LogRecord) -> bool:
    """Bolt warns that a token in the environment is ignored: it is, and it reaches the client."""
    return "SLACK_BOT_TOKEN env variable" not in record.getMessage()


BOLT.addFilter(_worth_saying)

_building = threading.Lock()


def get_app() -> App:
    """The app with its listeners; one a process, however many threads ask first."""
    with _building:
        return _app()


@lru_cache(maxsize=1)
def _app() -> App:
    from bot.slack.listeners import register

    app = App(
        logger=BOLT,
        process_before_response=True,
        request_verification_enabled=False,
        token_verification_enabled=False,
        authorize=_authorize,
        ignoring_self_events_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )

    @app.middleware
    def ours_only(body: dict[str, Any], next: Any) -> Any:
        """Socket Mode comes past the door, so whose it is, is asked here too."""
        try:
            check_envelope(body)
        except NotOurs as other:
            logger.warning("a request was refused: it is for %s", other)
            record_stranger(body, other, now=utc_now())
            return BoltResponse(status=403)
        return next()

    register(app)
    return app


def dispatch(body: str, request: HttpRequest) -> HttpResponse:
    """Hand a verified body to Bolt and give Slack its answer."""
    headers: dict[str, str | Sequence[str]] = {
        name: request.headers.get(name, "") for name in FORWARDED
    }
    answer = get_app().dispatch(BoltRequest(body=body, headers=headers))
    response = HttpResponse(content=answer.body.encode("utf-8"), status=answer.status)
    for name, value in answer.first_headers_without_set_cookie().items():
        response[name] = value
    return response


def run_socket() -> None:
    """Take requests over Socket Mode until interrupted; ``manage.py migration_bot socket``."""
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    SocketModeHandler(get_app(), get_settings().slack_app_token).start()  # type: ignore[no-untyped-call]
