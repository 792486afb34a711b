"""On the staff page: an undo is called one wherever it is asked for, decided or listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.models import Run, StoredPlan
from bot.route.plan import Direction, Plan, Target
from tests.plans import a_plan, a_step

pytestmark = pytest.mark.django_db


@pytest.fixture
def undo() -> Plan:
    target = Target(app="shop", name="0001_initial")
    return replace(a_plan(a_step(direction=Direction.BACKWARD)), target=target)


def test_a_request_to_undo_says_so_before_it_is_decided(
    asked: Callable[..., Run], undo: Plan, signed_in: Any, ada: Any
) -> None:
    run = asked(undo)
    text = signed_in(ada).get(f"/migrations/runs/{run.pk}/").content.decode()
    lead, _, decide = text.partition('id="decide"')
    assert "asks to <strong>undo</strong> 1 step, back to shop 0001_initial on" in lead
    assert "<p>Undo 1 step, back to shop 0001_initial, on <code>" in decide


def test_what_django_would_refuse_to_undo_is_not_offered_but_told(
    kept: Callable[..., StoredPlan], undo: Plan, signed_in: Any, robin: Any
) -> None:
    step = replace(undo.steps[0], reversible=False, irreversible_because="Run Python: lower.")
    for plan, offered in ((undo, True), (replace(undo, steps=(step,)), False)):
        stored = kept(plan)
        text = signed_in(robin).get(f"/migrations/plans/{stored.pk}/").content.decode()
        assert ("Ask for an undo" in text) is offered
        assert ("Django would refuse there" in text) is not offered


def test_nothing_is_told_as_undone_before_it_was(
    asked: Callable[..., Run], undo: Plan, signed_in: Any, ada: Any
) -> None:
    run = asked(undo)
    text = signed_in(ada).get(f"/migrations/runs/{run.pk}/").content.decode()
    assert '<span class="tag">to be undone</span>' in text
    assert '<span class="tag">undone</span>' not in text


def test_what_was_undone_is_told_as_undone(
    asked: Callable[..., Run], undo: Plan, signed_in: Any, ada: Any
) -> None:
    run = asked(undo)
    steps = [{**step, "state": "unapplied"} for step in run.steps]
    Run.objects.filter(pk=run.pk).update(
        state="succeeded", steps=steps, started_at=run.requested_at
    )
    text = signed_in(ada).get(f"/migrations/runs/{run.pk}/").content.decode()
    assert '<span class="tag">undone</span>' in text
    assert "to be undone" not in text


def test_lists_say_which_runs_are_undos(
    asked: Callable[..., Run], undo: Plan, signed_in: Any, ada: Any
) -> None:
    asked(undo)
    for path in ("/migrations/", "/migrations/runs/"):
        text = signed_in(ada).get(path).content.decode()
        assert "Undo 1 step, back to shop 0001_initial" in text


def test_a_plan_of_an_undo_says_so(kept: Any, undo: Plan, signed_in: Any, robin: Any) -> None:
    text = signed_in(robin).get(f"/migrations/plans/{kept(undo).pk}/").content.decode()
    assert "<dd>1 to undo, back to shop 0001_initial</dd>" in text
    assert "What would be undone" in text
    assert "Ask for an undo" in text
