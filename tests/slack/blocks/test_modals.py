from __future__ import annotations

import json

from bot.slack.blocks import notice_modal, reject_modal, request_modal
from tests.slack.blocks.checks import check_view, texts
from tests.slack.blocks.samples import NOW, a_plan, a_run


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
