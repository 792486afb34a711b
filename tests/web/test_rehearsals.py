"""Rehearsals at the page: who may ask, what is shown in each state, and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bot import operations
from bot.models import AuditEntry, Run, StoredPlan, StoredRehearsal
from bot.operations import rehearsing
from bot.route.findings import Risk
from bot.route.plan import Plan
from tests.plans import a_plan, a_rehearsal, a_step, acting, an_account, measured
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db

RISKY = a_plan(a_step(risk=Risk.CAUTION), a_step(name="0003_other", risk=Risk.SAFE))
SHOWN = {
    "none": "Nobody has rehearsed this plan",
    "waiting": "Rehearsal: waiting for a worker.",
    "rehearsing": "Rehearsing on a copy of the schema, step 1 of 2: shop.0002_more.",
    "measured": "Measured on a copy of the schema",
    "not_rehearsed": "Not rehearsed: There is no place for it. Make one.",
}


def address(stored: StoredPlan) -> str:
    return f"/migrations/plans/{stored.pk}/"


def bring_to(state: str, stored: StoredPlan, who: Any, now: Any, plan: Plan = RISKY) -> None:
    """Have the plan's rehearsal in this state."""
    if state == "none":
        StoredRehearsal.objects.all().delete()
        return
    row = operations.ask_for_rehearsal(stored.pk, actor=acting(who), now=now)
    if state == "waiting":
        return
    held = rehearsing.claim(row.pk, now=now)
    assert held is not None
    if state == "measured":
        found = a_rehearsal(plan, measured(Risk.DANGEROUS))
        operations.store_rehearsal(held, found, now=now)
    elif state == "not_rehearsed":
        operations.refuse_rehearsal(held, "There is no place for it. Make one.", now=now)
    else:
        operations.rehearsal_progress(held, "1 of 2: shop.0002_more", now=now)


@pytest.mark.parametrize("state", SHOWN)
def test_the_plans_page_shows_how_it_stands_and_offers_what_can_be_done(
    state: str, robin: Any, kept: Callable[..., StoredPlan], signed_in: Any, now: Any
) -> None:
    stored = kept(RISKY)
    bring_to(state, stored, robin, now)
    page = signed_in(robin).get(address(stored)).content.decode()
    assert SHOWN[state] in page
    offered = f'action="{address(stored)}rehearse/"' in page
    assert offered is (state in ("none", "not_rehearsed"))
    assert ("data-ended" in page) is (state not in ("waiting", "rehearsing"))
    assert ("Ran in 12 ms." in page) is (state == "measured")


@pytest.mark.parametrize("state", SHOWN)
def test_the_requests_page_shows_it_too(
    state: str, robin: Any, ada: Any, asked: Callable[..., Run], signed_in: Any, now: Any
) -> None:
    run = asked(RISKY)
    StoredRehearsal.objects.all().delete()
    bring_to(state, run.stored_plan, robin, now)
    page = signed_in(ada).get(f"/migrations/runs/{run.pk}/").content.decode()
    assert SHOWN[state] in page
    assert (f"{run.stored_plan_id}/rehearse/" in page) is (state in ("none", "not_rehearsed"))
    if state == "measured":
        assert "risk-dangerous" in page
        assert "0 of 2 approvals because it is dangerous" in page


@pytest.mark.parametrize("state", SHOWN)
def test_a_program_reads_how_it_stands_and_what_was_measured(
    state: str, robin: Any, asked: Callable[..., Run], signed_in: Any, now: Any
) -> None:
    run = asked(RISKY)
    StoredRehearsal.objects.all().delete()
    bring_to(state, run.stored_plan, robin, now)
    client = signed_in(robin)
    plan = client.get(address(run.stored_plan), headers=JSON).json()
    seen = client.get(f"/migrations/runs/{run.pk}/", headers=JSON).json()
    assert plan["rehearsal"] == seen["rehearsal"]
    assert seen["rehearsal"]["state"] == state
    levels = {finding["evidence"] for finding in seen["findings"]}
    if state != "measured":
        assert (seen["rehearsal"]["measured"], levels) == (None, {"predicted"})
        assert plan["plan"]["risk"] == "caution"
        return
    measurements = seen["rehearsal"]["measured"]
    assert measurements["where"] == "a file beside it"
    assert [step["key"] for step in measurements["steps"]] == ["shop.0002_more", "shop.0003_other"]
    assert measurements["steps"][0]["outcome"] == "works"
    assert measurements["steps"][0]["undo"] == "works"
    assert levels == {"measured"}
    assert plan["plan"]["risk"] == "dangerous"


def test_a_page_that_follows_is_told_of_each_change(
    robin: Any, kept: Callable[..., StoredPlan], signed_in: Any, now: Any
) -> None:
    stored, client = kept(RISKY), signed_in(robin)
    etags = [client.get(address(stored), headers=JSON)["ETag"]]
    for state in ("waiting", "rehearsing"):
        bring_to(state, stored, robin, now)
        etags.append(client.get(address(stored), headers=JSON)["ETag"])
    assert len(set(etags)) == 3
    same = client.get(address(stored), headers=JSON | {"if-none-match": etags[-1]})
    assert same.status_code == 304


def test_pressing_leads_to_where_it_can_be_followed(
    robin: Any, kept: Callable[..., StoredPlan], signed_in: Any, now: Any
) -> None:
    stored, client = kept(RISKY), signed_in(robin)
    answer = client.post(f"{address(stored)}rehearse/")
    assert (answer.status_code, answer["Location"]) == (303, address(stored))
    run = operations.request(stored.pk, actor=acting(robin), reason="x", now=now)
    answer = client.post(f"{address(stored)}rehearse/")
    assert answer["Location"] == f"/migrations/runs/{run.pk}/"
    answer = client.post(f"{address(stored)}rehearse/", headers=JSON)
    assert (answer.status_code, answer.json()["rehearsal"]["state"]) == (202, "waiting")
    assert StoredRehearsal.objects.count() == 1


def test_whoever_may_only_look_is_told_what_it_takes(
    grace: Any, kept: Callable[..., StoredPlan], signed_in: Any
) -> None:
    stored, client = kept(RISKY), signed_in(grace)
    page = client.get(address(stored)).content.decode()
    assert "rehearse/" not in page
    assert "Rehearsing takes the permission <code>migration_bot.request_run</code>" in page
    answer = client.post(f"{address(stored)}rehearse/")
    assert answer.status_code == 403
    assert "lacks the permission" in answer.content.decode()
    assert AuditEntry.objects.get().event == "plan.rehearse.refused"
    assert not StoredRehearsal.objects.exists()


@pytest.mark.parametrize("staff", [True, False])
def test_it_takes_a_post_a_token_and_a_staff_account(
    staff: bool, kept: Callable[..., StoredPlan], signed_in: Any
) -> None:
    stored = kept(RISKY)
    who = an_account("eve", "request_run", staff=staff)
    path = f"{address(stored)}rehearse/"
    assert signed_in(who).get(path).status_code == 405
    assert signed_in(who, csrf=True).post(path).status_code == 403
    assert signed_in(who).post(path).status_code == (303 if staff else 403)
    assert Client().post(path, headers=JSON).status_code == 401
    assert StoredRehearsal.objects.exists() is staff


def test_a_plan_that_is_gone_is_said_to_be(robin: Any, signed_in: Any) -> None:
    path = "/migrations/plans/00000000-0000-0000-0000-000000000000/rehearse/"
    assert signed_in(robin).post(path).status_code == 404
    assert signed_in(robin).post(path, headers=JSON).json()["error"] == "plan_not_found"
