from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.urls import URLPattern, reverse

from bot.models import AuditEntry, Run, StoredPlan
from bot.web import urls
from bot.web.rooms import overview
from tests.plans import an_account
from tests.web.conftest import JSON, alter

pytestmark = pytest.mark.django_db

POSTS = ("plan_now", "apply", "approve", "reject", "cancel")


def address(name: str) -> str:
    return reverse(f"migration_bot:{name}", args=[1] if name in POSTS[2:] else [])


def token_of(client: Client) -> str:
    page = client.get(reverse("migration_bot:overview")).content.decode()
    return page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]


@pytest.mark.parametrize("name", POSTS)
def test_every_form_needs_its_csrf_token(
    name: str, ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    asked()
    client = signed_in(ada, csrf=True)
    before = AuditEntry.objects.count()
    fields = {"reason": "x", "database": "default"}
    answer = client.post(address(name), fields, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (403, "form_not_trusted")
    answer = client.post(address(name), fields)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert AuditEntry.objects.count() == before
    token = token_of(client)
    answer = client.post(address(name), {**fields, "csrfmiddlewaretoken": token}, headers=JSON)
    assert answer.status_code != 403 or answer.json()["error"] != "form_not_trusted"


def test_the_csrf_check_does_not_need_the_projects_middleware(
    ada: Any, signed_in: Callable[..., Client], settings: Any
) -> None:
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "Csrf" not in m]
    client = signed_in(ada, csrf=True)
    assert client.post(address("plan_now"), {"database": "default"}).status_code == 403
    token = token_of(client)
    sent = {"database": "default", "csrfmiddlewaretoken": token}
    assert client.post(address("plan_now"), sent).status_code == 303


@pytest.mark.parametrize("name", [name for name in POSTS if name != "cancel"])
@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_what_changes_something_is_only_ever_a_post(
    name: str, method: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    answer = getattr(signed_in(ada), method)(address(name), headers=JSON)
    assert answer.status_code == 405
    assert answer["Allow"] == "POST"
    assert StoredPlan.objects.count() == 0


@pytest.mark.parametrize("name", ["overview", "history", "audit", "verify", "export"])
def test_what_only_reads_takes_no_post(
    name: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(ada).post(address(name))
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]


def test_who_is_not_signed_in_is_led_to_the_sign_in_page_and_back() -> None:
    answer = Client().get("/migrations/runs/?state=failed")
    assert answer.status_code == 302
    assert answer["Location"] == "/login/?next=/migrations/runs/%3Fstate%3Dfailed"
    answer = Client().post("/migrations/apply/", {"reason": "x"})
    assert (answer.status_code, answer["Location"]) == (302, "/login/?next=/migrations/")


def test_a_program_that_is_not_signed_in_is_told_so() -> None:
    answer = Client().post("/migrations/apply/", headers=JSON)
    assert answer.status_code == 401
    assert answer.json()["error"] == "not_signed_in"
    assert "Sign in" in answer.json()["message"]


@pytest.mark.parametrize("path", ["/migrations/", "/migrations/runs/77/", "/healthz"])
def test_every_answer_forbids_frames_caches_and_foreign_scripts(
    path: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(ada).get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Cache-Control"] == "no-store"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_policy_lets_files_come_from_where_the_project_keeps_them(
    ada: Any, signed_in: Callable[..., Client], settings: Any
) -> None:
    settings.STATIC_URL = "https://files.example.com/static/"
    policy = signed_in(ada).get("/migrations/")["Content-Security-Policy"]
    assert "script-src 'self' https://files.example.com;" in policy


def test_no_page_holds_a_script_or_a_style_of_its_own(
    ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    client = signed_in(ada)
    for path in ("/migrations/", "/migrations/audit/", f"/migrations/runs/{run.pk}/"):
        page = client.get(path).content.decode()
        assert page.count("<script") == page.count("<script src=") == 1
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page


def test_what_broke_is_told_with_a_reference_that_is_in_the_log(
    ada: Any,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(overview, "answer", broken)
    client = signed_in(ada)
    with caplog.at_level(logging.ERROR, logger="migration_bot"):
        answer = client.get("/migrations/", headers=JSON)
        page = client.get("/migrations/")
    assert answer.status_code == page.status_code == 500
    assert answer.json()["reference"] in caplog.text
    assert answer.json()["reference"] in answer.json()["message"]
    assert "secret detail" not in page.content.decode() + answer.content.decode()


def test_a_state_database_that_is_down_is_told_as_an_outage(
    ada: Any, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("connection to server at db-7.internal failed")

    monkeypatch.setattr(overview, "answer", down)
    answer = signed_in(ada).get("/migrations/", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (503, "database_down")
    assert "db-7.internal" not in answer.content.decode()


def test_missing_tables_are_told_with_the_command_that_makes_them(
    ada: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    alter("ALTER TABLE migration_bot_run RENAME TO elsewhere")
    answer = client.get("/migrations/runs/", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (503, "setup_needed")
    assert "migration_bot setup" in answer.json()["message"]


@pytest.mark.parametrize("pattern", urls.urlpatterns, ids=lambda pattern: pattern.name)
def test_no_view_runs_inside_a_transaction_of_the_request(pattern: URLPattern) -> None:
    assert "default" in getattr(pattern.callback, "_non_atomic_requests", ())


def test_a_body_that_is_too_large_is_bad_input(
    ada: Any, signed_in: Callable[..., Client], settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = signed_in(ada).post("/migrations/plan/", {"target": "x" * 2000}, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "input_not_understood")


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "application/x-www-form-urlencoded; charset=utf-16"]
)
def test_a_body_that_cannot_be_read_is_bad_input(
    robin: Any, signed_in: Callable[..., Client], content_type: str
) -> None:
    client = signed_in(robin)
    answer = client.generic("POST", address("apply"), b"x", content_type=content_type, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "input_not_understood")


def test_the_token_of_another_session_is_not_taken(
    ada: Any, robin: Any, signed_in: Callable[..., Client]
) -> None:
    foreign = get_token(RequestFactory().get("/"))
    client = signed_in(ada, csrf=True)
    token_of(client)
    sent = {"database": "default", "csrfmiddlewaretoken": foreign}
    assert client.post("/migrations/plan/", sent).status_code == 403


def test_who_is_no_staff_is_offered_another_sign_in(signed_in: Callable[..., Client]) -> None:
    page = signed_in(an_account("kim", staff=False)).get("/migrations/runs/")
    assert page.status_code == 403
    assert 'href="/login/?next=/migrations/runs/"' in page.content.decode()


def test_a_project_without_a_sign_in_page_is_told_in_words(settings: Any) -> None:
    settings.LOGIN_URL = "no-such-name"
    page = Client().get("/migrations/")
    assert page.status_code == 401
    assert "You are not signed in." in page.content.decode()
