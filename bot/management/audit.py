"""``audit verify``, ``audit export`` and ``audit list``."""

from __future__ import annotations

import contextlib
import os
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO, cast

from bot import audit
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.history import positive
from bot.management.plan_words import FINGERPRINT, moment, plural
from bot.models import AuditEntry
from bot.operations import reading
from bot.route.people import Actor
from bot.route.refusals import FileNotWritten


def arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="audit_action", required=True, metavar="action")
    actions.add_parser("verify", help="walk the whole chain and say what does not fit")
    export = actions.add_parser("export", help="write entries as JSON Lines, the oldest first")
    export.add_argument("--since", type=int, metavar="SEQ", help="only entries after this number")
    export.add_argument("--output", default="", metavar="FILE", help="into this file, not stdout")
    listing = actions.add_parser("list", help="show entries, the newest first")
    listing.add_argument("--run", type=positive, metavar="RUN", help="only entries of this run")
    listing.add_argument(
        "--event", default="", help="only events that begin so: run. or run.failed"
    )
    listing.add_argument("--limit", type=positive, default=20, help="at most so many (20)")


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    return _ACTIONS[options["audit_action"]](options, desk)


def _verify(options: Mapping[str, Any], desk: Desk) -> Exit:
    found = audit.verify()
    if desk.as_json:
        desk.document({**asdict(found), "sound": found.sound})
    elif found.sound:
        head = f", up to entry {found.seq}, hash {found.hash}" if found.entries else ""
        desk.write(f"{desk.good('The audit is sound')}: {_entries(found.entries)}{head}")
    else:
        desk.write(desk.bad("The audit is broken:"))
        for problem in found.problems:
            desk.write("\n".join(desk.wrapped(problem, indent="    ", first="  - ")))
    return Exit.FINE if found.sound else Exit.REFUSED


def _export(options: Mapping[str, Any], desk: Desk) -> Exit:
    since, output = options["since"], options["output"]
    if output:
        with _replacing(Path(output)) as stream:
            count = audit.export(stream, since=since)
        if desk.as_json:
            desk.document({"entries": count, "output": output})
    elif desk.as_json:
        entries = reading.entries().order_by("seq")
        entries = entries if since is None else entries.filter(seq__gt=since)
        desk.document({"entries": [audit.as_json(entry) for entry in entries]})
        return Exit.FINE
    else:
        count = audit.export(cast(TextIO, _Plain(desk)), since=since)
    desk.say(f"{_entries(count)} exported.")
    return Exit.FINE


class _Plain:
    """stdout as a stream whose lines already end."""

    def __init__(self, desk: Desk) -> None:
        self._out = desk.out

    def write(self, text: str) -> None:
        self._out.write(text, ending="")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that appears whole or not at all, readable for its owner alone."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise FileNotWritten(path=path, error=error.strerror) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            yield stream
        Path(name).replace(path)
    except OSError as error:
        raise FileNotWritten(path=path, error=error.strerror) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _list(options: Mapping[str, Any], desk: Desk) -> Exit:
    found = reading.entries(run=options["run"], event=options["event"])[: options["limit"]]
    if desk.as_json:
        desk.document({"entries": [audit.as_json(entry) for entry in found]})
        return Exit.FINE
    lines = [line for entry in found for line in _entry(entry, desk)]
    desk.write("\n".join(lines) if lines else "No entries.")
    return Exit.FINE


def _entry(entry: AuditEntry, desk: Desk) -> list[str]:
    run = f", run {entry.run}" if entry.run is not None else ""
    at = audit.moment_of(entry)
    when = moment(at) if at else "(unreadable time)"
    first = f"{entry.seq}. {when} {entry.event}{run}, by {_who(entry)}"
    data = _read(entry.data)
    words = data.get("because") or data.get("error") or data.get("reason") or data.get("step") or ""
    if not data and entry.data != "{}":
        words = "Its data cannot be read: it is no longer what was written."
    words = "; ".join(words) if isinstance(words, list) else str(words)
    lines = desk.wrapped(first, indent="    ", first="")
    if words:
        lines += desk.wrapped(words, indent="    ", first="    ")[:2]
    return [*lines, f"    hash {entry.hash[:FINGERPRINT]}"]


def _who(entry: AuditEntry) -> str:
    try:
        actor = Actor.from_json(_read(entry.actor))
    except (KeyError, TypeError, ValueError):
        return "somebody who cannot be read"
    who = actor.name or actor.account or str(actor.origin)
    return f"{who} ({actor.os_user})" if actor.os_user else who


def _read(text: str) -> dict[str, Any]:
    """The entry's JSON; nothing where it was tampered with."""
    try:
        found = audit.read(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _entries(count: int) -> str:
    return plural(count, "entry") if count == 1 else f"{count} entries"


_ACTIONS: dict[str, Callable[[Mapping[str, Any], Desk], Exit]] = {
    "verify": _verify,
    "export": _export,
    "list": _list,
}
