"""Text from elsewhere, made fit to be kept: what a database cannot hold is shown, not lost."""

from __future__ import annotations

from typing import Any


def storable(text: str) -> str:
    """``text`` without what PostgreSQL refuses: NUL becomes U+2400, half a character U+FFFD."""
    return text.replace("\x00", "\u2400").encode("utf-8", "replace").decode("utf-8")


def storable_json(value: Any) -> Any:
    """The same for every text inside plain JSON values."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(item) for item in value]
    return value
