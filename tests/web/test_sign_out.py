"""Whoever is signed in can sign out where their name stands, if the project has a place for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, clear_url_caches, include, path

pytestmark = pytest.mark.django_db

urlpatterns: list[URLPattern | URLResolver] = [path("", include("bot.urls"))]
"""A project whose accounts are signed in elsewhere; this module is its URLconf."""


@pytest.fixture
def elsewhere(settings: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.LOGIN_URL = "https://sso.example/"


def test_signing_out_is_a_form_with_its_token_and_ends_the_session(
    robin: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(robin, csrf=True)
    page = client.get("/migrations/").content.decode()
    form = page.split('<form method="post" action="/logout/">')[1].split("</form>")[0]
    assert "Sign out" in form
    token = form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    assert client.post("/logout/").status_code == 403
    assert client.post("/logout/", {"csrfmiddlewaretoken": token}).status_code == 302
    assert client.get("/migrations/")["Location"].startswith("/login/")


def test_a_project_that_has_only_the_admin_signs_out_there(
    robin: Any,
    signed_in: Callable[..., Client],
    elsewhere: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(globals(), "urlpatterns", [*urlpatterns, path("office/", admin.site.urls)])
        clear_url_caches()
        page = signed_in(robin).get("/migrations/").content.decode()
        assert '<form method="post" action="/office/logout/">' in page
    clear_url_caches()


def test_a_project_that_names_no_place_for_it_is_offered_none(
    robin: Any, signed_in: Callable[..., Client], elsewhere: None
) -> None:
    answer = signed_in(robin).get("/migrations/")
    assert answer.status_code == 200
    assert "Sign out" not in answer.content.decode()


def test_the_policy_lets_the_form_lead_to_where_the_project_sends_whoever_signed_out(
    robin: Any, signed_in: Callable[..., Client], settings: Any
) -> None:
    settings.LOGOUT_REDIRECT_URL = "https://sso.example/bye"
    policy = signed_in(robin).get("/migrations/")["Content-Security-Policy"]
    assert "form-action 'self' https://sso.example;" in policy
