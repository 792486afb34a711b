"""The request and the run: one message, edited in place from the request to its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.route.findings import Risk
from bot.route.states import State
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
from bot.slack.blocks.text import BARE, RICH, Voice, count, duration, one_line, spoken
from bot.slack.blocks.values import RunView
from bot.slack.blocks.words import (
    STATE_WORDS,
    decision_line,
    risk_line,
    risk_word,
    small_print,
    step_line,
    subject,
    worst_lines,
)
from bot.slack.values import Message

WINDOW = 8
"""Steps that the message shows; the thread has all of them."""


def run_message(run: RunView) -> Message:
    """The run as it is now, whatever its state. Buttons only while something can be decided."""
    blocks = [header(headline(run)), section(*_asked(run, RICH))]
    if run.state is State.REQUESTED:
        lines = worst_lines(run.findings, RICH, rest="in the thread.")
        blocks += [section(*lines)] if lines else []
    blocks += [section(*lines) for lines in _sections(run, RICH) if lines]
    blocks.append(context(*small_print(run, RICH)))
    blocks += _buttons(run)
    return Message(
        text=_text(run), blocks=tuple(blocks), metadata=run_metadata(run, f"run:{run.id}")
    )


def run_metadata(run: RunView, key: str) -> Block:
    return {"event_type": "migration_bot.run", "event_payload": {"run": run.id, "key": key}}


def headline(run: RunView) -> str:
    """The status first, in a word or two."""
    words = STATE_WORDS[run.state]
    if run.state is State.RUNNING:
        words = f"Running, {run.steps_done} of {len(run.steps)} done"
    return f"{words}: run {run.id}"


def _asked(run: RunView, voice: Voice) -> list[str]:
    """What, how dangerous, who asks, why."""
    what = subject(run.database, run.target, len(run.steps), voice)
    if run.state is State.REQUESTED:
        lines = [f"{what}.", risk_line(run.risk, run.findings, voice)]
    else:
        lines = [f"{what}, {risk_word(run.risk).lower()}."]
    asks = f"{voice.person(run.requester)} {'asks' if run.state is State.REQUESTED else 'asked'}:"
    reason = voice.free(run.reason, 1500)
    return [*lines, f"{asks}\n> {reason}" if voice.rich else f"{asks} {reason}"]


def _sections(run: RunView, voice: Voice) -> Iterator[list[str]]:
    """Groups of lines: where it stands, its steps, who decided."""
    yield list(_BY_STATE[run.state](run, voice))
    if run.state in (State.RUNNING, State.INTERRUPTED):
        yield list(_progress(run, voice))
    yield [decision_line(decision, voice) for decision in run.decisions[:10]]


def _requested(run: RunView, voice: Voice) -> Iterator[str]:
    needed = count(run.approvals_needed, "approval")
    given = f", {len(run.approvals)} given" if run.approvals else ""
    yield f"{voice.strong(f'Needs {needed}')}{given}, from {_from_whom(run, voice)}."
    if run.run_after is not None:
        yield f"Starts after approval, not before {voice.at(run.run_after)}."
    if run.expires_at is not None:
        yield f"Expires {voice.at(run.expires_at)}."


def _from_whom(run: RunView, voice: Voice) -> str:
    if run.approvers_hint:
        return voice.free(run.approvers_hint, 200)
    if run.self_approval:
        return "anybody who may approve"
    return f"anybody who may approve, but not {voice.named(run.requester)}"


def _approved(run: RunView, voice: Voice) -> Iterator[str]:
    if run.run_after is not None and run.run_after > run.now:
        yield f"Starts {voice.at(run.run_after)}."
    elif run.held_because:
        yield f"Not started yet: {voice.free(run.held_because, 400)}"
    else:
        yield "Starts as soon as no other run has its database."
    if run.expires_at is not None:
        yield f"If it cannot start, it expires {voice.at(run.expires_at)}."


def _queued(run: RunView, voice: Voice) -> Iterator[str]:
    yield "Starts as soon as a worker has the database's lock."
    yield from _blockers(run, voice)


def _running(run: RunView, voice: Voice) -> Iterator[str]:
    if run.current is None:
        yield f"{_done(run)}."
    else:
        number = run.steps.index(run.current) + 1
        verb = "Undoing" if run.current.direction == "backward" else "Running"
        name = voice.name(run.current.key)
        yield f"{voice.strong(f'Step {number} of {len(run.steps)}')}: {verb.lower()} {name}."
    if run.elapsed is not None and run.started_at is not None:
        yield f"{duration(run.elapsed)} so far, as of {voice.at(run.now, seconds=True)}."
    yield from _blockers(run, voice)


def _blockers(run: RunView, voice: Voice) -> Iterator[str]:
    for words in run.waiting_for[:3]:
        yield f"{voice.strong('Waiting')}: {voice.free(words, 300)}"
    if len(run.waiting_for) > 3:
        yield f"and {len(run.waiting_for) - 3} more."


def _succeeded(run: RunView, voice: Voice) -> Iterator[str]:
    yield f"{_done(run)}{_took(run)}{_ended(run, voice)}."


def _failed(run: RunView, voice: Voice) -> Iterator[str]:
    where = f" at {voice.name(run.error_step)}" if run.error_step else ""
    if run.started_at is None:
        yield "It could not begin; nothing was run."
    else:
        yield f"Failed{where}. {_done(run)}{_took(run)}{_ended(run, voice)}."
    if run.error:
        yield voice.name(_first_line(run.error), 200)
    yield "The error is in the thread."


def _cancelled(run: RunView, voice: Voice) -> Iterator[str]:
    who = f" by {voice.person(run.ended_by)}" if run.ended_by else ""
    yield f"Taken back{who}{_ended(run, voice)}. {_ran(run)}"
    because = run.ended_reason or run.error
    if because:
        yield f"Because: {voice.free(because, 500)}"


def _rejected(run: RunView, voice: Voice) -> Iterator[str]:
    yield "Nothing was run."


def _expired(run: RunView, voice: Voice) -> Iterator[str]:
    yield f"Its time ran out{_ended(run, voice)}. {_ran(run)} Ask again if it is still wanted."


def _stale(run: RunView, voice: Voice) -> Iterator[str]:
    yield f"Not what was approved any more{_ended(run, voice)}. Nothing was run; plan again."
    yield from _because(run.stale_because, voice)


def _interrupted(run: RunView, voice: Voice) -> Iterator[str]:
    yield "Its process is gone. The database is being asked what was done."
    if run.error:
        yield voice.free(run.error, 400)


def _needs_attention(run: RunView, voice: Voice) -> Iterator[str]:
    yield "The database alone cannot tell what was done. Somebody has to look before the next run."
    yield f"{_done(run)} for certain{_ended(run, voice)}."
    if run.error:
        yield voice.free(run.error, 500)


_BY_STATE: dict[State, Callable[[RunView, Voice], Iterator[str]]] = {
    State.REQUESTED: _requested,
    State.APPROVED: _approved,
    State.QUEUED: _queued,
    State.RUNNING: _running,
    State.SUCCEEDED: _succeeded,
    State.FAILED: _failed,
    State.CANCELLED: _cancelled,
    State.REJECTED: _rejected,
    State.EXPIRED: _expired,
    State.STALE: _stale,
    State.INTERRUPTED: _interrupted,
    State.NEEDS_ATTENTION: _needs_attention,
}


def _because(reasons: tuple[str, ...], voice: Voice) -> Iterator[str]:
    for words in reasons[:5]:
        yield f"• {voice.free(words, 300)}" if voice.rich else voice.free(words, 300)
    if len(reasons) > 5:
        yield f"and {len(reasons) - 5} more, in the thread."


def _done(run: RunView) -> str:
    total = len(run.steps)
    if run.steps_done == total:
        return "The one step is done" if total == 1 else f"All {total} steps are done"
    return f"{run.steps_done} of {count(total, 'step')} done"


def _ran(run: RunView) -> str:
    return f"{_done(run)}." if run.started_at else "Nothing was run."


def _took(run: RunView) -> str:
    return f" in {duration(run.elapsed)}" if run.elapsed is not None else ""


def _ended(run: RunView, voice: Voice) -> str:
    return f", {voice.at(run.ended_at)}" if run.ended_at else ""


def _first_line(error: str) -> str:
    return one_line(next((line for line in error.splitlines() if line.strip()), ""), 180)


def _progress(run: RunView, voice: Voice) -> Iterator[str]:
    """The steps around the one that runs."""
    total = len(run.steps)
    at = run.steps.index(run.current) if run.current else run.steps_done
    first = max(0, min(at - 3, total - WINDOW))
    if first:
        yield f"{count(first, 'step')} before."
    for number, step in enumerate(run.steps[first : first + WINDOW], first + 1):
        started = step.started_at if step.state == "running" else None
        elapsed = (run.now - started).total_seconds() if started else None
        yield step_line(step, voice, number=number, elapsed=elapsed)
    if total > first + WINDOW:
        yield f"{count(total - first - WINDOW, 'step')} after."


def _buttons(run: RunView) -> list[Block]:
    """Nothing that is pressed grants anything: each press is checked again."""
    links = open_button(run.url)
    if not run.answerable:
        return actions(*links)
    value = str(run.id)
    if run.state is State.REQUESTED:
        return actions(_approve(run, value), button("Reject", "reject", value), *links)
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
    return button(label, "approve", value, style=style, confirm=question)


def _approve_question(run: RunView) -> str:
    what = count(len(run.steps), "migration")
    where = one_line(run.database, 60)
    missing = run.approvals_needed - len(run.approvals) - 1
    if missing > 0:
        when = f"It runs after {count(missing, 'more approval')}."
    elif run.run_after:
        when = "It runs at its time, without another question."
    else:
        when = "It runs now, without another question."
    words = f"Risk: {risk_word(run.risk).lower()}. " if run.findings else "Risk: not checked. "
    beginning = one_line(run.fingerprint[:12], 12)
    return f"{what} on {where}. {words}{when} You approve fingerprint {beginning}."


def _cancel_question(run: RunView) -> Block:
    words = f"Run {run.id} will not be run. It can be asked for again."
    return confirm("Take this run back?", words, "Cancel the run")


def _text(run: RunView) -> str:
    """All of it in words, the most important first."""
    lines = [f"{headline(run)}.", *_asked(run, BARE)]
    if run.state is State.REQUESTED and run.findings:
        lines += worst_lines(run.findings, BARE, rest="in the thread")
    for group in _sections(run, BARE):
        lines += group
    lines.append("; ".join(small_print(run, BARE)))
    return spoken(lines, TEXT)
