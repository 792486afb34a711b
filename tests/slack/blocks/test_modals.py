from __future__ import annotations

import json
from dataclasses import replace

from bot.route.findings import Finding, Risk
from bot.slack.blocks import notice_modal, override_modal, reject_modal, request_modal
from tests.slack.blocks.checks import check_view, texts
from tests.slack.blocks.samples import FINDINGS, NOW, a_plan, a_run, an_undo


def test_the_request_modal_sums_the_plan_up_and_asks_why() -> None:
    view = request_modal(ids={"plan": "p-1"}, plan=a_plan(), reason="So far")
    check_view(view, "modal")
    words = "\n".join(text for _, text in texts(view))
    assert "`shop` on `default`, 3 steps." in words
    assert "*Worst finding*" in words
    assert view["callback_id"] == "migration_bot.request_reason"
    reason = next(b for b in view["blocks"] if b.get("block_id") == "reason")
    assert reason["element"]["action_id"] == "migration_bot.reason"
    assert reason["element"]["initial_value"] == "So far"
    assert reason["element"]["max_length"] == 2000


def test_whoever_asks_is_told_that_nobody_can_approve_it_as_it_is() -> None:
    view = request_modal(ids={"plan": "p-1"}, plan=a_plan(forbidden=("not_null",)))
    check_view(view, "modal")
    words = "\n".join(text for _, text in texts(view))
    assert "*Forbidden as it is* by `not_null`. Mend that and plan again" in words


def test_whoever_asks_for_an_undo_reads_that_it_is_one() -> None:
    back = tuple(replace(step, direction="backward") for step in a_plan().steps)
    plan = a_plan(steps=back, target="shop zero")
    run = an_undo(a_run(forbidden=("not_null",)))
    for view in (request_modal(ids={}, plan=plan), reject_modal(run), override_modal(run)):
        check_view(view, "modal")
        assert any("Undo 3 steps, back to " in text for _, text in texts(view))


def test_a_modal_carries_ids_alone() -> None:
    view = request_modal(ids={"plan": "p-1"}, plan=a_plan())
    assert json.loads(view["private_metadata"]) == {"plan": "p-1"}
    assert json.loads(reject_modal(a_run())["private_metadata"]) == {"run": 12}


def test_without_a_plan_the_request_modal_says_that_it_is_planned_first() -> None:
    view = request_modal(ids={"target": "shop"}, database="default", target="shop", at=NOW)
    check_view(view, "modal")
    assert "It is planned first" in str(view)
    at = next(b for b in view["blocks"] if b.get("block_id") == "at")
    assert at["optional"] is True
    assert at["element"]["initial_date_time"] == 1795452612


def test_a_no_needs_its_reason() -> None:
    view = reject_modal(a_run())
    check_view(view, "modal")
    assert view["callback_id"] == "migration_bot.reject_reason"
    reason = next(b for b in view["blocks"] if b.get("block_id") == "reason")
    assert "optional" not in reason
    assert reason["element"]["min_length"] == 1


def test_a_run_with_a_long_number_still_has_a_title() -> None:
    check_view(reject_modal(a_run(id=10**18)), "modal")


def test_a_notice_has_nothing_to_submit() -> None:
    view = notice_modal("That did not work", "You may not do that.")
    check_view(view, "modal")
    assert "submit" not in view


def test_the_override_modal_names_what_forbids_it_and_carries_what_was_shown() -> None:
    view = override_modal(a_run(forbidden=("not_null",)))
    check_view(view, "modal")
    words = "\n".join(text for _, text in texts(view))
    assert "does not fill the new column" in words
    assert "writes while it reads" not in words, "what does not forbid it is not in its way"
    assert "*If you approve in spite of it*:\nIt runs after 1 more approval." in words
    assert "Ana asks: New totals" in words
    assert json.loads(view["private_metadata"]) == {"codes": "not_null", "run": 12}
    assert view["callback_id"] == "migration_bot.override_reason"
    marked = override_modal(a_run(forbidden=("not_null",), forbidden_mark="=0123"))
    assert json.loads(marked["private_metadata"])["mark"] == "=0123"


def test_who_overrides_is_told_that_it_runs_now_and_what_else_is_dangerous() -> None:
    """The button of a request says "Approve and run"; the modal's has no room for it."""
    other = replace(FINDINGS[0], code="loses_data", because="It is gone for good.")
    run = a_run(approvals_needed=1, findings=(*FINDINGS, other), forbidden=("not_null",))
    words = "\n".join(text for _, text in texts(override_modal(run)))
    assert "It runs now, without another question." in words
    assert "The plan has 1 other dangerous finding too; see the request." in words


def test_the_override_modal_is_within_limits_however_much_forbids_it() -> None:
    many = tuple(
        Finding(
            code=f"code_{number}" + "x" * 40,
            level=Risk.DANGEROUS,
            because="`*<!channel>&" * 400,
            instead="_~" * 2000,
            step="s" * 60 + "." + "n" * 200,
        )
        for number in range(200)
    )
    codes = tuple(one.code for one in many)
    view = override_modal(a_run(findings=many, forbidden=codes, id=10**18))
    check_view(view, "modal")
    assert "195 more findings" in str(view)
