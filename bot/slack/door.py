"""``POST /slack/events``: the one door. Verified before anything is parsed, then handed to Bolt.

The order matters, and each step is there because something breaks without it (facts: measured):
the shape of the headers, the signature and its age, the encoding, the payload, whose it is, its
shape, the memory of replays; and Bolt's own lazy headers never come in from outside. Bodies are not
logged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.views import View

from bot.apart import View as AnyView
from bot.apart import standing_apart
from bot.conf import get_settings
from bot.moment import utc_now
from bot.nearby import SANDBOX_TOKEN, is_from_here
from bot.operations.changing import setup_asked_for
from bot.route.refusals import Refused
from bot.slack.entrance import AGE, Fate, Replayed, Stamp, remember
from bot.slack.envelope import Misshapen, NotOurs, check_envelope, check_shape
from bot.slack.strangers import record_stranger

logger = logging.getLogger("migration_bot.slack")

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)
_LENGTH = re.compile(r"[0-9]{1,18}", re.ASCII)
"""``str.isdigit`` takes signs that ``int`` does not, and Django raises for those."""

APOLOGY = (
    "The migration bot's own database does not answer. Try again soon: what was kept all the same "
    "is not kept twice."
)
"""A connection that breaks while it commits does not say whether it did."""


class Refuse(Exception):
    """The request goes no further; ``status`` says so to whoever sent it, and nothing more."""

    def __init__(self, status: HTTPStatus, because: str) -> None:
        self.status = status
        super().__init__(because)


class SlackEvents(View):
    """Commands, buttons, modals and events alike. Slack's signature stands in for CSRF."""

    http_method_names = ("post", "get")
    clock: Callable[[], datetime] = staticmethod(utc_now)

    @classmethod
    def as_view(cls, **initkwargs: Any) -> AnyView:
        """Apart from the project: Slack cannot sign in, and clicks wait for no other database."""
        return standing_apart(super().as_view(**initkwargs))

    def get(self, request: HttpRequest) -> HttpResponse:
        """Slack's certificate check (``ssl_check=1``) wants a 200; nothing else is a GET."""
        if request.GET.get("ssl_check") == "1":
            return HttpResponse(status=HTTPStatus.OK)
        return HttpResponse(status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "POST"})

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            if _is_ssl_check(request):
                return HttpResponse(status=HTTPStatus.OK)
            payload, stamp = self._admit(request)
            return _dispatched(payload, stamp)
        except Refuse as refused:
            logger.warning("a request was refused with %s: %s", refused.status.value, refused)
            return HttpResponse(status=refused.status)

    def _admit(self, request: HttpRequest) -> tuple[dict[str, Any], Stamp]:
        """What the verified body says, with its signature, or Refuse."""
        settings = get_settings()
        secret = settings.slack_signing_secret
        if settings.slack_bot_token.startswith(SANDBOX_TOKEN) and not is_from_here(request):
            # In the sandbox one acts as anybody, so a secret alone must not open it to a network.
            raise Refuse(HTTPStatus.FORBIDDEN, "the sandbox's requests come from this machine")
        if not secret:
            raise Refuse(HTTPStatus.SERVICE_UNAVAILABLE, "there is no signing secret")
        body = _body(request)
        now = self.clock()
        signature = self._verify(request, body, secret, now)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            raise Refuse(HTTPStatus.BAD_REQUEST, "it is not UTF-8") from None
        payload = _payload(text, request.content_type or "")
        try:
            check_envelope(payload)
            check_shape(payload)
        except NotOurs as other:
            record_stranger(payload, other, now=now)
            raise Refuse(HTTPStatus.FORBIDDEN, f"it is for {other}") from None
        except Misshapen as wrong:
            raise Refuse(HTTPStatus.BAD_REQUEST, str(wrong)) from None
        return payload, Stamp(signature=signature, at=now)

    def _verify(self, request: HttpRequest, body: bytes, secret: str, now: datetime) -> str:
        """The signature, once it is proven."""
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        if not _TIMESTAMP.fullmatch(timestamp) or not _SIGNATURE.fullmatch(signature):
            raise Refuse(HTTPStatus.UNAUTHORIZED, "it is not signed")
        if abs(now.timestamp() - int(timestamp)) > AGE.total_seconds():
            raise Refuse(HTTPStatus.UNAUTHORIZED, "it is old")
        # The SDK's verifier decodes the body first, and so fails on bytes that are not UTF-8.
        signed = b"v0:" + timestamp.encode() + b":" + body
        expected = "v0=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, signature):
            raise Refuse(HTTPStatus.UNAUTHORIZED, "its signature is wrong")
        return signature


def _is_ssl_check(request: HttpRequest) -> bool:
    """Slack's certificate check carries no signature; it is answered and does nothing."""
    if "X-Slack-Signature" in request.headers or not 0 < _length(request) <= 1000:
        return False
    fields = parse_qs(_body(request).decode("utf-8", "replace"))
    return fields.get("ssl_check") == ["1"]


def _length(request: HttpRequest) -> int:
    """How long the body says it is, in bytes; 0 where it does not say. Raises Refuse."""
    text = request.headers.get("Content-Length") or "0"
    if not _LENGTH.fullmatch(text):
        raise Refuse(HTTPStatus.BAD_REQUEST, "its length is no number")
    return int(text)


def _body(request: HttpRequest) -> bytes:
    _length(request)
    try:
        return request.body
    except RequestDataTooBig:
        raise Refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "it is too large") from None
    except UnreadablePostError:
        raise Refuse(HTTPStatus.BAD_REQUEST, "it was cut off") from None


def _payload(text: str, content_type: str) -> dict[str, Any]:
    """What the body says, or Refuse."""
    try:
        if content_type == "application/json":
            payload = json.loads(text)
        else:
            fields = {
                name: values[0]
                for name, values in parse_qs(text, keep_blank_values=True, errors="strict").items()
            }
            payload = json.loads(fields["payload"]) if "payload" in fields else fields
    except (ValueError, RecursionError):
        raise Refuse(HTTPStatus.BAD_REQUEST, "it cannot be read") from None
    if not isinstance(payload, dict):
        raise Refuse(HTTPStatus.BAD_REQUEST, "it is no object")
    return payload


def _dispatched(payload: dict[str, Any], stamp: Stamp) -> HttpResponse:
    """Bolt's answer, once the signature is remembered; Refuse for a replay.

    Whoever does something remembers it in the same breath; for whoever did nothing it is done here.
    """
    from bot.slack.bolt import dispatch

    try:
        answer = dispatch(payload, stamp)
        if stamp.fate is Fate.OPEN:
            with setup_asked_for():
                remember(stamp)
    except Refused as refused:  # what no listener could answer, such as tables that are old
        return HttpResponse(refused.sentence, content_type="text/plain; charset=utf-8")
    except Replayed:
        stamp.fate = Fate.REPLAYED
    except DatabaseError:
        logger.exception("a request could not be remembered, so it was not taken")
        stamp.fate = Fate.UNKNOWN
    if stamp.fate is Fate.REPLAYED:
        raise Refuse(HTTPStatus.FORBIDDEN, "it was taken before")
    if stamp.fate is Fate.UNKNOWN:
        return HttpResponse(APOLOGY, content_type="text/plain; charset=utf-8")
    return answer
