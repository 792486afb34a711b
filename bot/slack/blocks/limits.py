"""Slack's documented limits as a check: what ``invalid_blocks`` would be answered to, and why.

Knows the blocks and elements that we send; any other is a problem by itself. Sources: Slack's Block
Kit reference, the models of slack_sdk 3.47, and for tables and whole messages what others measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from bot.slack.blocks.shapes import BLOCKS, SURFACES, Shape, check_shape, text_object, words
from bot.slack.blocks.text import length

Surface = Literal["message", "modal", "home"]

MESSAGE_TEXT, MESSAGE_CHARACTERS, TABLE_CHARACTERS = 40_000, 12_000, 10_000

_VIEW = {
    "type": words(10),
    "blocks": lambda value, where: iter(()),
    "private_metadata": words(3000, 0),
    "callback_id": words(255),
    "external_id": words(255),
}
_MODAL = {
    "title": text_object(24, "plain_text"),
    "submit": text_object(24, "plain_text"),
    "close": text_object(24, "plain_text"),
    "clear_on_close": lambda value, where: iter(()),
    "notify_on_close": lambda value, where: iter(()),
}


def problems(payload: Mapping[str, Any], surface: Surface) -> list[str]:
    """What is wrong with ``payload`` (arguments of ``chat.postMessage``, or a view), each in words
    that begin with the place; empty when Slack would take it."""
    if surface == "message":
        return [*_message(payload), *_blocks(payload.get("blocks") or [], surface)]
    return [*_view(payload, surface), *_blocks(payload.get("blocks") or [], surface)]


def _message(payload: Mapping[str, Any]) -> Iterator[str]:
    blocks, text = payload.get("blocks") or [], payload.get("text") or ""
    if not blocks and not text:
        yield "message: no_text: neither text nor blocks"
    if not isinstance(text, str) or length(text) > MESSAGE_TEXT:
        yield f"text: more than {MESSAGE_TEXT} characters"
    if isinstance(blocks, list):
        if len(blocks) > 50:
            yield f"blocks: {len(blocks)}, and at most 50 fit a message"
        if (size := characters(blocks)) > MESSAGE_CHARACTERS:
            yield f"blocks: msg_blocks_too_long: {size} characters in all"
    yield from _metadata(payload.get("metadata"))


def _metadata(metadata: Any) -> Iterator[str]:
    if metadata is None:
        return
    if not isinstance(metadata, dict) or set(metadata) - {"event_type", "event_payload"}:
        yield "metadata: takes event_type and event_payload"
        return
    yield from words(255)(metadata.get("event_type"), "metadata.event_type")
    if not isinstance(metadata.get("event_payload"), dict):
        yield "metadata.event_payload: must be an object"


def _view(view: Mapping[str, Any], surface: Surface) -> Iterator[str]:
    given = dict(view)
    if given.get("type") != surface:
        yield f"view.type: must be {surface}"
    blocks = given.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 100:
        yield "view.blocks: between 1 and 100 blocks"
        blocks = []
    required = {"type": _VIEW["type"], "blocks": _VIEW["blocks"]}
    optional = {key: check for key, check in _VIEW.items() if key not in required}
    if surface == "modal":
        required["title"] = _MODAL["title"]
        optional |= {key: check for key, check in _MODAL.items() if key != "title"}
        inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if inputs and "submit" not in given:
            yield "view.submit: a modal with inputs needs it"
    yield from check_shape(Shape(required=required, optional=optional), given, "view")


def _blocks(blocks: Any, surface: Surface) -> Iterator[str]:
    if not isinstance(blocks, list):
        yield "blocks: must be a list"
        return
    for number, block in enumerate(blocks):
        where = f"blocks[{number}]"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or kind not in BLOCKS:
            yield f"{where}: {kind!r} is not a block that is sent here"
        elif surface not in SURFACES.get(kind, (surface,)):
            yield f"{where}: a {kind} block may not stand in a {surface}"
        else:
            yield from check_shape(BLOCKS[kind], block, where)
            yield from _action_ids(block, where)
    known = [block for block in blocks if isinstance(block, dict)]
    yield from _twice((b["block_id"] for b in known if "block_id" in b), "block_id")
    tables = [block for block in known if block.get("type") == "table"]
    if len(tables) > 1:
        yield "blocks: only one table fits a message"
    if characters(tables) > TABLE_CHARACTERS:
        yield f"blocks: a table holds at most {TABLE_CHARACTERS} characters"


def _action_ids(block: dict[str, Any], where: str) -> Iterator[str]:
    elements = block.get("elements")
    held = [e for e in elements if isinstance(e, dict)] if isinstance(elements, list) else []
    yield from _twice((e["action_id"] for e in held if "action_id" in e), f"{where}: action_id")


def _twice(ids: Iterator[Any], where: str) -> Iterator[str]:
    counted = Counter(value for value in ids if isinstance(value, str))
    yield from (
        f"{where}: {value!r} stands twice" for value, number in counted.items() if number > 1
    )


def characters(value: Any) -> int:
    """The characters of every ``text`` inside blocks."""
    if isinstance(value, Mapping):
        text = value.get("text")
        own = length(text) if isinstance(text, str) else 0
        return own + sum(characters(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return sum(characters(item) for item in value)
    return 0
