from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, get_user_model
from django.db import DatabaseError, transaction
from django.test import Client, RequestFactory, override_settings
from django.urls import reverse

from bot.models import Run
from bot.route.refusals import NotSignedIn
from bot.web.people import actor_of
from tests.plans import an_account
from tests.web.conftest import JSON, alter

pytestmark = pytest.mark.django_db


def overview(client: Client) -> Any:
    return client.get(reverse("migration_bot:overview"), headers=JSON)


def changed(client: Client, **values: str) -> Client:
    """The same client, its session's values changed behind its back."""
    session = client.session
    session.update(values)
    session.save()
    return client


def test_everything_works_while_a_migration_of_the_user_model_is_pending(
    robin: Any, ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    requester, approver = signed_in(robin), signed_in(ada)
    alter("ALTER TABLE auth_user RENAME COLUMN first_name TO not_there_yet")
    with pytest.raises(DatabaseError), transaction.atomic():
        list(get_user_model().objects.all())
    for page in ("overview", "history", "audit", "verify"):
        assert requester.get(reverse(f"migration_bot:{page}")).status_code == 200
    answer = approver.post(reverse("migration_bot:approve", args=[run.pk]), headers=JSON)
    assert (answer.status_code, answer.json()["state"]) == (200, "queued")
    assert requester.get(reverse("migration_bot:run", args=[run.pk])).status_code == 200


def test_a_users_table_that_cannot_be_read_is_told_as_an_outage(
    robin: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(robin)
    alter("ALTER TABLE auth_user RENAME TO auth_user_elsewhere")
    answer = overview(client)
    assert (answer.status_code, answer.json()["error"]) == (503, "account_unreadable")


def test_a_session_ends_with_the_password_it_was_made_with(
    robin: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(robin)
    assert overview(client).status_code == 200
    robin.set_password("another")
    robin.save()
    assert overview(client).status_code == 401


@pytest.mark.parametrize(
    "values",
    [
        {HASH_SESSION_KEY: "0" * 64},
        {HASH_SESSION_KEY: ""},
        {BACKEND_SESSION_KEY: "elsewhere.Backend"},
        {"_auth_user_id": "999999"},
        {"_auth_user_id": "not a number"},
    ],
)
def test_a_session_that_does_not_fit_is_nobody(
    robin: Any, signed_in: Callable[..., Client], values: dict[str, str]
) -> None:
    assert overview(changed(signed_in(robin), **values)).status_code == 401


def test_a_session_made_before_the_secret_key_changed_still_counts(
    robin: Any, signed_in: Callable[..., Client]
) -> None:
    with override_settings(SECRET_KEY="the old one"):
        client = signed_in(robin)
    with override_settings(SECRET_KEY="the new one", SECRET_KEY_FALLBACKS=["the old one"]):
        # The session itself is signed too; Django reads it by its fallback keys.
        assert overview(client).status_code == 200
    with override_settings(SECRET_KEY="the new one"):
        assert overview(client).status_code == 401


def test_a_request_without_sessions_is_nobody() -> None:
    with pytest.raises(NotSignedIn):
        actor_of(RequestFactory().get("/"))


def test_the_user_of_the_request_is_never_touched(
    robin: Any, signed_in: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(robin)

    def touched(request: Any) -> None:
        raise AssertionError("request.user was loaded")

    monkeypatch.setattr("django.contrib.auth.middleware.get_user", touched)
    assert client.get(reverse("migration_bot:overview")).status_code == 200


def test_staff_status_counts_as_it_is_now(signed_in: Callable[..., Client]) -> None:
    user = an_account("kay")
    client = signed_in(user)
    assert overview(client).status_code == 200
    user.is_staff = False
    user.save()
    answer = overview(client)
    assert (answer.status_code, answer.json()["error"]) == (403, "not_staff")


def test_a_middleware_that_requires_a_sign_in_leaves_the_answer_to_us(settings: Any) -> None:
    required = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, required]
    assert overview(Client()).status_code == 401
    assert "database" in Client().get(reverse("migration_bot:health")).json()
