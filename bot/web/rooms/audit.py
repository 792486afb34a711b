"""The audit: its entries, whether the chain holds, and the whole of it to take away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from bot import audit as chain
from bot.models import AuditEntry
from bot.operations import reading
from bot.route.people import Actor
from bot.route.refusals import InputNotUnderstood
from bot.web import answers
from bot.web.edge import Visit, staff_view
from bot.web.rooms.common import page_of, paging_as_json, query_without_page, room

CHUNK = 500
"""Entries that the export reads at once; short reads hold no lock and no cursor for long."""


SHOWN = 600
"""Characters of a text that a row shows."""
LISTED = 8
"""Items of a list that a row shows; JSON and the export have all."""

_FINGERPRINT = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryShown:
    seq: int
    at: datetime | None
    event: str
    actor: str
    run: int | None
    facts: list[tuple[str, str]]
    hash: str
    refused: bool


@staff_view("GET")
def audit(visit: Visit) -> HttpResponse:
    """Entries, newest first, by the event's beginning and by run."""
    event, run = _filters(visit)
    page = page_of(visit, reading.entries(run=run, event=event))
    if visit.wants_json:
        entries = [chain.as_json(entry) for entry in page.object_list]
        return answers.as_json({"entries": entries, **paging_as_json(page)})
    seq, digest = reading.audit_head()
    context = {
        "entries": [_entry(entry) for entry in page.object_list],
        "page": page,
        "query": query_without_page(visit),
        "given": {"event": event, "run": run},
        "filtered": bool(event or run is not None),
        "head": {"seq": seq, "hash": digest},
    }
    return room(visit, "audit", context, here="audit")


@staff_view("GET")
def verify(visit: Visit) -> HttpResponse:
    """Walk the whole chain now and say whether every entry is as it was written."""
    found = chain.verify()
    value = {
        "sound": found.sound,
        "entries": found.entries,
        "seq": found.seq,
        "hash": found.hash,
        "problems": list(found.problems),
    }
    if visit.wants_json:
        return answers.as_json(value)
    return room(visit, "verify", {"found": value}, here="audit")


@staff_view("GET")
def export(visit: Visit) -> HttpResponseBase:
    """The chain as JSON Lines, from its beginning; for all staff, who read it on the page too."""
    return StreamingHttpResponse(
        _lines(),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": 'attachment; filename="audit.jsonl"'},
    )


def _lines() -> Iterator[str]:
    rows = reading.entries().order_by("seq")
    found = rows
    while True:
        entries = list(found[:CHUNK])
        for entry in entries:
            yield chain.as_line(entry)
        if len(entries) < CHUNK:
            return
        found = rows.filter(seq__gt=entries[-1].seq)


def _filters(visit: Visit) -> tuple[str, int | None]:
    event = visit.request.GET.get("event", "").strip()
    run = visit.request.GET.get("run", "").strip()
    if len(event) > 100 or "\0" in event:
        raise InputNotUnderstood(because="that is not the beginning of an event's name")
    if run and not (run.isascii() and run.isdigit() and len(run) < 19):
        raise InputNotUnderstood(because=f'"{run[:40]}" is no run\'s number')
    return event, int(run) if run else None


def _entry(entry: AuditEntry) -> EntryShown:
    return EntryShown(
        seq=entry.seq,
        at=chain.moment_of(entry),
        event=entry.event,
        actor=_actor_words(_read(entry.actor)),
        run=entry.run if entry.run is not None and entry.run > 0 else None,
        facts=[(key.replace("_", " "), _words(v)) for key, v in _read(entry.data).items()],
        hash=entry.hash,
        refused=entry.event.endswith(".refused"),
    )


def _read(text: str) -> dict[str, Any]:
    """The entry's JSON; an entry that was tampered with may be anything, and is shown as it is."""
    try:
        found = chain.read(text)
    except ValueError:
        return {"unreadable": str(text)[:SHOWN]}
    return found if isinstance(found, dict) else {"unreadable": str(text)[:SHOWN]}


def _actor_words(data: dict[str, Any]) -> str:
    try:
        actor = Actor.from_json(data)
    except (KeyError, TypeError, ValueError):
        return json.dumps(data)
    name = actor.name or actor.account or actor.slack_user or actor.os_user or "nobody"
    through = {"page": "page", "command_line": "command line", "slack": "Slack", "system": ""}
    place = through[str(actor.origin)]
    return f"{name} ({place})" if place else name


def _words(value: Any) -> str:
    if isinstance(value, list):
        shown = ", ".join(_words(item) for item in value[:LISTED])
        return shown if len(value) <= LISTED else f"{shown}, and {len(value) - LISTED} more"
    if isinstance(value, str):
        return f"{value[:12]}…" if _FINGERPRINT.fullmatch(value) else value
    return json.dumps(value)
