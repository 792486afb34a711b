"""The sample site's addresses, and ``/bare``: what any Slack app must do at the very least."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from slack_sdk.signature import SignatureVerifier

from bot.conf import get_settings
from bot.models import StoredPlan
from django_site.urls import urlpatterns as site

ONE_MOMENT = "2026-11-26T00:00:00.000000Z"


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Verify the signature with the SDK's own verifier and answer; no person, no rows."""
    if not _is_signed(request):
        return HttpResponse(status=401)
    return JsonResponse({"text": "Asked for.", "response_type": "ephemeral"})


@csrf_exempt
def one_row(request: HttpRequest) -> HttpResponse:
    """The same, and one row of two columns by one statement, without the ORM: the least that any
    view does which keeps anything."""
    if not _is_signed(request):
        return HttpResponse(status=401)
    with connections[get_settings().state_database].cursor() as cursor:
        cursor.execute(
            "INSERT INTO migration_bot_seenrequest (signature, at) VALUES (%s, %s)",
            [request.headers["X-Slack-Signature"], ONE_MOMENT],
        )
    return JsonResponse({"text": "Asked for.", "response_type": "ephemeral"})


def _is_signed(request: HttpRequest) -> bool:
    verifier = SignatureVerifier(get_settings().slack_signing_secret)
    return verifier.is_valid_request(request.body, dict(request.headers))


def worker(request: HttpRequest) -> HttpResponse:
    """Which of the web server's processes this connection has come to."""
    return HttpResponse(str(os.getpid()))


urlpatterns = [*site, path("bare", bare), path("row", one_row), path("worker", worker)]


def _without_rows() -> None:
    """What the door costs with nothing behind it: nobody is asked for, and nothing is kept."""
    from unittest import mock

    from bot.operations.asking import Kept
    from bot.slack.entrance import Entered, Fate, Stamp
    from bot.slack.people import Standing

    def enter(call: Any, stamp: Stamp, *, now: datetime, wanted: Any = None) -> Entered:
        stamp.fate = Fate.TAKEN
        somebody = Standing(barred="", flags_at=now, seen_at=now, account="1", account_name="x")
        return Entered(standing=somebody, asked=Kept(plan=StoredPlan(), woken=True))

    mock.patch("bot.slack.answers.enter", enter).start()


if os.environ.get("BENCH_WITHOUT_ROWS"):
    _without_rows()
