"""On the staff page: what is worst stands above everything else, however long the plan is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.models import Run
from bot.route.findings import Finding, Risk
from tests.plans import a_plan, a_step

pytestmark = pytest.mark.django_db


def lock(number: int, level: Risk = Risk.DANGEROUS) -> Finding:
    return Finding(
        code="indexes_under_lock",
        level=level,
        because=f"Blocks writes to table {number}.",
        step=f"shop.{number:04}_more",
    )


LOSES = Finding(
    code="loses_data",
    level=Risk.DANGEROUS,
    because="What it holds is gone for good.",
    step="shop.0199_more",
)
STEPS = [a_step(name=f"{n:04}_more", findings=(lock(n),)) for n in range(1, 40)] + [
    a_step(name=f"{n:04}_more", findings=()) for n in range(40, 199)
]


@pytest.fixture
def long_plan() -> Any:
    return a_plan(*STEPS, a_step(name="0199_more", findings=(LOSES,)))


def _worst_of(text: str) -> str:
    return text.partition('id="worst"')[2].partition("</section>")[0]


def test_a_request_names_each_dangerous_kind_before_it_asks_for_a_decision(
    asked: Callable[..., Run], signed_in: Any, ada: Any, long_plan: Any
) -> None:
    run = asked(long_plan)
    for query in ("", "?fragment=1"):
        text = signed_in(ada).get(f"/migrations/runs/{run.pk}/{query}").content.decode()
        worst = _worst_of(text)
        assert "40 findings" in worst
        assert "Blocks writes to table 1." in worst
        assert "and 38 more like it" in worst
        assert "What it holds is gone for good." in worst
        assert 'href="#step-shop.0199_more"' in worst
        assert 'id="step-shop.0199_more"' in text
        assert text.index('id="worst"') < text.index('id="decide"')
        assert text.index(run.reason) < text.index('id="decide"')


def test_a_plan_names_them_before_its_steps(
    kept: Any, signed_in: Any, robin: Any, long_plan: Any
) -> None:
    text = signed_in(robin).get(f"/migrations/plans/{kept(long_plan).pk}/").content.decode()
    assert "What it holds is gone for good." in _worst_of(text)
    assert text.index('id="worst"') < text.index('id="steps"')


def test_where_nothing_is_dangerous_it_is_the_one_worst(
    kept: Any, signed_in: Any, robin: Any
) -> None:
    mild = [a_step(name=f"{n:04}_more", findings=(lock(n, Risk.CAUTION),)) for n in (1, 2)]
    text = signed_in(robin).get(f"/migrations/plans/{kept(a_plan(*mild)).pk}/").content.decode()
    assert "Blocks writes to table 1." in _worst_of(text)
    assert "Blocks writes to table 2." not in _worst_of(text)


def test_where_nothing_was_found_nothing_is_said_of_it(
    kept: Any, signed_in: Any, robin: Any
) -> None:
    plan = a_plan(*(a_step(name=f"{n:04}_more", findings=(), examined=True) for n in (1, 2)))
    text = signed_in(robin).get(f"/migrations/plans/{kept(plan).pk}/").content.decode()
    assert 'id="worst"' not in text


def test_steps_that_have_not_begun_are_not_listed_beside_the_plan(
    asked: Callable[..., Run], signed_in: Any, ada: Any, long_plan: Any
) -> None:
    text = signed_in(ada).get(f"/migrations/runs/{asked(long_plan).pk}/").content.decode()
    assert "The steps of this run" not in text


def test_of_one_step_its_findings_are_shown_once(kept: Any, signed_in: Any, robin: Any) -> None:
    stored = kept(a_plan(a_step(name="0001_more", findings=(lock(1),))))
    text = signed_in(robin).get(f"/migrations/plans/{stored.pk}/").content.decode()
    assert text.count("Blocks writes to table 1.") == 1


def test_the_one_step_of_a_request_is_judged_before_the_decision_too(
    asked: Callable[..., Run], signed_in: Any, ada: Any
) -> None:
    run = asked(a_plan(a_step(findings=(LOSES,))))
    text = signed_in(ada).get(f"/migrations/runs/{run.pk}/").content.decode()
    assert "What it holds is gone for good." in _worst_of(text)
    assert text.index('id="worst"') < text.index('id="decide"')
