from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.slack.blocks.limits import Surface, problems
from bot.slack.blocks.modals import request_modal

Block = dict[str, Any]


def plain(text: str = "x") -> Block:
    return {"type": "plain_text", "text": text}


def markup(text: str = "x") -> Block:
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Any) -> Block:
    return {"type": "section", "text": markup(text), **more}


def button(action: str = "a", **more: Any) -> Block:
    return {"type": "button", "text": plain("Go"), "action_id": action, **more}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def table(rows: int = 1, columns: int = 1, text: str = "x", **more: Any) -> Block:
    cell = {"type": "raw_text", "text": text}
    return {"type": "table", "rows": [[cell] * columns for _ in range(rows)], **more}


def confirm(**more: Any) -> Block:
    return {
        "title": plain(),
        "text": plain(),
        "confirm": plain(),
        "deny": plain(),
        **more,
    }


def a_input(**element: Any) -> Block:
    given = {"type": "plain_text_input", "action_id": "a", **element}
    return {"type": "input", "block_id": "b", "label": plain(), "element": given}


FINE: list[list[Block]] = [
    [section("x" * 3000)],
    [section() for _ in range(50)],
    [{"type": "header", "text": plain("x" * 150)}],
    [{"type": "section", "fields": [markup("x")] * 10}],
    [actions(*(button(f"a{n}", value="v" * 2000) for n in range(25)))],
    [actions(button(url="https://example.com", style="primary", confirm=confirm()))],
    [table(100, 20, column_settings=[{"align": "right", "is_wrapped": True}])],
    [{"type": "context", "elements": [markup()] * 10}, {"type": "divider"}],
    [section(accessory={"type": "overflow", "options": [{"text": plain(), "value": "v"}]})],
]

WRONG: list[tuple[str, list[Block]]] = [
    ("at most 50", [section() for _ in range(51)]),
    ("3001 characters", [section("x" * 3001)]),
    ("0 characters", [section("")]),
    ("needs text or fields", [{"type": "section"}]),
    ("11 items", [{"type": "section", "fields": [markup()] * 11}]),
    ("2001 characters", [{"type": "section", "fields": [markup("x" * 2001)]}]),
    ("151 characters", [{"type": "header", "text": plain("x" * 151)}]),
    ("plain_text", [{"type": "header", "text": markup()}]),
    ("11 items", [{"type": "context", "elements": [markup()] * 11}]),
    ("0 items", [{"type": "context", "elements": []}]),
    ("may not stand here", [{"type": "context", "elements": [button()]}]),
    ("0 items", [actions()]),
    ("26 items", [actions(*(button(f"a{n}") for n in range(26)))]),
    ("action_id: 'a' stands twice", [actions(button(), button())]),
    ("block_id: 'b' stands twice", [section(block_id="b"), section(block_id="b")]),
    ("256 characters", [section(block_id="b" * 256)]),
    ("256 characters", [actions(button("a" * 256))]),
    ("2001 characters", [actions(button(value="v" * 2001))]),
    ("0 characters", [actions(button(value=""))]),
    ("76 characters", [actions({**button(), "text": plain("x" * 76)})]),
    ("http or https", [actions(button(url="javascript:alert(1)"))]),
    ("more than 3000", [actions(button(url="https://a/" + "x" * 3000))]),
    ("primary, danger", [actions(button(style="green"))]),
    ("101 characters", [actions(button(confirm=confirm(title=plain("x" * 101))))]),
    ("301 characters", [actions(button(confirm=confirm(text=plain("x" * 301))))]),
    ("31 characters", [actions(button(confirm=confirm(confirm=plain("x" * 31))))]),
    ("deny: is missing", [actions(button(confirm={"title": plain()}))]),
    ("additional property", [section(colour="red")]),
    ("additional property", [{"type": "section", "text": {**markup(), "emoji": True}}]),
    ("is not a block", [{"type": "carousel"}]),
    ("is not a block", [{"text": plain()}]),
    ("is not a block", ["section"]),  # type: ignore[list-item]
    ("only one table", [table(), table()]),
    ("101 items", [table(101)]),
    ("21 items", [table(1, 21)]),
    ("at most 10000", [table(10, 1, "x" * 1001)]),
    ("0 characters", [table(1, 1, "")]),
    ("left, center, right", [table(column_settings=[{"align": "middle"}])]),
    ("msg_blocks_too_long", [section("x" * 3000) for _ in range(5)]),
    ("whole number", [a_input(max_length=3001)]),
    ("151 characters", [a_input(placeholder=plain("x" * 151))]),
    ("may not stand here", [{**a_input(), "element": button()}]),
    ("true or false", [a_input(multiline="yes")]),
    ("must be a list", [{"type": "actions", "elements": "button"}]),
]


@pytest.mark.parametrize("blocks", FINE)
def test_what_slack_takes_is_no_problem(blocks: list[Block]) -> None:
    assert problems({"text": "x", "blocks": blocks}, "message") == []


@pytest.mark.parametrize(("words", "blocks"), WRONG)
def test_what_slack_refuses_is_a_problem_with_its_reason(words: str, blocks: list[Block]) -> None:
    found = problems({"text": "x", "blocks": blocks}, "message")
    assert any(words in problem for problem in found), found


def test_a_message_of_nothing_is_refused() -> None:
    assert problems({}, "message") == ["message: no_text: neither text nor blocks"]


def test_a_text_of_40000_characters_is_the_longest() -> None:
    assert problems({"text": "x" * 40_000}, "message") == []
    assert problems({"text": "x" * 40_001}, "message")


@pytest.mark.parametrize(
    "metadata", [{"event_type": "x"}, {"event_payload": {}}, {"event_type": 3}, "x"]
)
def test_metadata_needs_its_type_and_its_payload(metadata: Any) -> None:
    assert problems({"text": "x", "metadata": metadata}, "message")


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    assert problems({"text": "x", "blocks": [section("😀" * 1501)]}, "message")


def _without(key: str) -> Callable[[Block], Block]:
    return lambda view: {name: value for name, value in view.items() if name != key}


def _with(**more: Any) -> Callable[[Block], Block]:
    return lambda view: {**view, **more}


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("title: is missing", _without("title")),
        ("submit: a modal with inputs", _without("submit")),
        ("25 characters", _with(title=plain("x" * 25))),
        ("25 characters", _with(submit=plain("x" * 25))),
        ("25 characters", _with(close=plain("x" * 25))),
        ("3001 characters", _with(private_metadata="x" * 3001)),
        ("256 characters", _with(callback_id="x" * 256)),
        ("1 and 100", _with(blocks=[])),
        ("1 and 100", _with(blocks=[section() for _ in range(101)])),
        ("must be modal", _with(type="home")),
        ("additional property", _with(colour="red")),
        ("may not stand in a modal", _with(blocks=[table()])),
    ],
)
def test_what_a_modal_may_not_be(words: str, change: Callable[[Block], Block]) -> None:
    view = request_modal(ids={"plan": "p"}, database="default")
    assert problems(view, "modal") == []
    found = problems(change(view), "modal")
    assert any(words in problem for problem in found), found


@pytest.mark.parametrize("key", ["submit", "close", "title"])
def test_a_home_has_no_buttons_of_a_modal(key: str) -> None:
    surface: Surface = "home"
    home: Block = {"type": "home", "blocks": [section()]}
    assert problems(home, surface) == []
    assert problems({**home, key: plain()}, surface)
