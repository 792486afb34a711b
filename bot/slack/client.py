"""Slack's Web API over one pooled ``requests`` session, so that one connection serves many calls.

The SDK opens a TLS connection for each call. Its seam, ``_perform_urllib_http_request_internal``,
is private (a contract test pins it): it gives ``status``, ``headers`` and ``body``, and raises
``urllib.error.HTTPError`` for 400 and above. Retries are the outbox's business: the SDK's own
handler repeats a request that may have been taken, and its 429 handler sleeps in the thread.
"""

from __future__ import annotations

import io
import math
import re
import threading
from functools import lru_cache
from http.client import HTTPMessage
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request

import requests
from requests.adapters import HTTPAdapter
from slack_sdk import WebClient
from slack_sdk.errors import SlackRequestError
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from bot.conf import get_settings
from bot.slack.values import Message

_local = threading.local()

CONNECT_TIMEOUT = 3.05
"""Seconds to open a connection; a little over TCP's first retransmission."""


def session() -> requests.Session:
    """This thread's session: ``requests`` does not promise that one may be shared by threads."""
    found: requests.Session | None = getattr(_local, "session", None)
    if found is None:
        found = requests.Session()
        adapter = HTTPAdapter(pool_connections=4, pool_maxsize=4, max_retries=0)
        found.mount("https://", adapter)
        found.mount("http://", adapter)
        found.trust_env = True
        _local.session = found
    return found


class PooledClient(WebClient):
    """The SDK's client, its transport replaced. ``seconds`` is how long a call may take."""

    seconds: float = 30.0

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if not url.lower().startswith(("https://", "http://")):
            raise SlackRequestError(f"Invalid URL detected: {url}")
        try:
            answer = session().request(
                req.get_method(),
                url,
                data=bytes(req.data) if isinstance(req.data, (bytes, bytearray)) else None,
                headers=dict(req.header_items()),
                timeout=(min(CONNECT_TIMEOUT, self.seconds), self.seconds),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            # What the SDK and its callers expect of a connection that failed.
            raise URLError(type(error).__name__) from error
        if answer.status_code >= 400:
            headers = HTTPMessage()
            for name, value in answer.headers.items():
                headers[name] = value
            body = io.BytesIO(answer.content)
            raise HTTPError(url, answer.status_code, answer.reason, headers, body)
        return {"status": answer.status_code, "headers": answer.headers, "body": answer.text}


@lru_cache(maxsize=8)
def _client(token: str, base_url: str, timeout: float) -> PooledClient:
    # The SDK uploads a file's content by a way of its own, for which its own ``timeout`` counts.
    whole = math.ceil(timeout)
    client = PooledClient(token=token, base_url=base_url, timeout=whole, retry_handlers=[])
    client.seconds = timeout
    return client


def get_client(*, timeout: float | None = None) -> PooledClient:
    """The client by the settings in force; ``timeout`` in seconds, the worker's when not given."""
    settings = get_settings()
    seconds = settings.slack_timeout if timeout is None else timeout
    return _client(settings.slack_bot_token, settings.slack_api_url, seconds)


_UNCLEAR = re.compile(r"[^!-~]|\\")
"""Anything but the visible signs of ASCII, and the backslash."""


class NotSlacks(ValueError):
    """An address that is not Slack's; nothing is sent there."""


def post_reply(response_url: str, message: Message) -> requests.Response:
    """Answer one person by their ``response_url``. Raises NotSlacks, requests.RequestException."""
    check_response_url(response_url)
    return session().post(
        response_url,
        json={
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": list(message.blocks),
        },
        timeout=(CONNECT_TIMEOUT, get_settings().slack_timeout),
        allow_redirects=False,
    )


def check_response_url(response_url: str) -> None:
    """Raise NotSlacks unless the address is Slack's, or that of the API that the settings name.

    What two readers of addresses could read as two hosts is refused: a backslash, a sign that no
    address holds, somebody's name before the host. Slack's port is the one of https.
    """
    if _UNCLEAR.search(response_url):
        raise NotSlacks("an unclear address")
    try:
        parts, api = urlsplit(response_url), urlsplit(get_settings().slack_api_url)
        host, port = parts.hostname or "", parts.port
        asked = parse_url(response_url).host or ""
    except (ValueError, LocationParseError):
        raise NotSlacks("no address") from None
    slacks = parts.scheme == "https" and (host == "slack.com" or host.endswith(".slack.com"))
    slacks = slacks and port in (None, 443) and "@" not in parts.netloc
    ours = (parts.scheme, parts.netloc) == (api.scheme, api.netloc)
    if asked.lower().strip("[]") != host or not (slacks or ours):
        raise NotSlacks(host)
