"""Modals: the reason for a request, and the reason for a no. They carry ids, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from bot.slack.blocks.parts import Block, moment_input, plain_text, section, text_input
from bot.slack.blocks.text import RICH
from bot.slack.blocks.values import PlanView, RunView
from bot.slack.blocks.words import place, risk_line, risk_word, subject, worst_lines

REQUEST_REASON, REJECT_REASON = "migration_bot.request_reason", "migration_bot.reject_reason"
"""Callback ids; stored names."""

REASON, AT = "reason", "at"
"""Block ids of the inputs; their action ids are ``migration_bot.reason`` and ``….at``."""


def request_modal(
    *,
    ids: Mapping[str, str | int],
    plan: PlanView | None = None,
    database: str = "",
    target: str = "",
    reason: str = "",
    at: datetime | None = None,
) -> Block:
    """Asks why, and when. ``plan`` is summed up where there is a fresh one; otherwise ``database``
    and ``target`` say what will be planned first. ``ids`` come back as ``private_metadata``."""
    if plan is None:
        first = section(
            f"{place(database, target, RICH)}.",
            "It is planned first, and asked for at once when the plan is ready.",
        )
    else:
        first = section(
            f"{subject(plan.database, plan.target, len(plan.steps), RICH)}.",
            risk_line(plan.risk, plan.findings, RICH),
            *worst_lines(plan.findings, RICH, rest="in its thread."),
        )
    return _modal(
        REQUEST_REASON,
        ids,
        title="Request a run",
        submit="Request",
        blocks=[
            first,
            text_input(
                REASON,
                "Why now?",
                placeholder="New totals for the November report",
                hint="Whoever approves reads this first.",
                initial=reason,
            ),
            moment_input(AT, "Not before", hint="Empty: as soon as it is approved.", initial=at),
        ],
    )


def reject_modal(run: RunView) -> Block:
    """Asks why not. Its ``private_metadata`` is ``{"run": id}``."""
    risk = risk_word(run.risk).lower()
    return _modal(
        REJECT_REASON,
        {"run": run.id},
        title=f"Reject run {run.id}"[:24],
        submit="Reject",
        blocks=[
            section(
                f"{subject(run.database, run.target, len(run.steps), RICH)}, {risk}.",
                f"{RICH.named(run.requester)} asks: {RICH.free(run.reason, 1500)}",
            ),
            text_input(
                REASON,
                "Why not?",
                hint="The requester reads this. One no ends the request.",
            ),
        ],
    )


def notice_modal(title: str, words: str) -> Block:
    """A modal that only says something, such as a refusal. ``words`` are one of our sentences."""
    return _modal("migration_bot.notice", {}, title=title, submit="", blocks=[section(words)])


def _modal(
    callback_id: str,
    ids: Mapping[str, str | int],
    *,
    title: str,
    submit: str,
    blocks: list[Block],
) -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain_text(title, 24),
        "close": plain_text("Close" if not submit else "Not now", 24),
        "private_metadata": json.dumps(dict(ids), sort_keys=True, separators=(",", ":")),
        "blocks": blocks,
    }
    return view | ({"submit": plain_text(submit, 24)} if submit else {})
