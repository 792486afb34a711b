"""The shapes of Block Kit that we send: each key of each block and element, and what it may hold.

A check takes a value and the place it stands in, and yields what is wrong with it, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.slack.blocks.text import length

Check = Callable[[Any, str], Iterator[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    required: Mapping[str, Check]
    optional: Mapping[str, Check] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()
    """Optional keys of which at least one must be there."""


def check_shape(shape: Shape, value: Any, where: str) -> Iterator[str]:
    """What is wrong with one object: missing keys, keys that nobody knows, and their values."""
    if not isinstance(value, dict):
        yield f"{where}: must be an object"
        return
    for key in shape.required:
        if key not in value:
            yield f"{where}.{key}: is missing"
    if shape.any_of and not any(key in value for key in shape.any_of):
        yield f"{where}: needs {' or '.join(shape.any_of)}"
    for key, given in value.items():
        check = shape.required.get(key) or shape.optional.get(key)
        if check is None:
            yield f"{where}.{key}: invalid additional property"
        else:
            yield from check(given, f"{where}.{key}")


def words(most: int, fewest: int = 1) -> Check:
    """A string of so many characters."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where}: must be a string"
        elif not fewest <= length(value) <= most:
            yield f"{where}: {length(value)} characters, must be {fewest} to {most}"

    return check


def is_true_or_false(value: Any, where: str) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"{where}: must be true or false"


