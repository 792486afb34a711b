"""The audit: an append-only chain of hashes, written in the transaction of what it tells of.

An entry's hash covers its number, time, event, actor, run, data and the hash before it, as
canonical JSON. ``AuditHead`` is one row that each writer locks first, so that two writers cannot
both follow the same entry, and that shows a tail that was cut off. A rewrite of everything can be
found only from outside: by the hashes that were posted or exported before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TextIO

from django.db import transaction

from bot.conf import get_settings
from bot.models import AuditEntry, AuditHead
from bot.route.events import Denied, Event
from bot.route.people import Actor
from bot.route.plan_json import isoformat

GENESIS = "0" * 64
"""What the first entry names as the hash before it."""


def canonical(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, ASCII. Refuses floats and NaN."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("a float has no canonical text; keep whole milliseconds or a string")
    if isinstance(value, dict):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _refuse_floats(item)


def entry_hash(
    *, seq: int, at: str, event: str, actor: Any, run: int | None, data: Any, previous: str
) -> str:
    """SHA-256, 64 hex digits, over the canonical JSON of these seven fields."""
    fields = {
        "seq": seq,
        "at": at,
        "event": event,
        "actor": actor,
        "run": run,
        "data": data,
        "previous": previous,
    }
    return hashlib.sha256(canonical(fields).encode("ascii")).hexdigest()


def lock_head() -> AuditHead:
    """Lock the head row until the transaction ends; every writer of state does this first.

    The first statement is a write, so that SQLite takes its write lock (and waits for it) before
    anything was read: a transaction that read first could not be upgraded.
    """
    using = get_settings().state_database
    heads = AuditHead.objects.using(using)
    if not heads.filter(pk=1).update(id=1):
        heads.get_or_create(pk=1, defaults={"seq": 0, "hash": GENESIS})
    return heads.select_for_update().get(pk=1)


def append(event: Event, *, actor: Actor, now: datetime, run: int | None = None) -> AuditEntry:
    """Write one entry at the end of the chain. Must be called inside a transaction."""
    using = get_settings().state_database
    if not transaction.get_connection(using).in_atomic_block:
        raise RuntimeError("an audit entry is written in the transaction of what it tells of")
    head = lock_head()
    name = f"{event.wish}{event.name}" if isinstance(event, Denied) else event.name
    who, data = actor.to_json(), event.data()
    seq = head.seq + 1
    entry = AuditEntry(
        seq=seq,
        at=now,
        event=name,
        actor=canonical(who),
        run=run,
        data=canonical(data),
        previous=head.hash,
        hash=entry_hash(
            seq=seq,
            at=isoformat(now),
            event=name,
            actor=who,
            run=run,
            data=data,
            previous=head.hash,
        ),
    )
    entry.save(using=using, force_insert=True)
    AuditHead.objects.using(using).filter(pk=1).update(seq=seq, hash=entry.hash)
    return entry


def read(text: Any) -> Any:
    """The JSON value of an entry's ``actor`` or ``data``; ValueError for what no writer of ours
    wrote: no JSON, numbers that JSON has not, another text of the same value, or nested so deeply
    that nobody can read it."""
    try:
        value = json.loads(text, parse_constant=_no_number)
        if canonical(value) != text:
            raise ValueError("not the canonical text of its value")
    except (RecursionError, TypeError) as error:
        raise ValueError(str(error)) from error
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def as_json(entry: AuditEntry) -> dict[str, Any]:
    """An entry as the export has it. What was tampered with and cannot be read any more stands
    there as the text it is, and ``unreadable`` names it."""
    value: dict[str, Any] = {"seq": entry.seq, "event": entry.event, "run": entry.run}
    unreadable = []
    at = moment_of(entry)
    value["at"] = isoformat(at) if at else str(entry.at)
    if at is None:
        unreadable.append("at")
    for name, text in (("actor", entry.actor), ("data", entry.data)):
        try:
            value[name] = read(text)
        except ValueError:
            value[name] = str(text)
            unreadable.append(name)
    value |= {"previous": entry.previous, "hash": entry.hash}
    return value | ({"unreadable": unreadable} if unreadable else {})


def moment_of(entry: AuditEntry) -> datetime | None:
    """When it was written; None where the row says no moment any more."""
    at: object = entry.at
    return at if isinstance(at, datetime) else None


def as_line(entry: AuditEntry) -> str:
    """One line of the export, in ASCII: no control or bidirectional character stands there raw."""
    return json.dumps(as_json(entry), ensure_ascii=True, sort_keys=True, default=str) + "\n"


def export(stream: TextIO, *, since: int | None = None) -> int:
    """Write every entry, or those after ``since``, as JSON Lines; returns how many."""
    count = 0
    for entry in _entries(since):
        stream.write(as_line(entry))
        count += 1
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """``problems`` are sentences, at most 20; ``sound`` when there is none."""

    entries: int
    seq: int
    hash: str
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems


def verify(*, limit: int = 20) -> Verification:
    """Walk the whole chain and say what does not fit, while others may go on writing.

    The head is read before the walk, so what it names must be there. What stands after that was
    written meanwhile, if the head, read once more after the walk, has come as far.
    """
    problems: list[str] = []
    seq, previous, count = 0, GENESIS, 0
    before = _head()
    named = GENESIS if before is None or before.seq == 0 else ""
    for entry in _entries(None):
        count += 1
        for problem in _problems(entry, seq + 1, previous):
            if len(problems) < limit:
                problems.append(problem)
        if entry.seq > 0:
            seq, previous = entry.seq, entry.hash
            if before is not None and entry.seq == before.seq:
                named = entry.hash
    after = _head()
    if after is None and count:
        problems.append("The head of the chain is missing.")
    elif before is not None and seq < before.seq:
        problems.append(_not_the_end(before, seq))
    elif before is not None and named and named != before.hash:
        problems.append(f"Entry {before.seq} is not the one that the head names as the newest.")
    elif after is not None and (seq > after.seq or (seq == after.seq and previous != after.hash)):
        problems.append(_not_the_end(after, seq))
    return Verification(entries=count, seq=seq, hash=previous, problems=tuple(problems))


def _head() -> AuditHead | None:
    return AuditHead.objects.using(get_settings().state_database).filter(pk=1).first()


def _not_the_end(head: AuditHead, seq: int) -> str:
    return (
        f"The head says that entry {head.seq} is the newest, but the chain ends at {seq}: "
        "entries were cut off, or added past the bot."
    )


def _problems(entry: AuditEntry, expected: int, previous: str) -> Iterator[str]:
    if entry.seq < 1:
        yield f"Entry {entry.seq} was never written by the bot: the first is entry 1."
        return
    if entry.seq != expected:
        yield f"Entry {expected} is missing: entry {entry.seq} follows entry {expected - 1}."
    if entry.previous != previous:
        yield f"Entry {entry.seq} does not follow the one before it."
    at = moment_of(entry)
    try:
        if at is None:
            raise ValueError("no moment")
        found = entry_hash(
            seq=entry.seq,
            at=isoformat(at),
            event=entry.event,
            actor=read(entry.actor),
            run=entry.run,
            data=read(entry.data),
            previous=entry.previous,
        )
    except (ValueError, TypeError):
        yield f"Entry {entry.seq} cannot be read: its text is no longer what was written."
        return
    if found != entry.hash:
        yield f"Entry {entry.seq} was changed after it was written."


def _entries(since: int | None) -> Iterator[AuditEntry]:
    """Every row there is: one that somebody put before the first would else be seen by nobody."""
    entries = AuditEntry.objects.using(get_settings().state_database).order_by("seq")
    if since is not None:
        entries = entries.filter(seq__gt=since)
    return entries.iterator(chunk_size=1000)
