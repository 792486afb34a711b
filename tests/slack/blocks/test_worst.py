"""The largest plan there is: whoever reads the message alone can decide, at any width."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.route.findings import Evidence, Finding, Risk
from bot.slack.blocks import plan_details, plan_message, run_message
from bot.slack.blocks.parts import MESSAGE, size
from bot.slack.blocks.values import PlanView, RunView, StepLine
from bot.slack.values import Message
from tests.slack.blocks.checks import check_message, seen
from tests.slack.blocks.samples import MEASURED, a_plan, a_run

LAST = "warehouse.0197_" + "x" * 55
BREAKS = Finding(
    code="data_breaks_rule",
    level=Risk.DANGEROUS,
    because="12 rows of warehouse_stock have NULL in counted_by: SET NOT NULL would fail.",
    instead="Give these rows a value first.",
    evidence=Evidence.MEASURED,
    step=LAST,
)
LOSES = Finding(
    code="loses_data",
    level=Risk.DANGEROUS,
    because="What warehouse_stock.supplier holds is gone for good.",
    step="warehouse.0120_" + "x" * 55,
)


def _locks(number: int) -> Finding:
    return Finding(
        code="indexes_under_lock",
        level=Risk.DANGEROUS,
        because=f"Blocks writes to table {number} while its index is built.",
        evidence=Evidence.MEASURED,
        step=f"warehouse.{number:04}_{'x' * 55}",
    )


def _minds(number: int) -> Finding:
    return replace(_locks(number), code="brief_lock", level=Risk.CAUTION)


FINDINGS = (*map(_minds, range(18)), *map(_locks, range(20)), LOSES, BREAKS)
"""The worst of them stands last."""
STEPS = tuple(
    StepLine(
        app="warehouse",
        name=f"{number:04}_{'x' * 55}",
        words="Alter field counted_by on stock; Create index stock_by_department on stock",
        marks=("not atomic", "cannot be undone"),
        statements_count=2,
        risk=Risk.DANGEROUS if number in (5, 120, 197) else Risk.SAFE,
    )
    for number in range(1, 201)
)
HELD = "Checked on today's data: warehouse_stock.number is unique; and 19 more."
PLAN: PlanView = a_plan(
    steps=STEPS,
    findings=FINDINGS,
    forbidden=("data_breaks_rule",),
    rehearsal=MEASURED,
    held=HELD,
    sql="ALTER TABLE x;\n" * 900,
)
RUN: RunView = a_run(
    findings=FINDINGS,
    forbidden=("data_breaks_rule",),
    rehearsal=MEASURED,
    held=HELD,
    approvals_because="because it is dangerous",
)
BOTH = pytest.mark.parametrize(
    "message", [plan_message(PLAN), run_message(RUN)], ids=["plan", "run"]
)


@BOTH
def test_what_forbids_it_leads_and_says_what_to_do(message: Message) -> None:
    check_message(message)
    shown = seen(message)
    assert "*Forbidden as it is* by `data_breaks_rule`. Mend that and plan again" in shown
    assert f"*What forbids it*: `{LAST}`, measured\n{BREAKS.because}" in shown
    assert "Instead: Give these rows a value first." in shown
    assert shown.index("Forbidden") < shown.index("40 findings, 22 of them dangerous")


@BOTH
def test_many_findings_of_one_kind_do_not_hide_that_data_is_lost(message: Message) -> None:
    shown = seen(message)
    also = shown.partition("*Also dangerous*:")[2]
    assert f"while its index is built. (`{_locks(0).step}`, and 19 more like it)" in also
    assert f"What warehouse_stock.supplier holds is gone for good. (`{LOSES.step}`)" in also
    assert "37 more findings in the thread." in also


@BOTH
def test_what_holds_on_todays_data_is_seen_by_whoever_approves(message: Message) -> None:
    assert HELD in seen(message)


@BOTH
def test_its_text_alone_says_all_that_decides(message: Message) -> None:
    """Screen readers and telephones' notifications have nothing else."""
    for words in (
        "Forbidden as it is by data_breaks_rule",
        BREAKS.because,
        LOSES.because,
        "40 findings, 22 of them dangerous",
        "Measured on a copy of the schema",
        HELD,
        "2 approvals",
    ):
        assert words in message.text


def test_the_request_says_who_can_approve_it_at_all() -> None:
    shown = seen(run_message(RUN))
    assert "*Needs 2 approvals*, because it is dangerous." in shown
    assert "From anybody who may override findings, but not Ana." in shown


def test_of_200_steps_the_table_shows_the_riskiest_in_their_order() -> None:
    message = plan_message(PLAN)
    assert size(message.blocks) <= MESSAGE
    (table,) = [block for block in message.blocks if block["type"] == "table"]
    rows = [[cell["text"] for cell in row] for row in table["rows"][1:]]
    numbers = [int(row[0]) for row in rows]
    assert {5, 120, 197} < set(numbers)
    assert numbers == sorted(numbers)
    assert rows[numbers.index(197)][1:3] == ["Dangerous", LAST]
    left = 200 - len(rows)
    assert f"These are the riskiest. And {left} more steps, see the file." in seen(message)
    assert "The riskiest steps:" in message.text
    assert f"197. {LAST}" in message.text


def test_what_to_watch_for_is_never_cut_off_behind_many_words() -> None:
    step = replace(STEPS[0], words="Alter field counted_by on stock; " * 20)
    (table,) = [b for b in plan_message(a_plan(steps=(step,))).blocks if b["type"] == "table"]
    assert table["rows"][1][3]["text"].endswith("…; not atomic; cannot be undone")


def test_the_thread_begins_with_what_forbids_it() -> None:
    shown = seen(plan_details(PLAN)[0])
    assert shown.index(BREAKS.because) < shown.index(_locks(0).because)
