"""What somebody filled in, as ``state.values``; and what Slack itself would not let pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

REQUIRED = "Please complete this required field."

_CHOOSES_ONE = frozenset({"static_select", "radio_buttons", "overflow"})
_CHOOSES_MANY = frozenset({"checkboxes", "multi_static_select"})
_SLOT = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
}


def elements(blocks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each block with an element of it that one can press or fill in."""
    for block in blocks:
        inside = [block.get("element"), block.get("accessory")]
        if block.get("type") == "actions":
            inside += block.get("elements", [])
        for element in inside:
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def state_of(element: dict[str, Any], given: Any) -> dict[str, Any] | None:
    """An element's state from what the page sent; None for one without any, as a button."""
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": str(given) if given else None}
    if kind in _CHOOSES_ONE:
        return {"type": kind, "selected_option": next(_chosen(element, [given]), None)}
    if kind in _CHOOSES_MANY:
        wanted = given if isinstance(given, list) else []
        return {"type": kind, "selected_options": list(_chosen(element, wanted))}
    if kind == "datetimepicker":
        number = int(given) if str(given or "").isdecimal() else None
        return {"type": kind, _SLOT[kind]: number}
    if kind in _SLOT:
        return {"type": kind, _SLOT[kind]: str(given) if given else None}
    return None


def values_of(blocks: list[dict[str, Any]], given: dict[str, Any]) -> dict[str, Any]:
    """``state.values``: by block id, then action id."""
    values: dict[str, Any] = {}
    for block, element in elements(blocks):
        of_block = given.get(block["block_id"])
        raw = of_block.get(element["action_id"]) if isinstance(of_block, dict) else None
        if (state := state_of(element, raw)) is not None:
            values.setdefault(block["block_id"], {})[element["action_id"]] = state
    return values


def mistakes(blocks: list[dict[str, Any]], values: dict[str, Any]) -> dict[str, str]:
    """By block id: what is missing, too short or too long. Slack tells this without the app."""
    found = {}
    for block, element in elements(blocks):
        if block["type"] != "input":
            continue
        state = values.get(block["block_id"], {}).get(element["action_id"], {})
        given = next((value for key, value in state.items() if key != "type"), None)
        if not given:
            if not block.get("optional"):
                found[block["block_id"]] = REQUIRED
        elif element["type"] == "plain_text_input":
            length, least, most = len(given), element.get("min_length"), element.get("max_length")
            if least and length < least:
                found[block["block_id"]] = f"Please enter at least {least} characters."
            elif most and length > most:
                found[block["block_id"]] = f"Please enter at most {most} characters."
    return found


def _chosen(element: dict[str, Any], wanted: list[Any]) -> Iterator[dict[str, Any]]:
    return (option for option in element.get("options", []) if option.get("value") in wanted)
