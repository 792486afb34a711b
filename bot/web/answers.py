"""Answers: a page or JSON, as was asked for, and how each kind of refusal is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.backends.django import DjangoTemplates
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.cache import get_conditional_response, patch_vary_headers

from bot.route.refusals import AccountGone, Kind, NotSignedIn, NotStaff, Refused
from bot.web.showing import shown

STATUS = {
    Kind.FORBIDDEN: 403,
    Kind.UNKNOWN: 404,
    Kind.CONFLICT: 409,
    Kind.INVALID: 400,
    Kind.UNAVAILABLE: 503,
}

SIGN_IN_HELPS = (NotSignedIn, NotStaff, AccountGone)


@lru_cache(maxsize=1)
def _engine() -> DjangoTemplates:
    """Our own template engine: always escapes, and runs no context processor of the project.

    A project's processor may load the whole user, which fails while the user table is behind.
    """
    return DjangoTemplates(
        {
            "NAME": "migration_bot",
            "DIRS": [Path(__file__).resolve().parent.parent / "templates"],
            "APP_DIRS": False,
            "OPTIONS": {
                "autoescape": True,
                "builtins": ["bot.web.tags", "django.templatetags.static"],
            },
        }
    )


def wants_json(request: HttpRequest) -> bool:
    """Whether the Accept header prefers JSON to a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def page(
    request: HttpRequest, name: str, context: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """``migration_bot/<name>.html``, with every text in ``context`` made visible."""
    template = _engine().get_template(f"migration_bot/{name}.html")
    values = {key: shown(value) for key, value in context.items()}
    return HttpResponse(template.render(values, request), status=status)


def as_json(
    value: Any, *, status: int = 200, location: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """JSON in ASCII. ``location`` is where the thing that was made can be followed."""
    response = HttpResponse(
        json.dumps(value, sort_keys=False) + "\n",
        content_type="application/json",
        status=status,
        headers=dict(headers or {}),
    )
    if location:
        response["Location"] = location
    return response


def unless_known(
    request: HttpRequest, response: HttpResponse, etag: str
) -> HttpResponse | HttpResponseBase:
    """``response`` with its ETag, or 304 when the client has that already."""
    quoted = f'"{etag}"'
    response["ETag"] = quoted
    return get_conditional_response(request, etag=quoted, response=response) or response


def see_other(url: str) -> HttpResponseRedirect:
    """303: what was asked for is done or under way, look at ``url``."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def status_of(refused: Refused) -> int:
    return 401 if isinstance(refused, NotSignedIn) else STATUS[refused.kind]


def refusal(request: HttpRequest, refused: Refused) -> HttpResponse:
    """The sentence, as JSON or as a page; who is not signed in is led to the sign-in page."""
    status = status_of(refused)
    if wants_json(request):
        return refusal_as_json(refused)
    sign_in = _sign_in(request) if isinstance(refused, SIGN_IN_HELPS) else None
    if isinstance(refused, NotSignedIn) and sign_in is not None:
        return sign_in
    context = {
        "message": refused.sentence,
        "run": run_of(refused),
        "status": status,
        "sign_in": sign_in.url if sign_in is not None else "",
    }
    return page(request, "refused", context, status=status)


def _sign_in(request: HttpRequest) -> HttpResponseRedirect | None:
    """The way to the sign-in page and back; None when the project has no such page."""
    # A form cannot be sent again by a redirect; come back to a page instead.
    back = request.get_full_path() if request.method == "GET" else _home()
    try:
        return redirect_to_login(back, resolve_url(django_settings.LOGIN_URL))
    except NoReverseMatch:
        return None


def sign_out_url() -> str:
    """Where the site takes a POST that signs out, named as Django names it; empty if nowhere."""
    for name in ("logout", "admin:logout"):
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


def run_of(refused: Refused) -> int | None:
    """The run that a refusal is about, where there is one to look at."""
    run = refused.facts.get("run")
    return run if isinstance(run, int) and refused.kind is not Kind.UNKNOWN else None


def refusal_as_json(refused: Refused) -> HttpResponse:
    """``{"error": code, "message": sentence}``, and the run that it is about if there is one."""
    value: dict[str, Any] = {"error": refused.code, "message": refused.sentence}
    if (run := run_of(refused)) is not None:
        value["run"] = run
    return as_json(value, status=status_of(refused))


def not_allowed(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """405 with the methods that are."""
    message = f"This address takes {' or '.join(m for m in methods if m != 'HEAD')} only."
    if wants_json(request):
        response = as_json({"error": "method_not_allowed", "message": message}, status=405)
    else:
        response = page(request, "refused", {"message": message, "status": 405}, status=405)
    response["Allow"] = ", ".join(methods)
    return response


def broken(request: HttpRequest, reference: str) -> HttpResponse:
    """500: nothing about the error but where to find it in the log."""
    message = (
        f"Something broke; its reference is {reference}. "
        "Try again, and if it stays, give the reference to whoever reads this site's log."
    )
    if wants_json(request):
        value = {"error": "broken", "message": message, "reference": reference}
        return as_json(value, status=500)
    return page(request, "refused", {"message": message, "status": 500}, status=500)


def with_headers(response: HttpResponseBase) -> HttpResponseBase:
    """No scripts or styles but our files, no frames, no caches, no referrer."""
    response["Content-Security-Policy"] = _policy()
    response["X-Frame-Options"] = "DENY"
    response["X-Content-Type-Options"] = "nosniff"
    response["Referrer-Policy"] = "same-origin"
    response["Cache-Control"] = "no-store"
    patch_vary_headers(response, ("Accept", "Cookie"))
    return response


def _policy() -> str:
    files = f"'self' {_origin(static('migration_bot/page.css'))}".strip()
    # A form may lead there: a browser asks this of what answers with a redirect too.
    away = (django_settings.LOGIN_URL, django_settings.LOGOUT_REDIRECT_URL or "")
    forms = " ".join(["'self'", *filter(None, (_origin(str(url)) for url in away))])
    return (
        f"default-src 'none'; style-src {files}; script-src {files}; img-src {files}; "
        f"connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'"
    )


def _origin(url: str) -> str:
    """The origin of an absolute URL, where a project keeps such files elsewhere; else nothing."""
    parts = urlsplit(url)
    return f"{parts.scheme or 'https'}://{parts.netloc}" if parts.netloc else ""


def _home() -> str:
    return reverse("migration_bot:overview")
