"""How a rehearsal stands as plain JSON values. The shape is part of the outside contract."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.route.plan_json import isoformat
from bot.route.rehearsal import Rehearsal, RehearsedStep
from bot.route.rehearsal_words import lead
from bot.route.rehearsing import Standing, standing_words, step_words


def standing_to_json(standing: Standing) -> dict[str, Any]:
    """``state`` is a ``Stage``; ``measured`` has what the newest rehearsal found, None without."""
    found = standing.rehearsal
    return {
        "state": str(standing.stage),
        "line": standing_words(standing),
        "progress": standing.progress,
        "because": standing.because,
        "at": isoformat(standing.at) if standing.at else None,
        "measured": None if found is None else measured_to_json(found),
    }


def measured_to_json(found: Rehearsal) -> dict[str, Any]:
    """What a rehearsal found, without the statements that it ran."""
    return {
        "at": isoformat(found.made_at),
        "milliseconds": found.milliseconds,
        "where": found.where,
        "schema_from": found.schema_from,
        "lead": list(lead(found)),
        "same_after_undo": str(found.same_after_undo),
        "same_again": str(found.same_again),
        "notes": list(found.notes),
        "steps": [_step(step, found.vendor) for step in found.steps],
    }


def _step(step: RehearsedStep, vendor: str) -> dict[str, Any]:
    return {
        "key": step.key,
        "outcome": str(step.outcome),
        "milliseconds": step.milliseconds,
        "error": step.error,
        "error_statement": step.error_statement,
        "undo": str(step.undo),
        "undo_because": step.undo_because,
        "breaks": [asdict(probe) for probe in step.breaks()],
        "skipped": list(step.skipped),
        "words": list(step_words(step, vendor)),
    }
