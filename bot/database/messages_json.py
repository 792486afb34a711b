"""What the two processes say, to and from lines of JSON: one value a line.

A forked child and a fresh interpreter speak alike so, and a line that was cut off is never half a
message.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from bot.database import messages
from bot.database.messages import Answer, Job, Message
from bot.route.data_checks import check_from_json
from bot.route.plan import Direction, Target
from bot.route.plan_json import basis_from_json

_SENT: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        messages.RunJob,
        messages.PlanJob,
        messages.RehearseJob,
        messages.ReconcileJob,
        messages.Reconciled,
        Answer,
        messages.Locked,
        messages.DataAsked,
        messages.StepStarting,
        messages.StepDone,
        messages.Waiting,
        messages.Retrying,
        messages.FoundStale,
        messages.Finished,
        messages.Broke,
        messages.Stopped,
        messages.RefusedHere,
        messages.Progress,
        messages.Planned,
        messages.Rehearsed,
    )
}
_TUPLES = ("blockers", "applied", "done", "holds", "broken", "not_checked")


class NotAMessage(ValueError):
    """A line on the pipe that nobody of ours can have sent."""


def to_line(value: Job | Answer | Message) -> bytes:
    """One line of JSON, ending in a newline; text inside is escaped, so there is no other."""
    fields = {"kind": type(value).__name__, **asdict(value)}
    return json.dumps(fields, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def from_line(line: bytes) -> Any:
    """The value that ``to_line`` wrote; NotAMessage for anything else."""
    try:
        fields = json.loads(line)
        kind = _SENT[fields.pop("kind")]
        return kind(**_typed(kind, fields))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotAMessage(f"{line[:200]!r}: {error}") from error


def _typed(kind: type[Any], fields: dict[str, Any]) -> dict[str, Any]:
    if "basis" in fields:
        fields["basis"] = basis_from_json(fields["basis"])
    if "target" in fields:
        fields["target"] = Target(**fields["target"])
    if "checks" in fields:
        fields["checks"] = tuple(check_from_json(check) for check in fields["checks"])
    if "direction" in fields:
        fields["direction"] = Direction(fields["direction"])
    if kind is not messages.Progress:
        fields |= {name: tuple(fields[name]) for name in _TUPLES if name in fields}
    return fields
