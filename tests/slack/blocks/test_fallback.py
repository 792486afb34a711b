from __future__ import annotations

import pytest

from bot.route.states import State
from bot.slack.blocks import plain_fallback, plan_message, run_message, text_only
from bot.slack.values import Message
from tests.slack.blocks.checks import check_message, labels, seen
from tests.slack.blocks.samples import MANY, a_plan, a_run


@pytest.mark.parametrize("state", State)
def test_a_fallback_is_sections_and_plain_buttons_with_the_same_words(state: State) -> None:
    message = run_message(a_run(state))
    plain = plain_fallback(message)
    check_message(plain)
    assert {block["type"] for block in plain.blocks} <= {"section", "actions"}
    assert plain.text == message.text
    assert plain.metadata == message.metadata
    assert "New totals" in seen(plain)
    assert set(labels(plain.blocks)) == set(labels(message.blocks))
    for button in labels(plain.blocks).values():
        assert not set(button) & {"confirm", "style"}


def test_a_table_becomes_lines() -> None:
    plain = plain_fallback(plan_message(a_plan()))
    check_message(plain)
    assert "2 · Caution · shop.0008_order_index · Create index order_total on order" in seen(plain)


def test_the_fallback_of_the_worst_plan_is_valid() -> None:
    check_message(plain_fallback(plan_message(a_plan(steps=MANY, sql="&<>" * 40_000))))


def test_blocks_that_make_no_sense_fall_back_to_the_text() -> None:
    odd = Message(text="All that matters.", blocks=({"type": "carousel"}, {"type": "table"}))
    plain = plain_fallback(odd)
    check_message(plain)
    assert seen(plain) == "All that matters."


def test_the_last_resort_is_the_text_alone() -> None:
    message = run_message(a_run())
    assert text_only(message).blocks == ()
    assert text_only(message).text == message.text
    assert text_only(message).metadata == message.metadata
    check_message(text_only(message))
