"""The sample site's addresses, and ``/bare``: what any Slack app must do at the very least."""

from __future__ import annotations

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from slack_sdk.signature import SignatureVerifier

from bot.conf import get_settings
from django_site.urls import urlpatterns as site


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """Verify the signature with the SDK's own verifier and answer; no person, no rows."""
    verifier = SignatureVerifier(get_settings().slack_signing_secret)
    if not verifier.is_valid_request(request.body, dict(request.headers)):
        return HttpResponse(status=401)
    return JsonResponse({"text": "Asked for.", "response_type": "ephemeral"})


def worker(request: HttpRequest) -> HttpResponse:
    """Which of the web server's processes this connection has come to."""
    return HttpResponse(str(os.getpid()))


urlpatterns = [*site, path("bare", bare), path("worker", worker)]
