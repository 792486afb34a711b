"""The steps of a run as its row tells them: for each a dict with ``app``, ``name``, ``direction``,
``state`` and, as they come to be known, ``seconds``, ``started_at`` and ``waited``. Nothing here
changes a list that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Told = dict[str, Any]
"""One step, with the keys above."""


def with_step(steps: Sequence[Told], app: str, name: str, **changes: Any) -> list[Told]:
    """The steps, with these fields of one of them changed."""
    return [
        {**step, **changes} if (step["app"], step["name"]) == (app, name) else step
        for step in steps
    ]


def having_waited(steps: Sequence[Told]) -> list[Told]:
    """The step that runs has waited for a lock: its time says nothing of its work."""
    return [{**step, "waited": True} if step["state"] == "running" else step for step in steps]


def direction_of(steps: Sequence[Told], app: str, name: str) -> str:
    """Forward or backward; forward for one that is not among them."""
    return next((s["direction"] for s in steps if (s["app"], s["name"]) == (app, name)), "forward")


def settled(
    steps: Sequence[Told],
    done: Sequence[str],
    *,
    failed: str = "",
    running_becomes: str = "failed",
) -> list[Told]:
    """The steps as the database shows them; events may have been missed or never sent."""
    told = []
    for step in steps:
        key = f"{step['app']}.{step['name']}"
        state = step["state"]
        if key in done:
            state = "unapplied" if step["direction"] == "backward" else "applied"
        elif key == failed:
            state = "failed"
        elif state == "running":
            state = running_becomes
        else:
            state = "not_run"
        told.append({**step, "state": state})
    return told