def whole(least: int, most: int) -> Check:
    """A whole number between both."""

    def check(value: Any, where: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            yield f"{where}: must be a whole number from {least} to {most}"

    return check


def choice(*allowed: str) -> Check:
    def check(value: Any, where: str) -> Iterator[str]:
        if value not in allowed:
            yield f"{where}: must be one of {', '.join(allowed)}"

    return check


def address(value: Any, where: str) -> Iterator[str]:
    """A link of a button: http(s), at most 3,000 characters."""
    if not isinstance(value, str) or not value.startswith(("http://", "https://")):
        yield f"{where}: must be an http or https address"
    elif length(value) > 3000:
        yield f"{where}: more than 3000 characters"


def listing(each: Check, most: int, fewest: int = 1) -> Check:
    """A list of so many, each of which is checked."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: must be a list"
            return
        if not fewest <= len(value) <= most:
            yield f"{where}: {len(value)} items, must be {fewest} to {most}"
        for number, item in enumerate(value):
            yield from each(item, f"{where}[{number}]")

    return check


def text_object(most: int, *kinds: str) -> Check:
    """A text object of one of ``kinds`` (both by default) of at most ``most`` characters."""
    allowed = kinds or ("plain_text", "mrkdwn")

    def check(value: Any, where: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in allowed:
            yield f"{where}: must be a text object of type {' or '.join(allowed)}"
            return
        extra = {"emoji": is_true_or_false} if kind == "plain_text" else {}
        extra |= {"verbatim": is_true_or_false} if kind == "mrkdwn" else {}
        required = {"type": choice(*allowed), "text": words(most)}
        yield from check_shape(Shape(required=required, optional=extra), value, where)

    return check


def one_of(*kinds: str) -> Check:
    """An element of one of these types."""

    def check(value: Any, where: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind in ("plain_text", "mrkdwn") and kind in kinds:
            yield from text_object(3000)(value, where)
        elif kind in kinds and isinstance(kind, str):
            yield from check_shape(ELEMENTS[kind], value, where)
        else:
            yield f"{where}: a {kind!r} may not stand here"

    return check


def _confirm(value: Any, where: str) -> Iterator[str]:
    yield from check_shape(_CONFIRM, value, where)


def _option(value: Any, where: str) -> Iterator[str]:
    yield from check_shape(_OPTION, value, where)


def _column(value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    align = choice("left", "center", "right")
    shape = Shape(required={}, optional={"align": align, "is_wrapped": is_true_or_false})
    yield from check_shape(shape, value, where)


_TYPE = words(50)
_ID = words(255)
_CONFIRM = Shape(
    required={
        "title": text_object(100, "plain_text"),
        "text": text_object(300),
        "confirm": text_object(30, "plain_text"),
        "deny": text_object(30, "plain_text"),
    },
    optional={"style": choice("primary", "danger")},
)
_OPTION = Shape(
    required={"text": text_object(75), "value": words(150)},
    optional={"description": text_object(75, "plain_text"), "url": address},
)
_FOCUS: Mapping[str, Check] = {"action_id": _ID, "focus_on_load": is_true_or_false}
_PLACEHOLDER: Mapping[str, Check] = {"placeholder": text_object(150, "plain_text")}

ELEMENTS: Mapping[str, Shape] = {
    "button": Shape(
        required={"type": _TYPE, "text": text_object(75, "plain_text")},
        optional={
            "action_id": _ID,
            "value": words(2000),
            "url": address,
            "style": choice("primary", "danger"),
            "confirm": _confirm,
            "accessibility_label": words(75),
        },
    ),
    "overflow": Shape(
        required={"type": _TYPE, "options": listing(_option, 5)},
        optional={"action_id": _ID, "confirm": _confirm},
    ),
    "static_select": Shape(
        required={"type": _TYPE, "options": listing(_option, 100)},
        optional={**_FOCUS, **_PLACEHOLDER, "initial_option": _option, "confirm": _confirm},
    ),
    "datetimepicker": Shape(
        required={"type": _TYPE},
        optional={**_FOCUS, "initial_date_time": whole(1_000_000_000, 9_999_999_999)},
    ),
    "plain_text_input": Shape(
        required={"type": _TYPE},
        optional={
            **_FOCUS,
            **_PLACEHOLDER,
            "initial_value": words(3000),
            "multiline": is_true_or_false,
            "min_length": whole(0, 3000),
            "max_length": whole(1, 3000),
        },
    ),
    "image": Shape(
        required={"type": _TYPE, "image_url": address, "alt_text": words(2000)},
    ),
    "raw_text": Shape(required={"type": _TYPE, "text": words(10_000)}),
}

_BLOCK_ID: Mapping[str, Check] = {"block_id": _ID}

BLOCKS: Mapping[str, Shape] = {
    "actions": Shape(
        required={
            "type": _TYPE,
            "elements": listing(
                one_of("button", "overflow", "static_select", "datetimepicker"), 25
            ),
        },
        optional=_BLOCK_ID,
    ),
    "context": Shape(
        required={"type": _TYPE, "elements": listing(one_of("plain_text", "mrkdwn", "image"), 10)},
        optional=_BLOCK_ID,
    ),
    "divider": Shape(required={"type": _TYPE}, optional=_BLOCK_ID),
    "header": Shape(
        required={"type": _TYPE, "text": text_object(150, "plain_text")}, optional=_BLOCK_ID
    ),
    "section": Shape(
        required={"type": _TYPE},
        optional={
            **_BLOCK_ID,
            "text": text_object(3000),
            "fields": listing(text_object(2000), 10),
            "accessory": one_of("button", "overflow", "static_select", "image"),
            "expand": is_true_or_false,
        },
        any_of=("text", "fields"),
    ),
    "input": Shape(
        required={
            "type": _TYPE,
            "label": text_object(2000, "plain_text"),
            "element": one_of("plain_text_input", "datetimepicker", "static_select"),
        },
        optional={
            **_BLOCK_ID,
            "hint": text_object(2000, "plain_text"),
            "optional": is_true_or_false,
            "dispatch_action": is_true_or_false,
        },
    ),
    "table": Shape(
        required={
            "type": _TYPE,
            "rows": listing(listing(one_of("raw_text"), 20), 100),
        },
        optional={**_BLOCK_ID, "column_settings": listing(_column, 20, 0)},
    ),
}

SURFACES: Mapping[str, tuple[str, ...]] = {"table": ("message",)}
"""Blocks that may not stand everywhere."""
