from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from bot.models import (
    Delivery,
    DenialTally,
    Freeze,
    Link,
    LinkCode,
    RecordedWork,
    Run,
    SeenRequest,
    SlackCall,
    SlackChannel,
    SlackPerson,
    StoredRehearsal,
    Worker,
)
from tests.plans import an_account

pytestmark = pytest.mark.django_db

MODELS = [model.__name__ for model in apps.get_app_config("migration_bot").get_models()]


def table(model: str) -> str:
    return f"/admin/migration_bot/{model.lower()}/"


@pytest.fixture
def filled(asked: Callable[..., Run], ada: Any, now: datetime, signed_in: Any) -> Run:
    """A row in every table."""
    run = asked()
    signed_in(ada).post(f"/migrations/runs/{run.pk}/approve/", {"reason": "yes"})
    Delivery.objects.create(key="k", kind="run", due_at=now, created_at=now)
    Link.objects.create(
        team="T", slack_user="U", account="1", account_name="ada", linked_at=now, live_key="T:U"
    )
    Freeze.objects.create(owner="1", owner_name="ada", reason="r", since=now)
    Worker.objects.create(name="h:1:run", kind="run", started_at=now, beat_at=now)
    DenialTally.objects.create(
        key="k", wish="run.approve", code="not_staff", because="x", since=now
    )
    SlackChannel.objects.create(id="C1")
    SlackPerson.objects.create(key="T:U", team="T", slack_user="U", name="Ada")
    SlackCall.objects.create(call={"response_url": "https://secret.example"}, asked_at=now)
    SeenRequest.objects.create(signature="v0=1", at=now)
    LinkCode.objects.create(
        digest="d" * 64, team="T", slack_user="U", created_at=now, expires_at=now
    )
    StoredRehearsal.objects.create(
        stored_plan=run.stored_plan, database="default", fingerprint=run.fingerprint, asked_at=now
    )
    RecordedWork.objects.create(
        vendor="sqlite",
        database="default",
        kind="scan",
        table="shop_order",
        rows=10,
        milliseconds=1,
        run=run.pk,
        step="shop.0002_more",
        at=now,
    )
    return run


@pytest.fixture
def root(signed_in: Callable[..., Client]) -> Client:
    return signed_in(an_account("root", superuser=True))


@pytest.mark.parametrize("model", MODELS)
def test_every_table_is_there_to_look_at_and_to_search(
    model: str, filled: Run, root: Client
) -> None:
    assert root.get(table(model)).status_code == 200
    if admin.site._registry[apps.get_model("migration_bot", model)].search_fields:
        assert root.get(table(model), {"q": "1"}).status_code == 200
    row = apps.get_model("migration_bot", model).objects.first()
    assert row is not None
    assert root.get(f"{table(model)}{row.pk}/change/", follow=True).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_not_even_a_superuser_changes_anything_there(model: str, filled: Run, root: Client) -> None:
    rows = apps.get_model("migration_bot", model).objects
    key, count = rows.first().pk, rows.count()
    assert root.get(f"{table(model)}add/").status_code == 403
    assert root.post(f"{table(model)}{key}/change/", {"state": "x"}).status_code == 403
    assert root.post(f"{table(model)}{key}/delete/", {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"}
    root.post(table(model), action)
    assert rows.count() == count


def test_staff_without_permission_sees_nothing(
    filled: Run, robin: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(robin)
    assert client.get("/admin/").status_code == 200
    for model in MODELS:
        assert client.get(table(model)).status_code == 403


def test_a_traceback_is_hidden_from_who_may_not_approve(
    filled: Run, robin: Any, ada: Any, signed_in: Callable[..., Client]
) -> None:
    Run.objects.filter(pk=filled.pk).update(traceback="secret row")
    view = Permission.objects.get(codename="view_run", content_type__app_label="migration_bot")
    for user in (robin, ada):
        user.user_permissions.add(view)
    address = f"{table('Run')}{filled.pk}/change/"
    assert "secret row" not in signed_in(robin).get(address).content.decode()
    assert "secret row" in signed_in(ada).get(address).content.decode()


def test_an_address_that_anybody_could_post_to_is_not_shown(filled: Run, root: Client) -> None:
    call = SlackCall.objects.get()
    page = root.get(f"{table('SlackCall')}{call.pk}/change/")
    assert page.status_code == 200
    assert "secret.example" not in page.content.decode()


def test_no_answer_to_one_person_is_shown(root: Client, kept: Any, now: datetime) -> None:
    """It may hold a link code, with which anybody could become that person."""
    address = "https://hooks.slack.com/commands/secret-1"
    payload = {"message": {"text": "/migrations/link/secret-2/"}, "response_url": address}
    delivery = Delivery.objects.create(
        key="reply:x", kind="reply", payload=payload, due_at=now, created_at=now
    )
    stored = kept()
    stored.reply_to = address
    stored.save()
    for model, row in (("delivery", delivery), ("storedplan", stored)):
        for page in (table(model), f"{table(model)}{row.pk}/change/"):
            answer = root.get(page)
            assert answer.status_code == 200
            assert "secret-" not in answer.content.decode()
