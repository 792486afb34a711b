"""Whole payloads, kept as readable files: a change of what people see is seen in review.

``UPDATE_GOLDEN=1 pytest tests/slack/blocks/test_golden.py`` writes them anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.route.states import State
from bot.slack import blocks
from bot.slack.blocks.values import DecisionView
from tests.slack.blocks.samples import (
    BEN,
    HELP,
    HISTORY,
    MEASURED,
    NOW,
    REHEARSAL,
    REHEARSING,
    STATUS,
    WHO,
    a_home,
    a_plan,
    a_run,
    an_entry,
)

FILES = Path(__file__).parents[2] / "data" / "slack"


def _run(state: State) -> Any:
    return blocks.run_message(a_run(state)).to_json()


def overridden() -> Any:
    yes = DecisionView(
        person=BEN, verdict="approve", at=NOW, reason="Test rows.", overrides=("not_null",)
    )
    return a_run(State.QUEUED, decisions=(yes,))


PAYLOADS: dict[str, Callable[[], Any]] = {
    "plan": lambda: blocks.plan_message(a_plan()).to_json(),
    "plan_rehearsed": lambda: blocks.plan_message(a_plan(rehearsal=MEASURED)).to_json(),
    "plan_rehearsing": lambda: blocks.plan_message(a_plan(rehearsal=REHEARSING)).to_json(),
    "plan_rehearsal": lambda: [m.to_json() for m in blocks.plan_rehearsal(a_plan(), REHEARSAL)],
    "run_rehearsed": lambda: blocks.run_message(a_run(rehearsal=MEASURED)).to_json(),
    "run_rehearsal": lambda: [m.to_json() for m in blocks.run_rehearsal(a_run(), REHEARSAL)],
    **{f"run_{state}": partial(_run, state) for state in State},
    "run_details": lambda: [m.to_json() for m in blocks.run_details(a_run(), a_plan())],
    "run_result": lambda: [m.to_json() for m in blocks.run_result(a_run(State.FAILED))],
    "run_failed_broadcast": lambda: blocks.failure_broadcast(a_run(State.FAILED)).to_json(),
    "audit": lambda: blocks.audit_message(an_entry()).to_json(),
    "history": lambda: blocks.history_message(HISTORY).to_json(),
    "status": lambda: blocks.status_message(STATUS).to_json(),
    "help": lambda: blocks.help_message(HELP).to_json(),
    "whoami": lambda: blocks.whoami_message(WHO).to_json(),
    "home": lambda: blocks.home_view(a_home()),
    "request_modal": lambda: blocks.request_modal(ids={"plan": "p"}, plan=a_plan()),
    "run_forbidden": lambda: blocks.run_message(a_run(forbidden=("not_null",))).to_json(),
    "run_overridden": lambda: blocks.run_message(overridden()).to_json(),
    "override_modal": lambda: blocks.override_modal(a_run(forbidden=("not_null",))),
    "reject_modal": lambda: blocks.reject_modal(a_run()),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_is_what_it_was(name: str) -> None:
    path = FILES / f"{name}.json"
    made = json.dumps(PAYLOADS[name](), indent=2, ensure_ascii=False) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


def test_no_file_is_left_over() -> None:
    assert {path.stem for path in FILES.glob("*.json")} == set(PAYLOADS)
