from __future__ import annotations

from dataclasses import replace

import pytest

from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Belief, Direction, Operation, Statement
from bot.slack.blocks import plan_details, plan_message, plan_sql, sql_of, steps_of
from bot.slack.blocks.values import StepLine
from tests.plans import a_plan as a_route_plan
from tests.plans import a_step
from tests.slack.blocks.checks import check_message, labels, seen
from tests.slack.blocks.samples import FINDINGS, MANY, a_plan


def test_a_plan_says_what_would_run_where_and_how_dangerous_that_is() -> None:
    message = plan_message(a_plan())
    check_message(message)
    assert "`shop` on `default`, 3 steps" in seen(message)
    tally = "(1 measured, 1 predicted, 1 not checked)"
    assert f"*Dangerous*: 3 findings, 1 of them dangerous {tally}" in seen(message)
    assert "Plan: shop on default, 3 steps. Dangerous" in message.text


def test_everything_begins_a_sentence() -> None:
    message = plan_message(a_plan(target="everything"))
    assert "Everything pending on `default`, 3 steps." in seen(message)


def test_the_worst_finding_leads_and_says_what_to_do_instead() -> None:
    message = plan_message(a_plan(findings=FINDINGS[::-1]))
    lead = message.blocks[2]["text"]["text"]
    assert lead.startswith("*Worst finding*: `shop.0007_order_total`, measured")
    assert "Instead: Add the column with a db_default" in lead
    assert lead.endswith("2 more findings in the thread.")


def test_a_measured_finding_comes_before_a_predicted_one_of_its_level() -> None:
    predicted = replace(FINDINGS[0], evidence=Evidence.PREDICTED, step="shop.predicted")
    lead = plan_message(a_plan(findings=(predicted, FINDINGS[0]))).blocks[2]["text"]["text"]
    assert "0007_order_total" in lead


def test_what_nobody_examined_is_never_called_safe() -> None:
    message = plan_message(a_plan(findings=(), risk=Risk.CAUTION))
    check_message(message)
    assert "*Caution*: nobody has checked" in seen(message)
    assert "nobody has checked" in message.text


def test_what_was_examined_and_found_harmless_is_called_safe() -> None:
    message = plan_message(a_plan(findings=(), risk=Risk.SAFE))
    check_message(message)
    assert "*Safe*: every operation was examined, and nothing was found." in seen(message)


def test_how_the_findings_came_about_is_said_in_small_print() -> None:
    message = plan_message(a_plan(notes=("Predicted from <the> catalogue.",)))
    check_message(message)
    assert "Predicted from &lt;the&gt; catalogue." in seen(message)


