from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from bot import operations
from bot.models import Freeze, Run
from bot.operations import running
from bot.route.findings import Risk
from bot.route.states import ENDED, State
from tests.plans import a_plan, a_step, acting
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db

TWO = a_plan(a_step(), a_step(name="0003_other"))


def address(run: Run) -> str:
    return f"/migrations/runs/{run.pk}/"


@pytest.fixture
def started(
    asked: Callable[..., Run], ada: Any, now: datetime
) -> Callable[..., tuple[running.Claim, Run]]:
    """A run that a worker has begun."""

    def make() -> tuple[running.Claim, Run]:
        run = operations.approve(asked(TWO).pk, actor=acting(ada), now=now, reason="looks good")
        held = running.claim(run.pk, worker="w", now=now)
        assert held is not None
        running.start(held[0], run.stored_plan.plan.basis, now=now)
        return held

    return make


def test_a_run_is_approved_by_a_form_and_shows_who_decided(
    ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    answer = signed_in(ada).post(f"{address(run)}approve/", {"reason": "read it all"})
    assert (answer.status_code, answer["Location"]) == (303, address(run))
    page = signed_in(ada).get(address(run)).content.decode()
    assert "<strong>ada</strong>" in page
    assert "read it all" in page
    assert "1 of 1 approval" in page


def test_a_rejection_needs_a_reason_and_keeps_what_was_typed(
    ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    client = signed_in(ada)
    page = client.post(f"{address(run)}reject/", {"reason": " "})
    assert page.status_code == 400
    assert '<details class="choice" id="reject-choice" open>' in page.content.decode()
    long = "no " * 1000
    page = client.post(f"{address(run)}reject/", {"reason": long})
    assert page.status_code == 400
    assert long.strip() in page.content.decode()
    assert client.post(f"{address(run)}reject/", {"reason": "not today"}).status_code == 303
    run.refresh_from_db()
    assert run.state == "rejected"
    again = client.post(f"{address(run)}approve/", headers=JSON)
    assert (again.status_code, again.json()["error"]) == (409, "wrong_state")


def test_cancelling_asks_once_more_and_keeps_what_was_typed(
    robin: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    client = signed_in(robin)
    asked_as_json = client.get(f"{address(run)}cancel/", headers=JSON)
    assert asked_as_json.json()["state"] == "requested"
    assert "Keep it" in client.get(f"{address(run)}cancel/").content.decode()
    run.refresh_from_db()
    assert run.state == "requested"
    page = client.post(f"{address(run)}cancel/", {"reason": "x" * 2001})
    assert page.status_code == 400
    assert "x" * 2001 in page.content.decode()
    assert client.post(f"{address(run)}cancel/", {}).status_code == 303
    assert "cannot be cancelled now" in client.get(f"{address(run)}cancel/").content.decode()


def test_the_button_says_what_pressing_it_will_do(
    ada: Any, grace: Any, asked: Callable[..., Run], now: datetime, signed_in: Callable[..., Client]
) -> None:
    run = asked(a_plan(a_step(risk=Risk.DANGEROUS)))
    assert "Approve (1 of 2 needed)" in signed_in(ada).get(address(run)).content.decode()
    operations.approve(run.pk, actor=acting(ada), now=now)
    assert "Approve and run" in signed_in(grace).get(address(run)).content.decode()
    page = signed_in(ada).get(address(run)).content.decode()
    assert "You have already decided" in page
    later = asked(a_plan(a_step(name="0009_x")), run_after=now + timedelta(hours=5))
    assert "Approve, to run at its time" in signed_in(grace).get(address(later)).content.decode()


def test_a_running_run_shows_its_progress_and_who_blocks_it(
    robin: Any,
    started: Callable[..., tuple[running.Claim, Run]],
    now: datetime,
    signed_in: Callable[..., Client],
) -> None:
    hold, run = started()
    running.step_starting(hold, "shop", "0002_more", now=now)
    running.step_done(hold, "shop", "0002_more", milliseconds=3417, now=now)
    running.step_starting(hold, "shop", "0003_other", now=now)
    running.waiting(hold, ["pid 81: SELECT 1"], now=now)
    page = signed_in(robin).get(address(run)).content.decode()
    assert "Running shop.0003_other now." in page
    assert '<progress max="2" value="1"' in page
    assert "3.4 s" in page
    assert "pid 81: SELECT 1" in page
    assert "data-since=" in page
    assert '<noscript><meta http-equiv="refresh" content="3">' in page


def test_an_ended_run_is_not_loaded_again_and_again(
    robin: Any,
    started: Callable[..., tuple[running.Claim, Run]],
    now: datetime,
    signed_in: Callable[..., Client],
) -> None:
    hold, run = started()
    running.succeed(hold, ["shop.0002_more", "shop.0003_other"], now=now)
    page = signed_in(robin).get(address(run)).content.decode()
    assert 'data-kind="run" data-ended="true"' in page
    assert "http-equiv" not in page
    assert "All 2 steps are done." in page


def test_who_may_decide_is_not_interrupted_by_a_reload(
    ada: Any, robin: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    assert "http-equiv" not in signed_in(ada).get(address(run)).content.decode()
    assert "http-equiv" in signed_in(robin).get(address(run)).content.decode()


def test_a_traceback_is_for_who_may_approve(
    robin: Any,
    ada: Any,
    started: Callable[..., tuple[running.Claim, Run]],
    now: datetime,
    signed_in: Callable[..., Client],
) -> None:
    hold, run = started()
    running.fail(
        hold,
        error="duplicate key",
        step="shop.0002_more",
        statement="CREATE UNIQUE INDEX u ON t (a)",
        traceback="Traceback: secret row (1, ada)",
        done=[],
        now=now,
    )
    for path in (address(run), f"{address(run)}?fragment=1"):
        page = signed_in(robin).get(path).content.decode()
        assert "duplicate key" in page
        assert "CREATE UNIQUE INDEX u ON t (a)" in page
        assert "secret row" not in page
        assert "secret row" in signed_in(ada).get(path).content.decode()
    assert "traceback" not in signed_in(robin).get(address(run), headers=JSON).json()
    assert "secret row" in signed_in(ada).get(address(run), headers=JSON).json()["traceback"]
    listed = signed_in(ada).get("/migrations/runs/", headers=JSON).content.decode()
    assert "secret row" not in listed


def test_a_run_is_polled_without_being_sent_again(
    ada: Any, asked: Callable[..., Run], now: datetime, signed_in: Callable[..., Client]
) -> None:
    run = asked()
    client = signed_in(ada)
    first = client.get(address(run), headers=JSON)
    known = {"accept": "application/json", "if-none-match": first["ETag"]}
    again = client.get(address(run), headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == "no-store"
    operations.approve(run.pk, actor=acting(ada), now=now)
    changed = client.get(address(run), headers=known)
    assert (changed.status_code, changed.json()["state"]) == (200, "queued")


def test_the_fragment_is_the_part_that_changes(
    ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked()
    part = signed_in(ada).get(f"{address(run)}?fragment=1").content.decode()
    assert "<html" not in part
    assert re.findall(r'data-part="([\w-]+)"', part) == [
        "head",
        "actions",
        "rehearsal",
        "body",
        "whole-plan",
    ]
    assert f'data-announcement="Run {run.pk} is requested.' in part


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_sentence_and_stops_or_goes_on(
    state: State, ada: Any, asked: Callable[..., Run], signed_in: Callable[..., Client]
) -> None:
    run = asked(TWO)
    Run.objects.filter(pk=run.pk).update(
        state=str(state), stale_because=["shop.0002_more was edited after approval."]
    )
    page = signed_in(ada).get(address(run)).content.decode()
    assert f'class="badge state-{state}"' in page
    lead = re.search(r'<p class="lead">(.+)</p>', page)
    assert lead is not None
    assert lead[1].endswith(".")
    assert ('data-kind="run" data-ended="true"' in page) == (state in ENDED)
    assert "was edited after approval" in page


def test_a_freeze_is_told_with_its_owner_and_reason(
    robin: Any, asked: Callable[..., Run], now: datetime, signed_in: Callable[..., Client]
) -> None:
    run = asked()
    Freeze.objects.create(owner="1", owner_name="grace", reason="the sale", since=now)
    Run.objects.filter(pk=run.pk).update(state="approved")
    page = signed_in(robin).get(address(run)).content.decode()
    assert "Approved, but frozen by grace: the sale" in page


def test_an_overdue_request_cannot_be_approved_any_more(
    ada: Any, asked: Callable[..., Run], now: datetime, signed_in: Callable[..., Client]
) -> None:
    run = asked()
    Run.objects.filter(pk=run.pk).update(expires_at=now - timedelta(seconds=1))
    client = signed_in(ada)
    page = client.get(address(run)).content.decode()
    assert "Nobody decided in time" in page
    assert "Approve and run" not in page
    assert client.post(f"{address(run)}approve/", headers=JSON).status_code == 409


@pytest.mark.parametrize("number", ["999", "9" * 30])
def test_a_run_that_is_not_there_is_told_as_such(
    number: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    assert (
        client.get(f"/migrations/runs/{number}/", headers=JSON).json()["error"] == "run_not_found"
    )
    page = client.get(f"/migrations/runs/{number}/")
    assert (page.status_code, "Not found" in page.content.decode()) == (404, True)
    for wish in ("approve", "reject", "cancel"):
        answer = client.post(f"/migrations/runs/{number}/{wish}/", {"reason": "x"}, headers=JSON)
        assert answer.status_code == 404
        page = client.post(f"/migrations/runs/{number}/{wish}/", {"reason": "x"})
        assert page.status_code == 404
