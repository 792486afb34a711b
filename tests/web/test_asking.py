from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bot import operations
from bot.models import Run, StoredPlan, Worker
from bot.route.findings import Risk
from bot.route.plan import Belief, Operation, Statement
from bot.route.refusals import BrokenMigrations
from tests.plans import a_plan, a_step, acting
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db

APPLY = "/migrations/apply/"


@pytest.fixture
def client(robin: Any, signed_in: Callable[..., Client]) -> Client:
    return signed_in(robin)


def plan_address(stored: StoredPlan) -> str:
    return reverse("migration_bot:plan", args=[stored.pk])


def test_a_form_leads_from_the_plan_to_its_run(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    answer = client.post(APPLY, {"plan": str(kept().pk), "reason": "  new\ntotals "})
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/migrations/runs/{run.pk}/")
    assert (run.reason, run.origin, run.state) == ("new totals", "page", "requested")


def test_a_program_gets_the_run_and_where_it_can_be_followed(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    body = {"plan": str(kept().pk), "reason": "new totals", "at": None}
    answer = client.post(APPLY, body, content_type="application/json", headers=JSON)
    assert answer.status_code == 201
    run = answer.json()
    assert answer["Location"] == f"/migrations/runs/{run['id']}/"
    assert run["state"] == "requested"
    assert run["steps"][0]["app"] == "shop"
    assert client.get(answer["Location"], headers=JSON).json()["id"] == run["id"]


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"database": "default", "target": "shop 0007"}, "shop 0007"),
        ({"database": "default", "app": "shop", "migration": "0007"}, "shop 0007"),
        ({"app": "shop"}, "shop"),
        ({}, ""),
        ({"target": "everything"}, ""),
    ],
)
def test_without_a_plan_one_is_made_first_and_then_requested(
    client: Client, fields: dict[str, str], target: str
) -> None:
    answer = client.post(APPLY, {**fields, "reason": "new totals"}, headers=JSON)
    stored = StoredPlan.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, plan_address(stored))
    assert (stored.purpose, stored.target, stored.reason) == ("request", target, "new totals")
    assert answer.json()["state"] == "waiting"


def test_a_finished_plan_leads_to_the_run_it_was_made_for(client: Client, now: datetime) -> None:
    client.post(APPLY, {"target": "shop", "reason": "new totals"})
    stored = StoredPlan.objects.get()
    page = client.get(plan_address(stored)).content.decode()
    assert "its run is requested at once" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    run = operations.store_plan(stored.pk, a_plan(), now=now)
    assert run is not None
    page = client.get(plan_address(stored)).content.decode()
    assert f'data-go="/migrations/runs/{run.pk}/"' in page
    assert f"Run {run.pk}</a> asks for this plan" in page
    assert client.get(plan_address(stored), headers=JSON).json()["run"] == run.pk


