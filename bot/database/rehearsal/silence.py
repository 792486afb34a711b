"""No receiver of the project hears of made-up rows: it may index them, or mail about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import signals

_SIGNALS = (
    signals.pre_init,
    signals.post_init,
    signals.pre_save,
    signals.post_save,
    signals.pre_delete,
    signals.post_delete,
    signals.m2m_changed,
)


@contextmanager
def silence() -> Iterator[None]:
    """The signals of models reach nobody for as long as this lasts."""
    kept = [(signal, signal.receivers) for signal in _SIGNALS]
    try:
        for signal in _SIGNALS:
            signal.receivers = []
            signal.sender_receivers_cache.clear()
        yield
    finally:
        for signal, receivers in kept:
            signal.receivers = receivers
            signal.sender_receivers_cache.clear()
