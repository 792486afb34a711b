"""Plans as values."""

from __future__ import annotations

from dataclasses import fields, replace

from bot.route.findings import Finding, Risk
from bot.route.plan import Direction, GrowingWork, Operation, Step


def test_a_step_that_was_judged_is_the_same_in_all_else() -> None:
    step = Step(
        app="shop",
        name="0002_more",
        direction=Direction.BACKWARD,
        operations=(Operation(kind="RunPython", words="Python"),),
        atomic=False,
        reversible=False,
        irreversible_because="It has no reverse.",
        replaces=("shop.0001_old",),
    )
    findings = (Finding(code="x", level=Risk.CAUTION, because="y.", step=step.key),)
    works = (GrowingWork(kind="scan", table="shop_order"),)
    judged = step.judged(findings, works)
    assert judged == replace(step, findings=findings, examined=True, works=works)
    left = [one.name for one in fields(Step) if getattr(judged, one.name) == one.default]
    assert left == [], "a field that this test does not set could be lost unnoticed"
