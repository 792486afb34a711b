"""The one view behind ``/sandbox/api/<method>``: token, trouble, scope, method, answer."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from bot.conf import get_settings
from bot.moment import utc_now
from bot.sandbox import faults, people
from bot.sandbox.allowed import only_from_here
from bot.sandbox.api import chat, conversations, files, users, views
from bot.sandbox.api.arguments import ApiError, Arguments, read
from bot.sandbox.faults import Kind
from bot.sandbox.models import Fault
from bot.sandbox.store import workspace


@dataclass(frozen=True, slots=True)
class Method:
    """``scope`` is needed always; methods of channels ask for one of the channel's kind."""

    do: Callable[[Arguments], dict[str, Any]]
    scope: str = ""
    takes_json: bool = True


METHODS = {
    "auth.test": Method(users.auth_test),
    "users.info": Method(users.info, "users:read", takes_json=False),
    "users.lookupByEmail": Method(users.lookup_by_email, "users:read.email", takes_json=False),
    "chat.postMessage": Method(chat.post_message, "chat:write"),
    "chat.postEphemeral": Method(chat.post_ephemeral, "chat:write"),
    "chat.update": Method(chat.update, "chat:write"),
    "chat.delete": Method(chat.delete, "chat:write"),
    "conversations.info": Method(conversations.info, takes_json=False),
    "conversations.members": Method(conversations.members, takes_json=False),
    "conversations.open": Method(conversations.open_, "im:write"),
    "conversations.history": Method(conversations.history, takes_json=False),
    "conversations.replies": Method(conversations.replies, takes_json=False),
    "files.getUploadURLExternal": Method(files.get_upload_url, "files:write", takes_json=False),
    "files.completeUploadExternal": Method(files.complete_upload, "files:write"),
    "views.open": Method(views.open_),
    "views.push": Method(views.push),
    "views.update": Method(views.update),
    "views.publish": Method(views.publish),
}
"""By Slack's names. ``takes_json`` is false where Slack takes a form or a query only."""

_HTML = "<!doctype html><title>Something went wrong</title>"


@only_from_here
def call(request: HttpRequest, method: str) -> HttpResponse:
    """Answer one call of the Web API."""
    if request.method not in ("POST", "GET"):
        return HttpResponse(status=405)
    now = utc_now()
    if not workspace().revision:
        people.settle(now=now)  # a worker may post before anybody has opened the page
    fault = faults.take(method, now=now)
    before = _before(fault)
    if before is not None:
        faults.record(method, channel="", error=f"http_{before.status_code}", now=now)
        return before
    response, error = _answered(request, method, fault)
    if fault is not None and fault.kind == Kind.UNHEARD:
        response, error = HttpResponse(_HTML, status=502), "done, and not heard"
    channel = str(_argument(request, "channel"))
    faults.record(method, channel=channel, error=error, now=now)
    if fault is not None and fault.kind == Kind.SLOW:
        faults.wait(fault)
    return response


def _before(fault: Fault | None) -> HttpResponse | None:
    """The answer of trouble in which nothing is done."""
    if fault is None:
        return None
    if fault.kind == Kind.RATE_LIMITED:
        response = JsonResponse({"ok": False, "error": "ratelimited"}, status=429)
        response["Retry-After"] = str(max(1, round(fault.seconds)))
        return response
    if fault.kind == Kind.BROKEN:
        return HttpResponse(_HTML, status=503)
    return None


def _answered(request: HttpRequest, name: str, fault: Fault | None) -> tuple[HttpResponse, str]:
    """The answer, and the name of its error."""
    scopes = frozenset(workspace().scopes)
    warnings: list[str] = []
    try:
        if fault is not None and fault.kind == Kind.ERROR:
            raise ApiError(fault.error or "fatal_error")
        value = {"ok": True, **_done(request, name, scopes, warnings)}
        error = ""
    except ApiError as told:
        value, error = {"ok": False, "error": told.name, **told.more}, told.name
    if warnings:
        value["warning"] = ",".join(warnings)
    response = JsonResponse(value)
    response["X-OAuth-Scopes"] = ",".join(sorted(scopes))
    return response, error


def _done(
    request: HttpRequest, name: str, scopes: frozenset[str], warnings: list[str]
) -> dict[str, Any]:
    method = METHODS.get(name)
    if method is None:
        raise ApiError("unknown_method", req_method=name)
    given = read(request, takes_json=method.takes_json)
    _check_token(request, given)
    if method.scope and method.scope not in scopes:
        provided = ",".join(sorted(scopes))
        raise ApiError("missing_scope", needed=method.scope, provided=provided)
    return method.do(
        Arguments(
            given=given,
            now=utc_now(),
            scopes=scopes,
            host=request.get_host(),
            prefix=reverse("migration_bot_sandbox:page"),
            warnings=warnings,
        )
    )


def _check_token(request: HttpRequest, given: dict[str, Any]) -> None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        token = str(given.pop("token", "") or "")
    if not token.strip():
        raise ApiError("not_authed")
    wanted = get_settings().slack_bot_token
    if not hmac.compare_digest(token.strip().encode(), wanted.encode()):
        raise ApiError("invalid_auth")


def _argument(request: HttpRequest, name: str) -> Any:
    """An argument for the record only."""
    try:
        return read(request, takes_json=True).get(name, "")
    except ApiError:
        return ""
