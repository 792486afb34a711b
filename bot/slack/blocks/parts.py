"""The few kinds of block that we send, each within Slack's limits whatever it is given.

Only blocks that every client draws: header, section, context, actions, divider, input; and one
``table`` in a plan, which ``fallback`` knows to do without.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bot.slack.blocks.text import ELLIPSIS, cut, cut_escaped, length, plain, safe_url

Block = dict[str, Any]

SECTION, HEADER, BUTTON = 3000, 150, 75
TABLE_ROWS, TABLE_CHARACTERS = 25, 3500
"""Rows and characters of a table that we send; Slack takes 100 and 10,000."""
MESSAGE = 8000
"""Characters in the blocks of one message. Slack refuses a message as ``msg_blocks_too_long`` near
13,000, and has been seen to at 11,400; the limit is not documented."""
VALUE = 2000
"""Characters of a button's value."""
TEXT = 3000
"""Characters of a message's ``text``; ``chat.update`` takes 4,000."""

ACTION = "migration_bot."
"""What our action and callback ids begin with; they are stored names, never renamed."""


def plain_text(words: str, limit: int) -> Block:
    return {"type": "plain_text", "text": plain(words, limit), "emoji": False}


def markup(words: str, limit: int = SECTION) -> Block:
    """Our markup, its data escaped already. ``verbatim``: Slack adds no links or mentions to it."""
    return {"type": "mrkdwn", "text": cut_escaped(words, limit) or "–", "verbatim": True}


def header(words: str) -> Block:
    return {"type": "header", "text": plain_text(words, HEADER)}


def section(*lines: str) -> Block:
    """The lines that are not empty, one under the other. A line that no longer fits is left out as
    a whole, with those after it: half of one could hold half of a link."""
    shown: list[str] = []
    room = SECTION - 2
    for line in lines:
        room -= length(line) + 1
        if shown and room < 0:
            shown.append(ELLIPSIS)
            break
        if line:
            shown.append(line)
    return {"type": "section", "text": markup("\n".join(shown))}


def context(*words: str) -> Block:
    """Small print: what is not needed at a glance."""
    shown = " · ".join(word for word in words if word)
    return {"type": "context", "elements": [markup(shown, 2000)]}


def divider() -> Block:
    return {"type": "divider"}


def button(words: str, action: str, value: str = "", *, style: str = "", **more: Any) -> Block:
    """``style`` is ``primary``, ``danger`` or empty; ``action`` without our prefix."""
    made: Block = {
        "type": "button",
        "text": plain_text(words, BUTTON),
        "action_id": f"{ACTION}{action}",
    }
    if value:
        made["value"] = cut(value, VALUE)
    if style:
        made["style"] = style
    return made | more


def open_button(url: str, words: str = "Open the page") -> list[Block]:
    """A link to the staff page as a button; none where there is no address."""
    safe = safe_url(url)
    return [button(words, "open", url=safe)] if safe else []


def confirm(title: str, words: str, yes: str, *, danger: bool = False) -> Block:
    """A question before a button's effect. A courtesy of the client, never an authorisation."""
    return {
        "title": plain_text(title, 100),
        "text": plain_text(words, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text("Not now", 30),
        "style": "danger" if danger else "primary",
    }


def actions(*buttons: Block) -> list[Block]:
    """The buttons as a block, or nothing without one."""
    return [{"type": "actions", "elements": list(buttons)}] if buttons else []


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, room: int = TABLE_CHARACTERS
) -> tuple[Block, int]:
    """A table of plain cells, and how many of the rows are in it: those that ``room`` characters
    hold."""
    shown = [[_cell(words) for words in head]]
    for row in rows:
        cells = [_cell(words) for words in row]
        room -= sum(length(cell["text"]) for cell in cells)
        if room < 0 or len(shown) > TABLE_ROWS:
            break
        shown.append(cells)
    settings = [{"align": "left", "is_wrapped": True} for _ in head]
    return {"type": "table", "column_settings": settings, "rows": shown}, len(shown) - 1


def _cell(words: str) -> Block:
    return {"type": "raw_text", "text": plain(words, 200)}


def text_input(
    name: str,
    label: str,
    *,
    placeholder: str = "",
    hint: str = "",
    initial: str = "",
    most: int = 2000,
) -> Block:
    """A field for some lines. Block and action ids are ``name`` and our prefix with ``name``."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": f"{ACTION}{name}",
        "multiline": True,
        "min_length": 1,
        "max_length": most,
        "focus_on_load": True,
    }
    if placeholder:
        element["placeholder"] = plain_text(placeholder, 150)
    if initial:
        element["initial_value"] = cut(initial, most)
    return _input(name, label, element, hint)


def moment_input(
    name: str, label: str, *, hint: str = "", initial: datetime | None = None
) -> Block:
    """A field for a moment, in the reader's own time zone; its value is in Unix seconds."""
    element: Block = {"type": "datetimepicker", "action_id": f"{ACTION}{name}"}
    if initial is not None:
        element["initial_date_time"] = int(initial.timestamp())
    return _input(name, label, element, hint) | {"optional": True}


def _input(name: str, label: str, element: Block, hint: str) -> Block:
    made: Block = {
        "type": "input",
        "block_id": name,
        "label": plain_text(label, 2000),
        "element": element,
    }
    return made | ({"hint": plain_text(hint, 2000)} if hint else {})


def size(blocks: Iterable[Block]) -> int:
    """Characters of all texts in ``blocks``, as ``MESSAGE`` counts them."""
    return sum(_size(block) for block in blocks)


def _size(value: Any) -> int:
    if isinstance(value, dict):
        own = length(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(_size(item) for item in value.values())
    if isinstance(value, list):
        return sum(_size(item) for item in value)
    return 0
