"""Slack's documented limits, enforced as Slack does: one bad block and nothing is posted."""

from __future__ import annotations

from typing import Any, Literal

from bot.sandbox.api.arguments import ApiError
from bot.slack.blocks.limits import problems

METADATA_BYTES = 8000
TOO_LONG = "msg_blocks_too_long"

Surface = Literal["message", "modal", "home"]


def require_valid_blocks(blocks: Any) -> list[dict[str, Any]]:
    """The blocks of a message, or ``invalid_blocks`` with what is wrong with them."""
    if not blocks:
        return []
    found = problems({"blocks": blocks}, "message") if isinstance(blocks, list) else ["not a list"]
    if any(TOO_LONG in words for words in found):
        raise ApiError(TOO_LONG)
    if found:
        raise ApiError("invalid_blocks", errors=found, **_told(found))
    return list(blocks)


def require_valid_view(view: Any, surface: Surface) -> dict[str, Any]:
    """The view, or ``invalid_arguments`` with what is wrong with it."""
    if not isinstance(view, dict) or view.get("type") != surface:
        raise ApiError("invalid_arguments", **_told([f"view: a view of type {surface} is needed"]))
    found = problems(view, surface)
    if found:
        raise ApiError("invalid_arguments", **_told(found))
    return view


def require_metadata(metadata: Any) -> dict[str, Any] | None:
    """A message's metadata: a type and a flat payload."""
    if metadata is None or metadata == {}:
        return None
    if (
        not isinstance(metadata, dict)
        or not isinstance(metadata.get("event_type"), str)
        or not isinstance(metadata.get("event_payload"), dict)
    ):
        raise ApiError("invalid_metadata_format")
    if len(str(metadata)) > METADATA_BYTES:
        raise ApiError("metadata_too_large")
    return metadata


def _told(found: list[str]) -> dict[str, Any]:
    return {"response_metadata": {"messages": [f"[ERROR] {words}" for words in found]}}
