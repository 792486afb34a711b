"""The Bolt app: built when the first request comes, without a secret or a network call.

``process_before_response=True``: listeners run in the request's own thread, so that five slow ones
cannot starve the sixth command (facts: measured). It verifies nothing itself; ``door`` did, and
Socket Mode needs none. ``authorize`` is our own, so that no ``auth.test`` is called.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.db import close_old_connections
from django.http import HttpResponse
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware import Middleware

from bot.conf import get_settings
from bot.moment import utc_now
from bot.slack.entrance import STAMP, Stamp
from bot.slack.envelope import NotOurs, check_envelope
from bot.slack.strangers import record_stranger

logger = logging.getLogger("migration_bot.slack")


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
        ssl_check_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.use(OursOnly())
    register(app)
    return app


class OursOnly(Middleware):
    """Socket Mode comes past the door, so whose it is, is asked here too."""

    def process(
        self, *, req: BoltRequest, resp: BoltResponse, next: Callable[[], BoltResponse]
    ) -> BoltResponse:
        try:
            check_envelope(req.body)
        except NotOurs as other:
            logger.warning("a request was refused: it is for %s", other)
            record_stranger(req.body, other, now=utc_now())
            return BoltResponse(status=403)
        return next()


def dispatch(payload: dict[str, Any], stamp: Stamp) -> HttpResponse:
    """Hand a payload that was verified to Bolt and give Slack its answer. ``stamp`` is its
    signature, which whoever answers remembers.

    Bolt takes a payload that was read already in the mode that it calls after Socket Mode. So what
    is dispatched is what the door has looked at, whatever Bolt would have read in the body; and no
    header of a request reaches it, such as those that run a part of a listener.
    """
    answer = get_app().dispatch(
        BoltRequest(body=payload, mode="socket_mode", context={STAMP: stamp})
    )
    response = HttpResponse(content=answer.body.encode("utf-8"), status=answer.status)
    for name, value in answer.first_headers_without_set_cookie().items():
        response[name] = value
    return response


def run_socket() -> None:
    """Take requests over Socket Mode until interrupted; ``manage.py migration_bot socket``."""
    socket_handler().start()


def socket_handler() -> Any:
    """What hands Socket Mode's requests to the app."""
    from slack_bolt.adapter.socket_mode import SocketModeHandler

    class Handler(SocketModeHandler):
        """Its threads live on, and no request of Django's begins or ends in them: without this, a
        connection that the database once ended would fail every request from then on."""

        def handle(self, client: Any, req: Any) -> None:
            close_old_connections()
            try:
                super().handle(client, req)
            finally:
                close_old_connections()

    return Handler(get_app(), get_settings().slack_app_token)
