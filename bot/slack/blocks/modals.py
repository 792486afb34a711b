"""Modals: the reason for a request, and the reason for a no. They carry ids, nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.route.findings import Risk
from bot.route.weighing import by_weight
from bot.slack.blocks.parts import Block, moment_input, plain_text, section, text_input
from bot.slack.blocks.standing import what_follows
from bot.slack.blocks.text import RICH, count
from bot.slack.blocks.values import PlanView, RunView
from bot.slack.blocks.words import (
    finding_lines,
    forbidden_line,
    place,
    risk_line,
    risk_word,
    subject,
    worst_lines,
)

REQUEST_REASON, REJECT_REASON = "migration_bot.request_reason", "migration_bot.reject_reason"
"""Callback ids; stored names."""

OVERRIDE_REASON = "migration_bot.override_reason"
"""Callback id; a stored name."""
OVERRIDDEN = 5
"""Findings that the modal shows in full."""

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
            f"{subject(plan.database, plan.target, len(plan.steps), RICH, undone=plan.undone)}.",
            risk_line(plan.risk, plan.findings, RICH),
            forbidden_line(plan.forbidden, RICH),
            *worst_lines(plan.findings, RICH, rest="in its thread.", forbidden=plan.forbidden),
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
                f"{_subject(run)}, {risk}.",
                f"{RICH.named(run.requester)} asks: {RICH.free(run.reason, 1500)}",
            ),
            text_input(
                REASON,
                "Why not?",
                hint="The requester reads this. One no ends the request.",
            ),
        ],
    )


def override_modal(run: RunView) -> Block:
    """Asks why it should run in spite of what forbids it. ``private_metadata`` is
    ``{"codes": "a,b", "mark": "=…", "run": id}``: what the person was shown is what they
    override."""
    ids: dict[str, str | int] = {"run": run.id, "codes": _joined(run.forbidden)}
    found = [finding for finding in run.findings if finding.code in run.forbidden]
    shown = by_weight(found)[:OVERRIDDEN]
    left = len(found) - len(shown)
    more = [section(f"And {count(left, 'more finding')} that {_verb(left)} it, in the thread.")]
    return _modal(
        OVERRIDE_REASON,
        ids | ({"mark": run.forbidden_mark} if run.forbidden_mark else {}),
        title=f"Approve run {run.id}?"[:24],
        submit="Approve in spite of it",
        blocks=[
            section(
                f"{_subject(run)}.",
                f"{RICH.named(run.requester)} asks: {RICH.free(run.reason, 500)}",
            ),
            *(
                section(*finding_lines(finding, RICH, title="What forbids it", room=500))
                for finding in shown
            ),
            *(more if left else []),
            section(
                f"{RICH.strong('If you approve in spite of it')}:",
                f"{what_follows(run)} Your name and your reason go into the audit and under the "
                "request.",
                *_also_dangerous(run),
            ),
            text_input(REASON, "Why in spite of it?", hint="Everybody in the channel reads this."),
        ],
    )


def _subject(run: RunView) -> str:
    return subject(run.database, run.target, len(run.steps), RICH, undone=run.undone)


def _verb(number: int) -> str:
    return "forbids" if number == 1 else "forbid"


def _also_dangerous(run: RunView) -> list[str]:
    """That there is more to know than what forbids it."""
    others = [f for f in run.findings if f.code not in run.forbidden and f.level is Risk.DANGEROUS]
    if not others:
        return []
    return [f"The plan has {count(len(others), 'other dangerous finding')} too; see the request."]


def _joined(codes: Sequence[str], most: int = 2500) -> str:
    """The codes as they are carried, at most so many characters of JSON; those that find no room
    count as not shown, and are refused when the modal comes back."""
    kept = ""
    for code in codes:
        longer = f"{kept},{code}" if kept else code
        if len(json.dumps(longer)) > most:
            break
        kept = longer
    return kept


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
