"""What is filled in, in the shapes that Slack gives to state.values."""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.filling import REQUIRED, mistakes, state_of, values_of

OPTIONS = [
    {"text": {"type": "plain_text", "text": word}, "value": word.lower()} for word in ("A", "B")
]


@pytest.mark.parametrize(
    ("kind", "given", "state"),
    [
        ("plain_text_input", "x", {"value": "x"}),
        ("plain_text_input", "", {"value": None}),
        ("datetimepicker", "1700000000", {"selected_date_time": 1700000000}),
        ("datetimepicker", "soon", {"selected_date_time": None}),
        ("datepicker", "2026-11-23", {"selected_date": "2026-11-23"}),
        ("timepicker", "", {"selected_time": None}),
        ("static_select", "b", {"selected_option": OPTIONS[1]}),
        ("static_select", "forged", {"selected_option": None}),
        ("radio_buttons", "a", {"selected_option": OPTIONS[0]}),
        ("checkboxes", ["a", "forged"], {"selected_options": [OPTIONS[0]]}),
        ("checkboxes", None, {"selected_options": []}),
    ],
)
def test_each_kind_of_field_has_its_slot(kind: str, given: Any, state: dict[str, Any]) -> None:
    element = {"type": kind, "action_id": "x", "options": OPTIONS}
    assert state_of(element, given) == {"type": kind, **state}


def test_a_button_has_no_state() -> None:
    assert state_of({"type": "button", "action_id": "x"}, "value") is None


def test_values_are_by_block_and_action() -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "section", "block_id": "s"},
        {
            "type": "input",
            "block_id": "why",
            "element": {"type": "plain_text_input", "action_id": "a"},
        },
    ]
    given = {"why": {"a": "because", "forged": "x"}, "forged": {"a": "x"}}
    assert values_of(blocks, given) == {
        "why": {"a": {"type": "plain_text_input", "value": "because"}}
    }
    assert values_of(blocks, {"why": "nonsense"}) == {
        "why": {"a": {"type": "plain_text_input", "value": None}}
    }


@pytest.mark.parametrize(
    ("more", "value", "words"),
    [
        ({}, "", REQUIRED),
        ({"min_length": 3}, "ab", "Please enter at least 3 characters."),
        ({"max_length": 3}, "abcd", "Please enter at most 3 characters."),
        ({"min_length": 3, "max_length": 3}, "abc", ""),
    ],
)
def test_mistakes_are_told_by_block(more: dict[str, int], value: str, words: str) -> None:
    element = {"type": "plain_text_input", "action_id": "a", **more}
    block = {"type": "input", "block_id": "why", "element": element}
    found = mistakes([block], values_of([block], {"why": {"a": value}}))
    assert found == ({"why": words} if words else {})


def test_what_is_optional_may_be_left_out() -> None:
    element = {"type": "datetimepicker", "action_id": "a"}
    block = {"type": "input", "block_id": "at", "element": element, "optional": True}
    assert mistakes([block], values_of([block], {})) == {}
