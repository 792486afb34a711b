"""What runs, plans and findings are called, and the lines that more than one message has."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal_words import some
from bot.route.states import State
from bot.route.undoing import undo
from bot.route.weighing import Kind, how_many, kinds
from bot.slack.blocks.text import Voice, count, duration
from bot.slack.blocks.values import (
    DecisionView,
    FreezeView,
    PendingView,
    RunRow,
    RunView,
    StepState,
)

ALSO = 4
"""Kinds of dangerous findings that a message names beside the worst."""

DECIDERS = 2
"""People who decided a run that a list names."""

BEGINNING = 12
"""Characters of a fingerprint or hash that people are shown."""

STATE_WORDS = {
    State.REQUESTED: "Waiting for approval",
    State.APPROVED: "Approved",
    State.QUEUED: "Queued",
    State.RUNNING: "Running",
    State.SUCCEEDED: "Succeeded",
    State.FAILED: "Failed",
    State.CANCELLED: "Cancelled",
    State.REJECTED: "Rejected",
    State.EXPIRED: "Expired",
    State.STALE: "Out of date",
    State.INTERRUPTED: "Interrupted",
    State.NEEDS_ATTENTION: "Needs a person",
}

_STEP_WORDS = {
    "pending": "to do",
    "running": "running",
    "applied": "applied",
    "unapplied": "undone",
    "failed": "failed",
    "not_run": "not run",
    "unknown": "nobody knows",
}

_BY_LEVEL = {Risk.DANGEROUS: "Dangerous", Risk.CAUTION: "Caution", Risk.SAFE: "Safe"}


def risk_word(risk: Risk) -> str:
    return _BY_LEVEL[risk]


def risk_line(risk: Risk, findings: Sequence[Finding], voice: Voice) -> str:
    """The risk as far as it is known, and how it is known. Unknown is never called safe."""
    word = voice.strong(risk_word(risk))
    if not findings and risk is Risk.SAFE:
        return f"{word}: every operation was examined, and nothing was found."
    if not findings:
        return f"{word}: nobody has checked what this does to the tables."
    return f"{word}: {how_many(findings)} ({', '.join(_tally(findings))})."


def _tally(findings: Sequence[Finding]) -> list[str]:
    counted = [(kind, sum(finding.evidence is kind for finding in findings)) for kind in Evidence]
    return [f"{number} {kind}" for kind, number in counted if number]


def finding_lines(finding: Finding, voice: Voice, *, title: str = "", room: int = 700) -> list[str]:
    """One finding: where, because what, and instead what. ``title`` instead of its level."""
    where = finding.step or finding.table
    named = f": {voice.name(where)}" if where else ""
    head = voice.strong(title or risk_word(finding.level))
    lines = [f"{head}{named}, {finding.evidence}", voice.free(finding.because, room)]
    return [*lines, f"Instead: {voice.free(finding.instead, room)}"] if finding.instead else lines


def worst_lines(
    findings: Sequence[Finding], voice: Voice, *, rest: str, forbidden: Collection[str] = ()
) -> list[str]:
    """The worst finding in full, the other dangerous kinds a line each; ``rest`` is where all of
    them are. What is ``forbidden`` comes before what is only dangerous."""
    if not findings:
        return []
    first, *others = kinds(findings, forbidden)
    title = "Worst finding" if len(findings) > 1 else "The finding"
    if first.finding.code in forbidden:
        title = "What forbids it"
    lines = finding_lines(first.finding, voice, title=title, room=500)
    also = [one for one in others if one.finding.level is Risk.DANGEROUS][:ALSO]
    if also:
        lines += [f"{voice.strong('Also dangerous')}:", *(_also(one, voice) for one in also)]
    left = len(findings) - 1 - len(also)
    return [*lines, f"{count(left, 'more finding')} {rest}"] if left else lines


def _also(kind: Kind, voice: Voice) -> str:
    """``• What it holds is gone for good. (shop.0008_drop, and 3 more like it)``"""
    where = kind.finding.step or kind.finding.table
    notes = [voice.name(where)] if where else []
    notes += [f"and {kind.alike} more like it"] if kind.alike else []
    bullet = "• " if voice.rich else ""
    because = voice.free(kind.finding.because, 200)
    return f"{bullet}{because} ({', '.join(notes)})" if notes else f"{bullet}{because}"


def forbidden_line(codes: Sequence[str], voice: Voice) -> str:
    """That it cannot be approved as it is, and what to do about that; empty where nothing forbids
    it."""
    if not codes:
        return ""
    return (
        f"{voice.strong('Forbidden as it is')} by {codes_named(codes, voice)}. Mend that and plan "
        "again; or people who may override findings approve in spite of it, with a reason."
    )


def place(database: str, target: str, voice: Voice) -> str:
    """``shop on default``."""
    what = "everything pending" if target in ("", "everything") else voice.name(target)
    return f"{what} on {voice.name(database)}"


def subject(database: str, target: str, steps: int, voice: Voice, *, undone: int = 0) -> str:
    """``shop on default, 3 steps``, as a sentence begins; where ``undone`` steps go back,
    ``Undo 3 steps, back to shop 0004 on default``."""
    if undone and undone == steps:
        return f"U{undo(target, voice.name(database), steps, voice.name)[1:]}"
    words = place(database, target, voice)
    if words.startswith("everything"):
        words = f"E{words[1:]}"
    return f"{words}, {count(steps, 'step')}" + (f", {undone} of them undone" if undone else "")


def step_line(step: StepState, voice: Voice, *, number: int, elapsed: float | None = None) -> str:
    """``3. shop.0007_total: applied, 0.4 s``. The state is a word, never a colour alone."""
    verb = "undo " if step.direction == "backward" else ""
    took = duration(step.seconds if elapsed is None else elapsed)
    state = _STEP_WORDS.get(step.state) or voice.free(step.state.replace("_", " "), 40)
    if step.state in ("running", "failed", "unknown"):
        state = voice.strong(state)
    return f"{number}. {verb}{voice.name(step.key)}: {state}{f', {took}' if took else ''}"


def decision_line(decision: DecisionView, voice: Voice) -> str:
    """``Approved by Bea, 2026-11-23 16:50 UTC: looks right``."""
    verb = voice.strong("Approved" if decision.verdict == "approve" else "Rejected")
    reason = f": {voice.free(decision.reason, 500)}" if decision.reason else ""
    spite = f" in spite of {codes_named(decision.overrides, voice)}" if decision.overrides else ""
    return f"{verb} by {voice.person(decision.person)}{spite}, {voice.at(decision.at)}{reason}"


def codes_named(codes: Sequence[str], voice: Voice) -> str:
    """``data_breaks_rule, loses_data``; beyond five, how many more."""
    more = f" and {len(codes) - 5} more" if len(codes) > 5 else ""
    return ", ".join(voice.name(code, 60) for code in codes[:5]) + more


def small_print(run: RunView, voice: Voice) -> list[str]:
    """Fingerprint, release and when it was asked for."""
    words = [f"Fingerprint {voice.name(run.fingerprint[:BEGINNING])}"]
    if run.release:
        words.append(f"release {voice.name(run.release, 40)}")
    return [*words, f"asked {voice.at(run.requested_at)}"]


def row_lines(row: RunRow, voice: Voice) -> list[str]:
    """One run in two or three short lines, for a phone."""
    title = voice.link(row.url, f"Run {row.id}") if voice.rich else f"Run {row.id}"
    state = STATE_WORDS[row.state]
    if row.state is State.REQUESTED and row.approvals_needed > 1:
        state += f", {row.approvals} of {row.approvals_needed} approvals"
    elif row.state is State.RUNNING:
        state += f" for {duration(row.seconds)}" if row.seconds is not None else ""
        state += f", {row.steps_done} of {count(row.steps, 'step')} done"
    elif row.state in (State.FAILED, State.NEEDS_ATTENTION):
        state += f" after {row.steps_done} of {count(row.steps, 'step')}"
    ended = row.state is not State.RUNNING
    took = f" in {duration(row.seconds)}" if row.seconds is not None and ended else ""
    first = f"{voice.strong(title)}: {state}{took}"
    what = subject(row.database, row.target, row.steps, voice, undone=row.undone)
    second = f"{what}, {row.risk}"
    third = f"{voice.named(row.requester)}, {voice.at(row.requested_at)}{_decided(row, voice)}"
    if row.reason:
        third += f": {voice.free(row.reason, 140)}"
    return [first, second, third]


def _decided(row: RunRow, voice: Voice) -> str:
    """``, approved by Bea and Cleo``; empty while nobody has."""
    said = [
        f", {verb} by {some([voice.named(person) for person in people], DECIDERS)}"
        for verb, people in (("approved", row.approved_by), ("rejected", row.rejected_by))
        if people
    ]
    return "".join(said)


def freeze_line(freeze: FreezeView, voice: Voice) -> str:
    where = voice.name(freeze.database) if freeze.database else "every database"
    until = f" until {voice.at(freeze.until)}" if freeze.until else ""
    head = f"{voice.strong('Frozen')}: {where}{until}, by {voice.named(freeze.owner)}"
    return f"{head}: {voice.free(freeze.reason, 300)}"


def pending_line(pending: PendingView, voice: Voice) -> str:
    """What one database waits for, as far as its newest plan knows."""
    name = voice.name(pending.database)
    if pending.problem:
        return f"{name}: {voice.free(pending.problem, 300)}"
    command = voice.name(f"/migrate plan --database {pending.database}")
    if pending.outdated_by is not None:
        before = f"the newest plan is from before run {pending.outdated_by}"
        return f"{name}: {before}; {command} says what is pending now."
    if pending.steps is None:
        return f"{name}: nobody has looked yet; {command} does."
    if pending.steps == 0:
        words = "nothing pending"
    else:
        risk = f", {pending.risk}" if pending.risk else ""
        words = f"{voice.strong(count(pending.steps, 'step') + ' pending')}{risk}"
    when = f", as of {voice.at(pending.made_at)}" if pending.made_at else ""
    return f"{name}: {words}{when}"
