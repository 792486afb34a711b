"""What faces above the tasks want done by a worker, by name: a registry that knows no face.

A face registers in its app's ``ready()``, as ``register("deliver", "bot.slack.sending:deliver")``.
Its module is imported only in the process that does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any

_handlers: dict[str, str] = {}
_ticks: list[str] = []
_tidies: list[str] = []


def register(name: str, path: str) -> None:
    """Let ``path`` (``module:function``, taking the row's key) answer wakes called ``name``."""
    _handlers[name] = path


def register_tick(path: str) -> None:
    """Call ``path`` (``module:function``, taking ``now``) at each tick of the clock."""
    if path not in _ticks:
        _ticks.append(path)


def register_tidy(path: str) -> None:
    """Call ``path`` (``module:function``, taking ``now``) whenever the clock tidies, hourly."""
    if path not in _tidies:
        _tidies.append(path)


def names() -> frozenset[str]:
    """What is registered."""
    return frozenset(_handlers)


def perform(name: str, key: str) -> None:
    """Do the work called ``name`` for the row ``key``."""
    _load(_handlers[name])(key)


def tick(*, now: datetime) -> None:
    """Every registered tick, once."""
    for path in _ticks:
        _load(path)(now=now)


def tidies() -> list[Callable[..., Any]]:
    """Every registered tidying; each takes ``now``."""
    return [_load(path) for path in _tidies]


def _load(path: str) -> Callable[..., Any]:
    module, _, function = path.partition(":")
    loaded: Callable[..., Any] = getattr(import_module(module), function)
    return loaded
