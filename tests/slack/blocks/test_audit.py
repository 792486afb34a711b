from __future__ import annotations

from typing import Any

import pytest

from bot.route.events import Event
from bot.slack.blocks import audit_message
from bot.slack.blocks.audit import _TOLD
from tests.slack.blocks.checks import check_message, seen
from tests.slack.blocks.samples import an_entry

DATA: dict[str, dict[str, Any]] = {
    "run.requested": {
        "database": "default",
        "target": "shop",
        "risk": "caution",
        "reason": "New totals",
        "steps": ["shop.0007_total forward"],
        "approvals_needed": 1,
    },
    "run.approved": {"approvals": 1, "approvals_needed": 2},
    "run.rejected": {"reason": "Not before the weekend"},
    "run.cancelled": {"reason": "Too early"},
    "run.expired": {"because": "Nobody decided in time."},
    "run.queued": {"database": "default"},
    "run.stale": {"approved": "a", "found": "b", "because": ["shop.0007 was edited."]},
    "run.started": {"fingerprint": "4f2a9c01b7e3ff", "worker": "host:12", "release": "r"},
    "step.applied": {"step": "shop.0007_total", "milliseconds": 420},
    "step.unapplied": {"step": "shop.0007_total", "milliseconds": 420},
    "step.retried": {"step": "shop.0007_total", "attempt": 2, "because": "No lock."},
    "run.succeeded": {"steps": 3, "milliseconds": 65_000},
    "run.failed": {"error": "ProgrammingError: no", "step": "shop.0007_total"},
    "run.interrupted": {"worker": "host:12", "because": "It was killed."},
    "run.reconciled": {"state": "needs_attention", "applied": [], "because": "Nobody knows."},
    "migrate.finished": {"database": "default", "steps": ["a", "b"], "command": "migrate shop"},
    "migrate.failed": {"database": "default", "command": "migrate", "error": "no"},
}

SENTENCES = {
    "run.requested": "Run 12 requested by Ben: shop on default, 1 step, caution. New totals",
    "run.approved": "Run 12 approved by Ben, 1 of 2 approvals.",
    "run.rejected": "Run 12 rejected by Ben. Not before the weekend",
    "run.cancelled": "Run 12 cancelled by Ben. Too early",
    "run.expired": "Run 12 expired. Nobody decided in time.",
    "run.queued": "Run 12 queued on default.",
    "run.stale": "Run 12 was out of date; nothing ran. shop.0007 was edited.",
    "run.started": "Run 12 started with fingerprint 4f2a9c01b7e3 by worker host:12.",
    "step.applied": "Run 12 applied shop.0007_total in 0.42 s.",
    "step.unapplied": "Run 12 undid shop.0007_total in 0.42 s.",
    "step.retried": "Run 12 tries shop.0007_total again, attempt 2. No lock.",
    "run.succeeded": "Run 12 succeeded: 3 steps in 1 min 5 s.",
    "run.failed": "Run 12 failed at shop.0007_total. ProgrammingError: no",
    "run.interrupted": "Run 12 was interrupted. It was killed.",
    "run.reconciled": "Run 12 was reconciled: needs attention. Nobody knows.",
    "migrate.finished": "Migrated by hand: Ben, migrate shop on default, 2 steps.",
    "migrate.failed": "A migrate by hand failed: Ben, migrate on default. no",
}


def _names(event: type[Event] = Event) -> set[str]:
    names = {event.name} if event.name and not event.name.startswith(".") else set()
    return names.union(*(_names(child) for child in event.__subclasses__()))


def test_every_event_of_a_run_has_a_sentence() -> None:
    assert {name for name in _names() if name.split(".")[0] in ("run", "step")} <= set(_TOLD)


@pytest.mark.parametrize("event", SENTENCES)
def test_an_entry_is_told_in_a_sentence(event: str) -> None:
    run = None if event.startswith("migrate") else 12
    message = audit_message(an_entry(event, data=DATA[event], run=run))
    check_message(message)
    assert message.text.startswith(SENTENCES[event])


@pytest.mark.parametrize("event", [*SENTENCES, "run.approve.refused", "link.made"])
def test_an_entry_without_the_facts_it_should_have_is_told_all_the_same(event: str) -> None:
    for data in ({}, dict.fromkeys(("steps", "reason", "because", "milliseconds", "state"), None)):
        for run in (12, None):
            check_message(audit_message(an_entry(event, data=data, run=run)))


def test_a_refusal_says_who_wanted_what_and_why_not() -> None:
    data = {"code": "own_request", "because": "You asked for run 12 yourself."}
    message = audit_message(an_entry("run.approve.refused", data=data))
    check_message(message)
    shown = seen(message)
    assert "*Refused*: Ben, `run.approve`, run 12. You asked for run 12 yourself." in shown


def test_an_event_that_nobody_has_words_for_shows_its_facts() -> None:
    message = audit_message(an_entry("freeze.begun", run=None, data={"reason": "Sale", "n": [1]}))
    check_message(message)
    assert message.text.startswith("Ben: reason Sale, n 1.")


def test_the_channel_witnesses_the_chain() -> None:
    message = audit_message(an_entry())
    assert "audit 41" in message.text
    assert "a1b2c3d4e5f6," in message.text
    assert "|audit 41>" in seen(message)
    assert "`a1b2c3d4e5f6`" in seen(message)
    assert message.metadata == {
        "event_type": "migration_bot.audit",
        "event_payload": {
            "run": 12,
            "seq": 41,
            "hash": "a1b2c3d4e5f6" + "0" * 52,
            "key": "audit:41",
        },
    }


def test_the_audit_calls_nobody() -> None:
    assert "<@" not in seen(audit_message(an_entry()))


def test_an_entry_is_two_small_blocks() -> None:
    assert [block["type"] for block in audit_message(an_entry()).blocks] == ["section", "context"]


def test_a_request_to_undo_says_so() -> None:
    data = {**DATA["run.requested"], "target": "shop 0006", "steps": ["shop.0007_total backward"]}
    message = audit_message(an_entry(event="run.requested", data=data))
    check_message(message)
    words = "requested by Ben: undo 1 step, back to `shop 0006` on `default`, caution."
    assert words in seen(message)
