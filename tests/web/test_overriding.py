"""On the staff page: what forbids a run is shown, and a box is ticked only by who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bot.models import Decision, Run
from bot.operations import reading
from bot.route.data_checks import BREAKS
from bot.route.findings import Evidence, Finding, Risk
from bot.route.overriding import mark_of
from tests.plans import a_plan, a_step, an_account
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db

BROKEN = Finding(
    code=BREAKS,
    level=Risk.CAUTION,
    because="12 rows of shop_order have NULL in total: SET NOT NULL would fail.",
    instead="Give these rows a value first.",
    evidence=Evidence.MEASURED,
)
BOX = 'name="override"'


@pytest.fixture
def run(asked: Callable[..., Run]) -> Run:
    return asked(a_plan(a_step(findings=(BROKEN,))))


@pytest.fixture
def may(db: None) -> Any:
    return an_account("kay", "approve_run", "override_findings")


def page(client: Client, run: Run, query: str = "") -> str:
    return client.get(f"/migrations/runs/{run.pk}/{query}").content.decode()


def test_everybody_is_shown_what_forbids_it(run: Run, signed_in: Any, robin: Any) -> None:
    for query in ("", "?fragment=1"):
        text = page(signed_in(robin), run, query)
        assert "Forbidden, unless somebody who may override it" in text
        assert "12 rows of shop_order have NULL in total" in text
        assert "measured" in text
        assert BOX not in text


def test_whoever_may_not_override_has_no_form_and_reads_why(
    run: Run, signed_in: Any, ada: Any
) -> None:
    text = page(signed_in(ada), run)
    assert "cannot be approved as it is" in text
    assert f"/migrations/runs/{run.pk}/approve/" not in text
    assert f"/migrations/runs/{run.pk}/reject/" in text
    answer = signed_in(ada).post(f"/migrations/runs/{run.pk}/approve/", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (403, "finding_forbids")


def test_whoever_may_ticks_a_box_and_says_why(run: Run, signed_in: Any, may: Any) -> None:
    client = signed_in(may)
    text = page(client, run)
    assert BOX in text
    assert f'name="seen" value="{BREAKS}"' in text
    address = f"/migrations/runs/{run.pk}/approve/"
    mark = mark_of(reading.forbidden_by(reading.find_run(run.pk)))
    assert f'name="mark" value="{mark}"' in text
    unticked = client.post(address, {"reason": "they are test rows", "seen": BREAKS})
    assert "cannot be approved as it is" in unticked.content.decode()
    without = client.post(address, {"override": "yes", "seen": BREAKS}, headers=JSON)
    assert (without.status_code, without.json()["error"]) == (400, "reason_needed")
    assert not Decision.objects.exists()
    fields = {"override": "yes", "seen": BREAKS, "mark": mark, "reason": "they are test rows"}
    assert client.post(address, fields).status_code == 303
    assert Decision.objects.get().overrides == BREAKS
    after = page(client, run)
    assert f"in spite of <code>{BREAKS}</code>" in after
    assert "they are test rows" in after


@pytest.mark.parametrize("shown", [{"seen": "loses_data"}, {"seen": BREAKS, "mark": "=0123"}])
def test_what_came_since_the_form_was_shown_is_not_overridden(
    run: Run, signed_in: Any, may: Any, shown: dict[str, str]
) -> None:
    fields = {"override": "yes", "reason": "fine", **shown}
    answer = signed_in(may).post(f"/migrations/runs/{run.pk}/approve/", fields, headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (403, "finding_forbids")


def test_as_json_it_says_what_forbids_and_who_overrode(run: Run, signed_in: Any, may: Any) -> None:
    client, address = signed_in(may), f"/migrations/runs/{run.pk}/"
    before = client.get(address, headers=JSON)
    assert before.json()["forbidden_by"] == [BREAKS]
    fields = {"override": "yes", "reason": "fine"}
    after = client.post(f"{address}approve/", fields, headers=JSON).json()
    assert after["forbidden_by"] == []
    assert after["decisions"][0]["overrides"] == [BREAKS]
    assert client.get(address, headers=JSON)["ETag"] != before["ETag"]


def test_where_nothing_forbids_there_is_no_box(
    asked: Callable[..., Run], signed_in: Any, may: Any
) -> None:
    run = asked()
    text = page(signed_in(may), run)
    assert BOX not in text
    assert "Forbidden" not in text
    assert "(optional)" in text


def test_the_form_that_asks_for_a_run_says_that_it_cannot_be_approved_as_it_is(
    kept: Any, signed_in: Any, robin: Any
) -> None:
    stored = kept(a_plan(a_step(findings=(BROKEN,))))
    text = signed_in(robin).get(f"/migrations/plans/{stored.pk}/").content.decode()
    assert "may be asked for but not approved" in text


def test_what_forbids_it_is_said_once_and_names_its_step(
    run: Run, signed_in: Any, ada: Any
) -> None:
    above = page(signed_in(ada), run).partition('id="plan"')[0]
    assert above.count("12 rows of shop_order have NULL in total") == 1
    assert "migration_bot.override_findings, which you do not have" in above


def test_the_plan_says_before_its_steps_that_it_cannot_be_approved(
    kept: Any, signed_in: Any, robin: Any
) -> None:
    stored = kept(a_plan(a_step(findings=(BROKEN,))))
    text = signed_in(robin).get(f"/migrations/plans/{stored.pk}/").content.decode()
    assert "A run of it cannot be approved as it is" in text.partition('id="steps"')[0]
