"""The one place that asks what time it is; everything else is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Says what time it is."""


def utc_now() -> datetime:
    """Now, aware, in UTC."""
    return datetime.now(UTC)
