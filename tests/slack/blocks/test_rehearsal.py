from __future__ import annotations

from dataclasses import replace

import pytest

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsing import UNKNOWN, Standing
from bot.route.states import State
from bot.slack.blocks import plan_message, plan_rehearsal, run_message, run_rehearsal
from tests.slack.blocks.checks import check_message, labels, seen
from tests.slack.blocks.samples import (
    MEASURED,
    NOT_REHEARSED,
    REHEARSAL,
    REHEARSING,
    WAITING,
    a_plan,
    a_run,
)

LINES = {
    "": UNKNOWN,
    "Rehearsal: waiting for a worker.": WAITING,
    "Rehearsing on a copy of the schema, step 3 of 7: shop.0009": REHEARSING,
    "Measured on a copy of the schema": MEASURED,
    "Not rehearsed: There is no place for it. Set rehearsal": NOT_REHEARSED,
}


@pytest.mark.parametrize(("words", "standing"), LINES.items())
def test_plan_and_request_say_how_the_rehearsal_stands_also_to_screen_readers(
    words: str, standing: Standing
) -> None:
    for message in (
        plan_message(a_plan(rehearsal=standing)),
        run_message(a_run(rehearsal=standing)),
    ):
        check_message(message)
        assert words in seen(message)
        assert words in message.text
        assert ("ehears" in message.text) is (standing not in (UNKNOWN, MEASURED))


@pytest.mark.parametrize(
    ("standing", "offered"),
    [
        (UNKNOWN, True),
        (NOT_REHEARSED, True),
        (WAITING, False),
        (REHEARSING, False),
        (MEASURED, False),
    ],
)
def test_the_button_is_there_until_there_is_a_rehearsal(standing: Standing, offered: bool) -> None:
    plan, run = plan_message(a_plan(rehearsal=standing)), run_message(a_run(rehearsal=standing))
    assert ("Rehearse" in labels(plan.blocks)) is offered
    assert ("Rehearse" in labels(run.blocks)) is offered


def test_only_a_request_that_waits_offers_a_rehearsal() -> None:
    offering = {state for state in State if "Rehearse" in labels(run_message(a_run(state)).blocks)}
    assert offering == {State.REQUESTED}


def test_the_thread_has_each_step_as_it_went_there() -> None:
    (message,) = plan_rehearsal(a_plan(), REHEARSAL)
    check_message(message)
    for shown in (seen(message), message.text):
        assert "In a throwaway PostgreSQL 15.19 cluster, its schema by pg" in shown
        assert "Locks: ACCESS EXCLUSIVE on shop" in shown
        assert "INSERT on shop" in shown
        assert "null value in column" in shown
        assert "Undo works" in shown
        assert "Failed: relation" in shown
        assert "Its Python was left out" in shown
        assert "Undoing everything gave the schema of before." in shown


def test_the_thread_of_a_run_can_be_found_again() -> None:
    (message,) = run_rehearsal(a_run(), REHEARSAL)
    assert message.metadata == {
        "event_type": "migration_bot.run",
        "event_payload": {"run": 12, "key": "run_rehearsal:12:0"},
    }


def test_the_rehearsal_of_200_steps_has_each_of_them() -> None:
    steps = tuple(replace(REHEARSAL.steps[0], key=f"shop.{n:04}_total") for n in range(200))
    messages = plan_rehearsal(a_plan(), replace(REHEARSAL, steps=steps))
    for message in messages:
        check_message(message)
    shown = "\n".join(seen(message) for message in messages)
    assert all(f"`{step.key}`" in shown for step in steps)


@pytest.mark.parametrize("evidence", Evidence)
def test_each_finding_says_where_its_claim_comes_from_also_to_screen_readers(
    evidence: Evidence,
) -> None:
    finding = Finding(code="x", level=Risk.CAUTION, because="It locks.", evidence=evidence)
    for message in (
        plan_message(a_plan(findings=(finding,))),
        run_message(a_run(findings=(finding,))),
    ):
        assert f", {evidence}" in seen(message)
        assert f", {evidence}" in message.text


def test_much_that_was_measured_is_told_by_points_and_to_screen_readers_as_a_sentence() -> None:
    message = run_message(a_run(rehearsal=MEASURED))
    points = [line for line in seen(message).splitlines() if line.startswith("• ")]
    assert len(points) > 2
    assert "•" not in message.text
