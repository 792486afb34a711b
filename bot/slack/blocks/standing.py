"""Where a run stands, in the sentences of its state, its steps and who decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.route.states import State
from bot.slack.blocks.text import Voice, count, duration, sentences
from bot.slack.blocks.values import RunView
from bot.slack.blocks.words import decision_line, step_line

WINDOW = 8
"""Steps that the message shows; the thread has all of them."""
FAILED = 240
"""Characters of an error that the message shows; the thread has the rest."""


def standing(run: RunView, voice: Voice) -> list[str]:
    """What is the case and what comes next, in the sentences of its state."""
    return list(_BY_STATE[run.state](run, voice))


def progress(run: RunView, voice: Voice) -> list[str]:
    """The steps around the one that runs; none before it runs, and none once it has ended."""
    if run.state in (State.RUNNING, State.INTERRUPTED):
        return list(_progress(run, voice))
    return []


def decided(run: RunView, voice: Voice) -> list[str]:
    """Who decided, when and why."""
    return [decision_line(decision, voice) for decision in run.decisions[:10]]


def _requested(run: RunView, voice: Voice) -> Iterator[str]:
    needed = count(run.approvals_needed, "approval")
    given = f", {len(run.approvals)} given" if run.approvals else ""
    why = f", {voice.free(run.approvals_because, 300)}" if run.approvals_because else ""
    yield f"{voice.strong(f'Needs {needed}')}{given}{why}. From {_from_whom(run, voice)}."
    if run.run_after is not None:
        yield f"Starts after approval, not before {voice.at(run.run_after)}."
    if run.expires_at is not None:
        yield f"Expires {voice.at(run.expires_at)}."


def _from_whom(run: RunView, voice: Voice) -> str:
    if run.approvers_hint:
        return voice.free(run.approvers_hint, 200)
    if run.forbidden:  # Nobody overrides what forbids their own request, whatever the settings.
        return f"anybody who may override findings, but not {voice.named(run.requester)}"
    if run.self_approval:
        return "anybody who may approve"
    return f"anybody who may approve, but not {voice.named(run.requester)}"


def approved_words(run: RunView) -> str:
    """For whoever has just approved: what their approval came to."""
    missing = run.approvals_needed - len(run.approvals)
    if run.state is State.REQUESTED and missing > 0:
        return f"You approved run {run.id}. {count(missing, 'more approval')} to go, by others."
    return f"You approved run {run.id}. Its message in the channel says how it goes."


def what_follows(run: RunView) -> str:
    """What one more approval does, for whoever is about to give it."""
    missing = run.approvals_needed - len(run.approvals) - 1
    if missing > 0:
        return f"It runs after {count(missing, 'more approval')}."
    if run.run_after:
        return "It runs at its time, without another question."
    return "It runs now, without another question."


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
        yield voice.name(_first_line(run.error), FAILED)
    yield "The error is in the thread. Mend its cause and plan again: a plan has what is left."


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
        yield voice.free(sentences(run.error, 400), 400)
    yield from _blockers(run, voice)


def _needs_attention(run: RunView, voice: Voice) -> Iterator[str]:
    yield "Somebody has to look before the next run."
    yield f"{_done(run)} for certain{_ended(run, voice)}."
    if run.error:
        yield voice.free(sentences(run.error.partition("\n")[0], 500), 500)
        yield "What is there, and what to do now, is in the thread."


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
    return sentences(next((line for line in error.splitlines() if line.strip()), ""), FAILED)


def _progress(run: RunView, voice: Voice) -> Iterator[str]:
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