def test_the_table_has_a_row_a_step() -> None:
    (table,) = [b for b in plan_message(a_plan()).blocks if b["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in table["rows"]]
    assert rows[0] == ["#", "Risk", "Migration", "What it does"]
    assert rows[3] == [
        "3",
        "Caution",
        "shop.0009_fill_totals",
        "Raw Python operation; not atomic; cannot be undone",
    ]


def test_a_step_backwards_says_undo() -> None:
    steps = (StepLine(app="shop", name="0002_more", direction="backward", words="Remove it"),)
    message = plan_message(a_plan(steps=steps))
    assert "undo shop.0002_more" in seen(message)
    assert "undo shop.0002_more" in message.text


def test_a_plan_of_an_undo_begins_with_that_word() -> None:
    steps = (StepLine(app="shop", name="0002_more", direction="backward", words="Remove it"),)
    plan = a_plan(steps=steps, target="shop 0001", sql="x\n" * 99)
    message = plan_message(plan)
    check_message(message)
    assert message.blocks[0]["text"]["text"] == "Plan to undo 1 step, dangerous"
    assert "Undo 1 step, back to `shop 0001` on `default`." in seen(message)
    file = plan_sql(plan)
    assert file is not None
    assert file.file is not None
    assert file.file.content.startswith("-- undo 1 step, back to shop 0001 on default\n")


def test_short_sql_stands_in_the_message() -> None:
    message = plan_message(a_plan())
    assert 'ADD COLUMN "total" numeric(8, 2) NOT NULL;' in seen(message)
    assert plan_sql(a_plan()) is None


def test_long_sql_is_a_file_and_the_message_says_how_long() -> None:
    plan = a_plan(sql='ALTER TABLE "x" ADD "y" int;\n' * 3500)
    assert "SQL: 2 statements, 3501 lines, as a file in the thread." in seen(plan_message(plan))
    message = plan_sql(plan)
    assert message is not None
    check_message(message)
    assert message.file is not None
    assert message.file.name == "plan-4f2a9c01b7e3.sql"
    assert message.file.content.count('ALTER TABLE "x"') == 3500
    assert plan.fingerprint in message.file.content


def test_a_long_table_is_cut_and_says_where_the_rest_is() -> None:
    plan = a_plan(steps=MANY, sql="")
    message = plan_message(plan)
    check_message(message)
    assert "more steps, see the file." in seen(message)
    sql = plan_sql(plan)
    assert sql is not None
    assert sql.file is not None
    assert all(step.key in sql.file.content for step in MANY)


def test_direction_marks_are_visible_in_the_file_too() -> None:
    message = plan_sql(a_plan(sql="DROP\u202eTABLE\n" * 100))
    assert message is not None
    assert message.file is not None
    assert "\u202e" not in message.file.content
    assert r"\u202e" in message.file.content


def test_a_plan_without_sql_says_so() -> None:
    assert "No SQL: this changes Django's state alone." in seen(plan_message(a_plan(sql="")))


def test_the_button_requests_this_very_plan() -> None:
    button = labels(plan_message(a_plan()).blocks)["Request this run"]
    assert button["action_id"] == "migration_bot.request"
    assert button["value"] == a_plan().id


def test_a_plan_that_cannot_be_requested_any_more_has_no_button_for_it() -> None:
    assert set(labels(plan_message(a_plan(requestable=False)).blocks)) == {
        "Rehearse",
        "Open the page",
    }


def test_a_plan_that_cannot_be_carried_out_says_why_instead_of_asking() -> None:
    message = plan_message(a_plan(requestable=False, no_way_back="shop.0002 <cannot> be undone."))
    assert "shop.0002 &lt;cannot&gt; be undone." in seen(message)
    assert "shop.0002 &lt;cannot&gt; be undone." in message.text


def test_a_run_that_asks_for_this_very_plan_is_named_and_the_button_stays_for_after_it() -> None:
    message = plan_message(a_plan(asking_run=12))
    assert "Run 12 already asked for exactly this plan." in seen(message)
    assert "Run 12 already asked for exactly this plan." in message.text
    assert "Request this run" in labels(message.blocks)
    assert "already asked" not in seen(plan_message(a_plan()))


def test_without_a_public_address_there_is_no_link() -> None:
    assert set(labels(plan_message(a_plan(url="")).blocks)) == {
        "Request this run",
        "Rehearse",
    }


def test_nothing_pending_is_one_sentence() -> None:
    message = plan_message(a_plan(steps=(), findings=(), sql=""))
    check_message(message)
    assert message.text == "Nothing is pending: shop on default, as of 2026-11-23 16:50 UTC."
    assert labels(message.blocks) == {}


def test_a_plan_can_be_found_again() -> None:
    assert plan_message(a_plan()).metadata == {
        "event_type": "migration_bot.plan",
        "event_payload": {"plan": a_plan().id, "key": f"plan:{a_plan().id}"},
    }


def test_the_thread_has_every_finding_with_its_remedy_the_worst_first() -> None:
    findings = tuple(
        Finding(
            code="c",
            level=Risk.DANGEROUS if n == 39 else Risk.CAUTION,
            because=f"Because number {n}. " + "It blocks writes. " * 20,
            instead=f"Remedy number {n}.",
            step=f"shop.{n:04}_step",
        )
        for n in range(40)
    )
    plan = a_plan(findings=findings)
    messages = plan_details(plan)
    for message in [plan_message(plan), *messages]:
        check_message(message)
    shown = "\n".join(seen(message) for message in messages)
    assert all(f"Instead: Remedy number {n}." in shown for n in range(40))
    assert shown.index("number 39.") < shown.index("number 0.")
    keys = [message.metadata["event_payload"]["key"] for message in messages if message.metadata]
    assert len(set(keys)) == len(messages) > 1


def test_without_findings_the_thread_has_nothing_to_add() -> None:
    assert plan_details(a_plan(findings=())) == []


def test_steps_are_lines_of_what_their_operations_do() -> None:
    operations = tuple(Operation(kind="AddField", words=f"Add field {n}") for n in range(5))
    step = a_step(operations=operations, atomic=False, reversible=False, replaces=("a.1", "a.2"))
    (line,) = steps_of(a_route_plan(step))
    assert line.words == "Add field 0; Add field 1; Add field 2; and 2 more"
    assert line.marks == ("not atomic", "cannot be undone", "a squash of 2 migrations")
    assert line.risk is Risk.SAFE


def test_a_step_that_nobody_examined_has_no_risk_of_its_own() -> None:
    assert steps_of(a_route_plan(a_step(findings=())))[0].risk is None


def test_undoing_is_not_marked_as_impossible_to_undo() -> None:
    step = a_step(direction=Direction.BACKWARD, reversible=False)
    assert steps_of(a_route_plan(step))[0].marks == ()


def test_the_sql_names_its_step_and_how_far_it_can_be_believed() -> None:
    python = Operation(
        kind="RunPython",
        words="Raw Python operation",
        statements=(Statement(sql="", belief=Belief.PYTHON, note="shop.fill"),),
    )
    sql = sql_of(a_route_plan(a_step(), a_step("shop", "0003_fill", operations=(python,))))
    assert sql.splitlines() == [
        "-- 1. shop.0002_more",
        "-- Add field note to order",
        'ALTER TABLE "shop_order" ADD "note" text NULL;',
        "",
        "-- 2. shop.0003_fill",
        "-- Raw Python operation",
        "-- note: Python runs here; what it sends cannot be known before. shop.fill",
    ]


def test_a_plan_without_statements_has_no_sql() -> None:
    assert sql_of(a_route_plan(a_step(operations=()))) == ""


@pytest.mark.parametrize("lines", [24, 25, 26])
def test_sql_of_more_than_a_phone_shows_is_a_file(lines: int) -> None:
    plan = a_plan(sql="\n".join(["SELECT 1;"] * lines))
    assert (plan_sql(plan) is None) == (lines <= 25)


def test_sql_that_grows_when_escaped_still_fits() -> None:
    check_message(plan_message(a_plan(sql="&" * 1500)))
    check_message(plan_message(a_plan(sql="\u202e" * 1500)))
