"""The sample site's addresses: the bot's own, signing in, and Django's admin."""

from __future__ import annotations

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView


def _no_icon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for one; without an answer each visit would be a warning in the log."""
    return HttpResponse(status=204)


urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/migrations/")),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(next_page="login"), name="logout"),
    path("admin/", admin.site.urls),
    path("favicon.ico", _no_icon),
    path("", include("bot.urls")),
]
if apps.is_installed("bot.sandbox"):
    urlpatterns.append(path("sandbox/", include("bot.sandbox.urls")))
