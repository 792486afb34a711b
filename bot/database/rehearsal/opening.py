"""A connection that stands in for the target's own, and leads to a scratch database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def connection_like(target: Any, settings: Mapping[str, Any]) -> Any:
    """A new one with the target's class and alias, to where ``settings`` lead; it commits each
    statement by itself and lives as long as it is needed, whatever they say."""
    own = {**settings, "AUTOCOMMIT": True, "CONN_MAX_AGE": None, "ATOMIC_REQUESTS": False}
    return type(target)(own, target.alias)


@contextmanager
def closed_at_end(connection: Any) -> Iterator[Any]:
    """Closed also where a migration was broken off inside a transaction."""
    try:
        yield connection
    finally:
        connection.in_atomic_block = False
        connection.close()
