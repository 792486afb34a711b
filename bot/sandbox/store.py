"""Changing the workspace: one change after the other, each with its revision and its own ``ts``."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from bot.conf import get_settings
from bot.route.text import storable, storable_json
from bot.sandbox import names
from bot.sandbox.models import Channel, Message, Workspace

ROW = 1


@dataclass(slots=True)
class Change:
    """One change under way. ``revision`` is what its rows carry; ``ts`` gives out a new one."""

    revision: int
    now: datetime
    _last: int

    def ts(self) -> str:
        """Seconds and six digits, as Slack's: unique, and greater than every one before."""
        wanted = round(self.now.timestamp() * 1_000_000)
        self._last = max(wanted, self._last + 1)
        Workspace.objects.filter(pk=ROW).update(last_ts=self._last)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


@contextmanager
def changing(*, now: datetime) -> Iterator[Change]:
    """A transaction on the state database that no other change runs beside."""
    using = get_settings().state_database
    with transaction.atomic(using=using):
        # First of all an update: it takes the write lock on every database, SQLite included.
        if not Workspace.objects.filter(pk=ROW).update(revision=F("revision") + 1):
            Workspace.objects.get_or_create(
                pk=ROW, defaults={"revision": 1, "scopes": list(names.SCOPES)}
            )
        row = Workspace.objects.select_for_update().get(pk=ROW)
        yield Change(row.revision, now, row.last_ts)


def workspace() -> Workspace:
    """The row as it stands; one that is not saved before anything has happened."""
    found = Workspace.objects.filter(pk=ROW).first()
    return found or Workspace(pk=ROW, scopes=list(names.SCOPES))


def add_message(change: Change, *, channel: str, user: str, **fields: Any) -> Message:
    """Write a message and return it. ``blocks`` without ids get them, as in Slack."""
    fields["text"] = storable(fields.get("text") or "")
    fields["blocks"] = with_block_ids(storable_json(fields.get("blocks") or []))
    return Message.objects.create(
        channel=channel, user=user, ts=change.ts(), revision=change.revision, **fields
    )


def with_block_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The blocks, each with a ``block_id``."""
    return [{**block, "block_id": block.get("block_id") or new_id("", 5)} for block in blocks]


def new_id(kind: str, length: int = 10) -> str:
    """An id that begins with ``kind``, in capitals and digits as Slack's are."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return kind + "".join(secrets.choice(alphabet) for _ in range(length))


def direct_messages(user: str) -> Channel:
    """The direct messages of this person and the bot; made when there are none."""
    channel, _ = Channel.objects.get_or_create(
        pk=names.im_of(user), defaults={"name": names.BOT_NAME, "person": user}
    )
    return channel
