from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from bot.models import AuditEntry, Decision, Run, StoredPlan
from tests.plans import an_account
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db

PEOPLE: dict[str, dict[str, Any] | None] = {
    "nobody": None,
    "no_staff": {"staff": False, "permissions": ("request_run", "approve_run")},
    "inactive": {"active": False, "permissions": ("request_run", "approve_run")},
    "staff": {"permissions": ()},
    "requester": {"permissions": ("request_run",)},
    "approver": {"permissions": ("approve_run",)},
    "superuser": {"permissions": (), "superuser": True},
}
MAY = {
    "read": {"staff", "requester", "approver", "superuser"},
    "plan": {"staff", "requester", "approver", "superuser"},
    "request": {"requester", "superuser"},
    "approve": {"approver", "superuser"},
    "cancel": {"approver", "superuser"},
}
PAGES = ("overview", "history", "audit", "verify")


def client_of(name: str) -> Client:
    client = Client()
    marks = PEOPLE[name]
    if marks is not None:
        marks = dict(marks)
        active = marks.pop("active", True)
        permissions = marks.pop("permissions")
        user = an_account(name, *permissions, **marks)
        client.force_login(user)
        if not active:
            user.is_active = False
            user.save()
    return client


def refused_with(name: str) -> int:
    return 401 if name == "nobody" else 403


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("page", PAGES)
def test_pages_are_for_staff(name: str, page: str) -> None:
    status = client_of(name).get(reverse(f"migration_bot:{page}"), headers=JSON).status_code
    assert status == (200 if name in MAY["read"] else refused_with(name))


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("page", ["run", "cancel"])
def test_a_run_is_for_staff_to_look_at(name: str, page: str, asked: Callable[..., Run]) -> None:
    address = reverse(f"migration_bot:{page}", args=[asked().pk])
    status = client_of(name).get(address, headers=JSON).status_code
    assert status == (200 if name in MAY["read"] else refused_with(name))


@pytest.mark.parametrize("name", PEOPLE)
def test_a_plan_is_for_staff_to_look_at(name: str, kept: Callable[..., StoredPlan]) -> None:
    address = reverse("migration_bot:plan", args=[kept().pk])
    status = client_of(name).get(address, headers=JSON).status_code
    assert status == (200 if name in MAY["read"] else refused_with(name))


@pytest.mark.parametrize("name", PEOPLE)
def test_a_plan_is_for_staff_to_ask_for(name: str) -> None:
    fields = {"database": "default", "target": "shop"}
    answer = client_of(name).post(reverse("migration_bot:plan_now"), fields, headers=JSON)
    may = name in MAY["plan"]
    assert answer.status_code == (202 if may else refused_with(name))
    assert StoredPlan.objects.count() == (1 if may else 0)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_run_is_asked_for_with_the_permission(name: str, kept: Callable[..., StoredPlan]) -> None:
    fields = {"plan": str(kept().pk), "reason": "new totals"}
    answer = client_of(name).post(reverse("migration_bot:apply"), fields, headers=JSON)
    may = name in MAY["request"]
    assert answer.status_code == (201 if may else refused_with(name))
    assert Run.objects.count() == (1 if may else 0)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_plan_with_its_run_is_asked_for_with_the_permission(name: str) -> None:
    fields = {"database": "default", "target": "shop", "reason": "new totals"}
    answer = client_of(name).post(reverse("migration_bot:apply"), fields, headers=JSON)
    may = name in MAY["request"]
    assert answer.status_code == (202 if may else refused_with(name))
    assert StoredPlan.objects.count() == (1 if may else 0)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_deciding_takes_the_permission(name: str, verdict: str, asked: Callable[..., Run]) -> None:
    run = asked()
    address = reverse(f"migration_bot:{verdict}", args=[run.pk])
    answer = client_of(name).post(address, {"reason": "because"}, headers=JSON)
    may = name in MAY["approve"]
    assert answer.status_code == (200 if may else refused_with(name))
    assert Decision.objects.filter(run=run).count() == (1 if may else 0)


@pytest.mark.parametrize("name", PEOPLE)
def test_somebody_elses_run_is_cancelled_by_approvers(name: str, asked: Callable[..., Run]) -> None:
    run = asked()
    answer = client_of(name).post(reverse("migration_bot:cancel", args=[run.pk]), headers=JSON)
    may = name in MAY["cancel"]
    assert answer.status_code == (200 if may else refused_with(name))
    run.refresh_from_db()
    assert run.state == ("cancelled" if may else "requested")


@pytest.mark.parametrize("name", PEOPLE)
def test_the_audit_is_exported_by_all_staff(name: str, asked: Callable[..., Run]) -> None:
    asked()
    answer = client_of(name).get(reverse("migration_bot:export"), headers=JSON)
    assert answer.status_code == (200 if name in MAY["read"] else refused_with(name))


def test_the_requester_cannot_approve_their_own_run(
    ada: Any, kept: Callable[..., StoredPlan], signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    made = client.post(
        reverse("migration_bot:apply"), {"plan": str(kept().pk), "reason": "mine"}, headers=JSON
    ).json()
    answer = client.post(reverse("migration_bot:approve", args=[made["id"]]), headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (403, "own_request")
    page = client.get(reverse("migration_bot:run", args=[made["id"]])).content.decode()
    assert "You asked for run" in page
    assert reverse("migration_bot:approve", args=[made["id"]]) not in page


def test_a_requester_takes_their_own_run_back(
    robin: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    address = reverse("migration_bot:cancel", args=[run.pk])
    answer = signed_in(robin).post(address, {"reason": "wrong branch"})
    assert (answer.status_code, answer["Location"]) == (
        303,
        reverse("migration_bot:run", args=[run.pk]),
    )
    run.refresh_from_db()
    assert run.state == "cancelled"


def test_only_buttons_that_one_may_press_are_shown(
    robin: Any, ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    address = reverse("migration_bot:run", args=[run.pk])
    own = signed_in(robin).get(address).content.decode()
    assert "Approve and run" not in own
    assert "Cancel this run" in own
    others = signed_in(ada).get(address).content.decode()
    assert "Approve and run" in others
    assert "Reject this run" in others
    nothing = signed_in(an_account("kay")).get(address).content.decode()
    assert "Cancel this run" not in nothing
    assert "Reject this run" not in nothing


def test_what_was_denied_is_in_the_audit_with_who_and_why(asked: Callable[..., Run]) -> None:
    run = asked()
    client_of("staff").post(reverse("migration_bot:approve", args=[run.pk]))
    client_of("no_staff").post(reverse("migration_bot:apply"), {"reason": "x"})
    denied = list(AuditEntry.objects.order_by("seq"))[-2:]
    assert [entry.event for entry in denied] == ["run.approve.refused", "run.request.refused"]
    assert '"name":"staff"' in denied[0].actor
    assert "not_permitted" in denied[0].data
    assert "not_staff" in denied[1].data


def test_who_may_not_read_writes_nothing_into_the_audit() -> None:
    client_of("no_staff").get(reverse("migration_bot:overview"))
    Client().get(reverse("migration_bot:overview"))
    Client().post(reverse("migration_bot:apply"))
    assert AuditEntry.objects.count() == 0


def test_a_plan_that_nobody_made_is_told_as_such(
    robin: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(robin)
    address = reverse("migration_bot:plan", args=[UUID(int=7)])
    assert client.get(address).status_code == 404
    assert client.get(address, headers=JSON).json()["error"] == "plan_not_found"
