"""The outbox: what Slack should be told, written in the transaction of the change it tells of.

Nothing is written while no channel is configured. Sending is the worker's business.
"""

from __future__ import annotations

from datetime import datetime

from bot.models import AuditEntry, Run


def run_changed(run: Run, *, now: datetime) -> None:
    """Intend to show this run's newest state in its message."""


def entry_written(entry: AuditEntry, *, now: datetime) -> None:
    """Intend to post this audit entry."""