def test_a_run_can_be_asked_for_later(client: Client, kept: Callable[..., StoredPlan]) -> None:
    at = (datetime.now(UTC) + timedelta(days=2)).replace(second=0, microsecond=0)
    sent = {"plan": str(kept().pk), "reason": "at night", "at": at.strftime("%Y-%m-%dT%H:%MZ")}
    run = client.post(APPLY, sent, headers=JSON).json()
    assert run["run_after"] == at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"reason": ""}, 400, "reason_needed"),
        ({"reason": " \n "}, 400, "reason_needed"),
        ({"reason": "x" * 2001}, 400, "reason_too_long"),
        ({"reason": "a\0b"}, 400, "input_not_understood"),
        ({"at": "tomorrow"}, 400, "time_not_understood"),
        ({"at": "2020-01-01T00:00Z"}, 400, "time_not_understood"),
        ({"at": "2999-01-01T00:00Z"}, 400, "time_not_understood"),
        ({"database": "nowhere"}, 400, "unknown_database"),
        ({"target": "shop 0007 0008"}, 400, "target_not_understood"),
        ({"target": "x" * 301}, 400, "target_not_understood"),
        ({"migration": "0007"}, 400, "input_not_understood"),
        ({"plan": "no-uuid"}, 404, "plan_not_found"),
        ({"plan": "00000000-0000-0000-0000-000000000007"}, 404, "plan_not_found"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(
    client: Client, fields: dict[str, str], status: int, code: str
) -> None:
    sent = {"reason": "new totals", **fields}
    answer = client.post(APPLY, sent, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    page = client.post(APPLY, sent)
    assert page.status_code == status
    assert page["Content-Type"].startswith("text/html")
    assert "Not done" in page.content.decode() or "Not found" in page.content.decode()
    assert (StoredPlan.objects.count(), Run.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b'{"reason": 1.5}', b'{"plan": {"a": 1}}', b"\xff", b"[" * 100_000]
)
def test_a_json_body_that_is_no_object_of_texts_is_refused(client: Client, body: bytes) -> None:
    answer = client.post(APPLY, body, content_type="application/json", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "input_not_understood")


def test_a_lone_surrogate_in_json_is_refused(client: Client) -> None:
    body = b'{"reason": "\\ud800"}'
    answer = client.post(APPLY, body, content_type="application/json", headers=JSON)
    assert answer.status_code == 400


def test_nothing_that_was_typed_is_lost_when_a_request_is_refused(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    sent = {"plan": str(kept().pk), "reason": "totals <&> more", "at": "half past two"}
    page = client.post(APPLY, sent).content.decode()
    assert "totals &lt;&amp;&gt; more</textarea>" in page
    assert 'value="half past two"' in page
    assert "is not a time that can be used" in page
    answer = client.post("/migrations/plan/", {"database": "default", "target": "a b c"})
    assert 'value="a b c"' in answer.content.decode()


def test_the_same_plan_asked_for_twice_leads_to_the_first_run(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    sent = {"plan": str(kept().pk), "reason": "new totals"}
    client.post(APPLY, sent)
    run = Run.objects.get()
    answer = client.post(APPLY, sent, headers=JSON)
    assert answer.status_code == 409
    assert answer.json()["error"] == "already_requested"
    assert answer.json()["run"] == run.pk
    page = client.post(APPLY, sent)
    assert page.status_code == 409
    assert f"Go to run {run.pk}" in page.content.decode()


def test_the_overview_shows_what_is_pending_and_its_sql(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    assert "Nobody has planned here yet" in client.get("/migrations/").content.decode()
    stored = kept(a_plan(a_step(risk=Risk.DANGEROUS)))
    page = client.get("/migrations/").content.decode()
    assert "1 migration pending" in page
    assert "shop.0002_more" in page
    assert "ALTER TABLE &quot;shop_order&quot; ADD &quot;note&quot; text NULL" in page
    assert stored.fingerprint[:12] in page
    shown = client.get("/migrations/", headers=JSON).json()
    assert shown["databases"][0]["plan"]["fingerprint"] == stored.fingerprint
    assert shown["open_runs"] == []


def test_an_old_plan_is_not_shown_as_pending_after_a_run(
    client: Client, asked: Callable[..., Run], now: datetime
) -> None:
    run = asked()
    later = now + timedelta(seconds=1)
    Run.objects.filter(pk=run.pk).update(state="succeeded", started_at=now, ended_at=later)
    page = client.get("/migrations/").content.decode()
    assert f'from before <a href="/migrations/runs/{run.pk}/">' in page


def test_a_plan_shows_what_can_be_believed_and_what_cannot_be_undone(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    statements = (
        Statement(sql="DROP CONSTRAINT a", belief=Belief.PREDICTED, note="A guess"),
        Statement(sql="", belief=Belief.PYTHON),
        Statement(sql="", belief=Belief.HIDDEN, note="It asks the database"),
    )
    step = a_step(
        atomic=False,
        reversible=False,
        irreversible_because="Data would be lost.",
        operations=(Operation(kind="RunPython", words="Raw Python", statements=statements),),
    )
    page = client.get(plan_address(kept(a_plan(step)))).content.decode()
    for words in (
        "predicted: a name is looked up when it runs. A guess",
        "Python: what it sends cannot be known before it runs",
        "cannot be previewed. It asks the database",
        "not atomic",
        "Data would be lost.",
        "Request this run",
        "The test says so.",
    ):
        assert words in page


def test_a_plan_that_could_not_be_made_says_why(client: Client, now: datetime) -> None:
    client.post("/migrations/plan/", {"database": "default", "target": "shop"})
    stored = StoredPlan.objects.get()
    operations.refuse_plan(stored.pk, BrokenMigrations(detail="NameError: Q"), now=now)
    page = client.get(plan_address(stored)).content.decode()
    assert "NameError: Q" in page
    assert "Plan again" in page
    assert client.get(plan_address(stored), headers=JSON).json()["refusal"]["error"] == (
        "broken_migrations"
    )


def test_a_newer_try_that_failed_stands_above_an_older_plan(
    client: Client, kept: Callable[..., StoredPlan], robin: Any, now: datetime
) -> None:
    kept()
    later = now + timedelta(seconds=1)
    tried = operations.ask_for_plan(actor=acting(robin), database="default", target="", now=later)
    operations.refuse_plan(tried.pk, BrokenMigrations(detail="NameError: Q"), now=later)
    page = client.get("/migrations/").content.decode()
    assert "The newest try to plan failed." in page
    assert "NameError: Q" in page
    assert "What follows is from before." in page
    again = operations.ask_for_plan(actor=acting(robin), database="default", target="", now=later)
    operations.store_plan(again.pk, a_plan(), now=later + timedelta(seconds=1))
    assert "The newest try to plan failed." not in client.get("/migrations/").content.decode()


def test_a_plan_without_steps_offers_nothing_to_request(
    client: Client, kept: Callable[..., StoredPlan]
) -> None:
    page = client.get(plan_address(kept(replace(a_plan(), steps=())))).content.decode()
    assert "nothing to run" in page
    assert "Request this run" not in page


def test_a_missing_worker_is_told_with_its_remedy(client: Client, now: datetime) -> None:
    client.post("/migrations/plan/", {"database": "default"})
    address = plan_address(StoredPlan.objects.get())
    assert "No worker has ever been seen" in client.get(address).content.decode()
    old = now - timedelta(hours=1)
    Worker.objects.create(name="a:1:run", kind="run", started_at=old, beat_at=old)
    page = client.get(address).content.decode()
    assert "No worker has been seen for 36" in page
    assert "migration_bot worker" in page
    Worker.objects.update(beat_at=now)
    assert "No worker" not in client.get(address).content.decode()


def test_a_waiting_plan_is_polled_without_being_sent_again(client: Client, robin: Any) -> None:
    now = datetime.now(UTC)
    stored = operations.ask_for_plan(actor=acting(robin), database="default", target="", now=now)
    first = client.get(plan_address(stored), headers=JSON)
    known = {"accept": "application/json", "if-none-match": first["ETag"]}
    again = client.get(plan_address(stored), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    operations.plan_progress(stored.pk, "2 of 7", now=now)
    assert client.get(plan_address(stored), headers=known).json()["progress"] == "2 of 7"
