"""The request and the run: one message, edited in place from the request to its outcome."""

from __future__ import annotations

from bot.route.findings import Risk
from bot.route.states import State
from bot.route.undoing import back_to
from bot.slack.blocks.parts import (
    TEXT,
    Block,
    actions,
    button,
    confirm,
    context,
    header,
    open_button,
    section,
)
from bot.slack.blocks.rehearsal import rehearse_button, tried_lines
from bot.slack.blocks.standing import decided, progress, standing, what_follows
from bot.slack.blocks.text import BARE, RICH, Voice, count, one_line, spoken
from bot.slack.blocks.values import RunView
from bot.slack.blocks.words import (
    STATE_WORDS,
    forbidden_line,
    risk_line,
    risk_word,
    small_print,
    subject,
    worst_lines,
)
from bot.slack.values import Message


def run_message(run: RunView) -> Message:
    """The run as it is now, whatever its state. Buttons only while something can be decided."""
    told = [section(*lines) for lines in _groups(run, RICH) if any(lines)]
    small = context(*small_print(run, RICH))
    return Message(
        text=_text(run),
        blocks=(header(headline(run)), *told, small, *_buttons(run)),
        metadata=run_metadata(run, f"run:{run.id}"),
    )


def run_metadata(run: RunView, key: str) -> Block:
    return {"event_type": "migration_bot.run", "event_payload": {"run": run.id, "key": key}}


def headline(run: RunView) -> str:
    """The status first, in a word or two."""
    words = STATE_WORDS[run.state]
    if run.state is State.REQUESTED:
        undo = ", an undo" if run.undone else ""
        return f"{words}: run {run.id}{undo}, {risk_word(run.risk).lower()}"
    if run.state is State.RUNNING:
        words = f"Running, {run.steps_done} of {len(run.steps)} done"
    return f"{words}: run {run.id}"


def _groups(run: RunView, voice: Voice) -> list[list[str]]:
    """Groups of lines, what matters most now first: to whoever decides, what is asked and how
    dangerous it is; to everybody later, how it goes."""
    what = subject(run.database, run.target, len(run.steps), voice, undone=run.undone)
    if run.state is State.REQUESTED:
        rest = "in the thread."
        return [
            [f"{what}.", forbidden_line(run.forbidden, voice), *_asked(run, voice)],
            [
                risk_line(run.risk, run.findings, voice),
                *worst_lines(run.findings, voice, rest=rest, forbidden=run.forbidden),
            ],
            tried_lines(run.rehearsal, run.held, voice),
            standing(run, voice),
            decided(run, voice),
        ]
    first = f"{what}, {risk_word(run.risk).lower()}."
    return [
        [first, *standing(run, voice)],
        progress(run, voice),
        _asked(run, voice),
        decided(run, voice),
    ]


def _asked(run: RunView, voice: Voice) -> list[str]:
    """Who asks, and why."""
    asks = f"{voice.person(run.requester)} {'asks' if run.state is State.REQUESTED else 'asked'}:"
    reason = voice.free(run.reason, 1500)
    return [f"{asks}\n> {reason}" if voice.rich else f"{asks} {reason}"]


def _buttons(run: RunView) -> list[Block]:
    """Nothing that is pressed grants anything: each press is checked again."""
    links = open_button(run.url)
    if not run.answerable:
        return actions(*links)
    value = str(run.id)
    if run.state is State.REQUESTED:
        rehearse = rehearse_button(run.plan_id, run.rehearsal)
        decide = (_approve(run, value), button("Reject", "reject", value))
        return actions(*decide, *rehearse, *links)
    if run.state in (State.APPROVED, State.QUEUED):
        return actions(button("Cancel", "cancel", value, confirm=_cancel_question(run)), *links)
    return actions(*links)


def approve_label(run: RunView) -> str:
    """What pressing it does, in its own words: nobody starts SQL without knowing it."""
    given, needed = len(run.approvals) + 1, run.approvals_needed
    if given < needed:
        return f"Approve ({given} of {needed})"
    return "Approve, to run at its time" if run.run_after else "Approve and run"


def _approve(run: RunView, value: str) -> Block:
    label = approve_label(run)
    danger = run.risk is Risk.DANGEROUS
    question = confirm(f"{label}?", _approve_question(run), label, danger=danger)
    style = "danger" if danger else "primary"
    if run.forbidden:  # A modal asks, and says what it would override.
        return button(label, "approve", value, style=style)
    return button(label, "approve", value, style=style, confirm=question)


def _approve_question(run: RunView) -> str:
    what = count(len(run.steps), "migration")
    if run.undone:
        what = f"Undo {what}, {back_to(run.target, lambda name: one_line(name, 60))},"
    where = one_line(run.database, 60)
    when = what_follows(run)
    known = run.findings or run.risk is Risk.SAFE
    words = f"Risk: {risk_word(run.risk).lower()}. " if known else "Risk: not checked. "
    beginning = one_line(run.fingerprint[:12], 12)
    return f"{what} on {where}. {words}{when} You approve fingerprint {beginning}."


def _cancel_question(run: RunView) -> Block:
    words = f"Run {run.id} will not be run. It can be asked for again."
    return confirm("Take this run back?", words, "Cancel the run")


def _text(run: RunView) -> str:
    """All of it in words, the most important first."""
    lines = [line for group in _groups(run, BARE) for line in group]
    return spoken([f"{headline(run)}.", *lines, "; ".join(small_print(run, BARE))], TEXT)
