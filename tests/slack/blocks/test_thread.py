from __future__ import annotations

from dataclasses import replace

import pytest

from bot.route.states import State
from bot.slack.blocks import failure_broadcast, run_details, run_result, run_sql
from bot.slack.blocks.values import StepState
from tests.slack.blocks.checks import check_message, seen
from tests.slack.blocks.samples import MANY, a_plan, a_run


def test_the_details_of_a_small_plan_are_one_message() -> None:
    (message,) = run_details(a_run(), a_plan())
    check_message(message)
    shown = seen(message)
    assert "*Details of run 12.*" in shown
    assert "*Dangerous*: `shop.0007_order_total`, measured" in shown
    assert "Instead: Use AddIndexConcurrently" in shown
    assert "3. `shop.0009_fill_totals`: Caution: Raw Python operation; not atomic" in shown
    assert 'CREATE INDEX "order_total"' in shown


def test_the_details_of_200_steps_have_each_of_them() -> None:
    messages = run_details(a_run(), a_plan(steps=MANY, findings=()))
    for message in messages:
        check_message(message)
    shown = "\n".join(seen(message) for message in messages)
    assert all(f"`{step.key}`" in shown for step in MANY)
    assert "*Details of run 12 (2 of " in shown


def test_each_message_of_a_thread_can_be_found_again() -> None:
    keys = [
        message.metadata["event_payload"]["key"]
        for message in run_details(a_run(), a_plan(steps=MANY))
        if message.metadata
    ]
    assert keys == [f"run_details:12:{n}" for n in range(len(keys))]


def test_long_sql_goes_into_the_thread_as_a_file() -> None:
    assert run_sql(a_run(), a_plan()) is None
    message = run_sql(a_run(), a_plan(sql="SELECT 1;\n" * 10_000))
    assert message is not None
    check_message(message)
    assert message.file is not None
    assert message.file.content.count("SELECT 1;") == 10_000
    assert message.metadata == {
        "event_type": "migration_bot.run",
        "event_payload": {"run": 12, "key": "run_sql:12"},
    }


def test_the_result_has_the_error_its_statement_and_each_step() -> None:
    (message,) = run_result(a_run(State.FAILED))
    check_message(message)
    shown = seen(message)
    assert "Error in `shop.0008_order_index`:\n```\nProgrammingError" in shown
    assert "LINE 1: CREATE INDEX" in shown
    assert 'In this statement:\n```\nCREATE INDEX "order_total"' in shown
    assert "1. `shop.0007_order_total`: applied, 0.42 s" in shown
    assert "2. `shop.0008_order_index`: *failed*, 3.2 s" in shown
    assert "3. `shop.0009_fill_totals`: not run" in shown
    assert "already exists" in message.text


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.STALE, State.NEEDS_ATTENTION])
def test_each_outcome_is_told_in_the_thread(state: State) -> None:
    for message in run_result(a_run(state)):
        check_message(message)
        assert message.text


def test_what_ended_before_it_began_needs_no_result() -> None:
    assert run_result(a_run(State.REJECTED)) == []


def test_a_huge_error_is_cut_and_its_end_is_on_the_page() -> None:
    run = replace(a_run(State.FAILED), error="&<`" * 30_000, error_statement="```" * 30_000)
    for message in run_result(run):
        check_message(message)


def test_a_failure_names_the_requester_and_the_approvers() -> None:
    message = failure_broadcast(a_run(State.FAILED))
    check_message(message)
    shown = seen(message)
    assert "*Run 12 failed* at `shop.0008_order_index` on `default`." in shown
    assert "Asked for by <@U0ANA>, approved by <@U0BEN> and Cleo." in shown
    assert "Asked for by Ana, approved by Ben and Cleo." in message.text


def test_a_run_that_needs_a_person_says_so_to_everybody() -> None:
    assert "Run 12 needs a person" in failure_broadcast(a_run(State.NEEDS_ATTENTION)).text


def test_200_results_are_told_step_by_step() -> None:
    steps = tuple(
        StepState(app="shop", name=f"{n:04}_{'x' * 55}", state="applied", seconds=0.1)
        for n in range(200)
    )
    messages = run_result(a_run(State.SUCCEEDED, steps=steps))
    for message in messages:
        check_message(message)
    assert sum(seen(message).count(": applied, 0.10 s") for message in messages) == 200
