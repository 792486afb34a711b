"""The scratch database in the place of the target, for this thread and as long as it lasts.

Migrations ask for their database by its alias, and so do models and routers. The alias leads to the
scratch database meanwhile, and every other one can only be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from bot.database.guard import Guard
from bot.database.readonly import close_copy, read_only_copy


@contextmanager
def standing_in(alias: str, scratch: Any) -> Iterator[None]:
    """``connections[alias]`` is ``scratch``; others are asked through read-only copies."""
    before: dict[str, Any] = {name: connections[name] for name in connections}
    guard = Guard()
    copies = {
        name: read_only_copy(original, guard) for name, original in before.items() if name != alias
    }
    try:
        connections[alias] = scratch
        for name, copy in copies.items():
            connections[name] = copy
        yield
    finally:
        for name, original in before.items():
            connections[name] = original
        for copy in copies.values():
            close_copy(copy)
