"""Who may use the sandbox: this machine alone, on a site that says it is somebody's own.

In it one presses buttons as anybody. So it must not run where a real Slack is configured, and
must not answer anybody who is not on this machine, whatever a proxy in front does.
"""

from __future__ import annotations

from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from bot.apart import View, standing_apart
from bot.conf import get_settings
from bot.nearby import is_from_here, is_loopback
from bot.sandbox import names


def why_not() -> str:
    """Why the sandbox may not run here, as a sentence; empty when it may."""
    settings = get_settings()
    if not (django_settings.DEBUG or settings.sandbox):
        return (
            "The sandbox lets one act as anybody, so it runs only while DEBUG is on or "
            'MIGRATION_BOT has "sandbox": True.'
        )
    return ""


def why_not_this_slack() -> str:
    """Why the sandbox may not speak for the Slack that is configured; empty when it may."""
    settings = get_settings()
    if not settings.slack_bot_token.startswith(names.TOKEN_PREFIX):
        return "MIGRATION_BOT holds no token of the sandbox: it has a real Slack, or none."
    if settings.slack_team_id != names.TEAM or not settings.slack_signing_secret:
        return "MIGRATION_BOT holds the workspace or the signing secret of a real Slack."
    parts = urlsplit(settings.slack_api_url)
    if parts.scheme != "http" or not is_loopback(parts.hostname or ""):
        return "MIGRATION_BOT's slack_api_url does not lead to this machine."
    return ""


def is_from_the_page(request: HttpRequest) -> bool:
    """Whether a change is asked for by the sandbox's own page, not by another site's.

    A header of our own cannot be sent across origins without a permission that is never given.
    """
    if request.headers.get("X-Sandbox") != "1":
        return False
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("Host", "")


def only_from_here(view: View) -> View:
    """Wrap a view: 403 in words unless everything above holds. Stands apart from the project.

    No transaction around it, because it calls the site itself; no sign-in, because the page is
    where one picks who to be; no CSRF token, because ``is_from_the_page`` asks for more.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not is_from_here(request):
            return _refused("The sandbox answers this machine alone.")
        if because := why_not() or why_not_this_slack():
            return _refused(because)
        return view(request, *args, **kwargs)

    return standing_apart(wrapped)


def _refused(because: str) -> HttpResponse:
    return HttpResponse(because + "\n", status=403, content_type="text/plain; charset=utf-8")
