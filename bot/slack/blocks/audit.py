"""An audit entry as a compact message: what happened, and what makes it a witness of the chain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.route.undoing import asked
from bot.slack.blocks.parts import TEXT, context, section
from bot.slack.blocks.text import BARE, RICH, Voice, count, cut_escaped, duration, spoken
from bot.slack.blocks.values import AuditView
from bot.slack.blocks.words import BEGINNING, place
from bot.slack.values import Message

Data = Mapping[str, Any]


def audit_message(entry: AuditView) -> Message:
    """One entry. It names people without calling them: who must act is called elsewhere."""
    rich, bare = (_sentence(entry, voice) for voice in (RICH, BARE))
    small, words = (_small_print(entry, voice) for voice in (RICH, BARE))
    payload: dict[str, Any] = {
        "seq": entry.seq,
        "hash": entry.hash,
        "key": f"audit:{entry.seq}",
    }
    if entry.run is not None:
        payload["run"] = entry.run
    return Message(
        text=spoken([bare, ", ".join(words)], TEXT),
        blocks=(section(cut_escaped(rich, 1500)), context(*small)),
        metadata={"event_type": "migration_bot.audit", "event_payload": payload},
    )


def _small_print(entry: AuditView, voice: Voice) -> list[str]:
    number = voice.link(entry.url, f"audit {entry.seq}") if voice.rich else f"audit {entry.seq}"
    return [
        voice.name(entry.event, 80),
        number,
        voice.name(entry.hash[:BEGINNING]),
        voice.at(entry.at, seconds=True),
    ]


def _sentence(entry: AuditView, voice: Voice) -> str:
    told = _TOLD.get(entry.event)
    subject = f"{voice.strong(f'Run {entry.run}')} " if entry.run is not None else ""
    if entry.event == "plan.rehearsed" and not subject:
        subject = f"{voice.strong('A plan')} "
    who = voice.named(entry.actor)
    if told is not None:
        return subject + told(entry.data, who, voice)
    if entry.event.endswith(".refused"):
        return _refused(entry, who, voice)
    about = f" about run {entry.run}" if entry.run is not None else ""
    return f"{who}{about}: {_facts(entry.data, voice)}"


def _refused(entry: AuditView, who: str, voice: Voice) -> str:
    wish = voice.name(entry.event.removesuffix(".refused"), 80)
    about = f", run {entry.run}" if entry.run is not None else ""
    because = voice.free(str(entry.data.get("because", "")), 500)
    return f"{voice.strong('Refused')}: {who}, {wish}{about}. {because}"


def _requested(data: Data, who: str, voice: Voice) -> str:
    steps = _length(data.get("steps"))
    back = sum(str(step).endswith(" backward") for step in _list(data, "steps"))
    where = place(_text(data, "database"), _text(data, "target"), voice)
    what = f"{where}, {count(steps, 'step')}"
    if back:
        on = voice.name(_text(data, "database"))
        what = asked(_text(data, "target"), on, steps, back, voice.name)
    reason = voice.free(_text(data, "reason"), 500)
    return f"requested by {who}: {what}, {_word(data, 'risk')}. {reason}"


def _approved(data: Data, who: str, voice: Voice) -> str:
    votes = f"{_number(data, 'approvals')} of {_number(data, 'approvals_needed')}"
    codes = ", ".join(str(code) for code in _list(data, "overrides")[:10])
    spite = f" in spite of {voice.name(codes, 200)}" if codes else ""
    return f"approved by {who}{spite}, {votes} approvals.{_reason(data, voice)}"


def _lapsed(data: Data, who: str, voice: Voice) -> str:
    codes = ", ".join(str(code) for code in _list(data, "codes")[:10])
    person = voice.name(_text(data, "person_name"))
    return f"lost the approval of {person}: {voice.name(codes, 200)} came to be known after it."


def _rejected(data: Data, who: str, voice: Voice) -> str:
    return f"rejected by {who}.{_reason(data, voice)}"


def _cancelled(data: Data, who: str, voice: Voice) -> str:
    return f"cancelled by {who}.{_reason(data, voice)}"


def _expired(data: Data, who: str, voice: Voice) -> str:
    return f"expired. {voice.free(_text(data, 'because'), 300)}"


def _queued(data: Data, who: str, voice: Voice) -> str:
    return f"queued on {voice.name(_text(data, 'database'))}."


def _stale(data: Data, who: str, voice: Voice) -> str:
    because = " ".join(str(words) for words in _list(data, "because")[:5])
    return f"was out of date; nothing ran. {voice.free(because, 800)}"


def _started(data: Data, who: str, voice: Voice) -> str:
    fingerprint = voice.name(_text(data, "fingerprint")[:BEGINNING])
    return f"started with fingerprint {fingerprint} by worker {voice.name(_text(data, 'worker'))}."


def _data_checked(data: Data, who: str, voice: Voice) -> str:
    told = [
        f"{count(_length(data.get(name)), 'check')} {words}"
        for name, words in (("holds", "held"), ("broken", "broken"), ("not_checked", "not asked"))
        if data.get(name)
    ]
    worst = (_list(data, "broken") + _list(data, "not_checked"))[:3]
    because = voice.free(" ".join(str(words) for words in worst), 800)
    return f"asked today's data: {', '.join(told)}. {because}".rstrip()


def _applied(data: Data, who: str, voice: Voice) -> str:
    return f"applied {voice.name(_text(data, 'step'))}{_took(data)}."


def _unapplied(data: Data, who: str, voice: Voice) -> str:
    return f"undid {voice.name(_text(data, 'step'))}{_took(data)}."


def _retried(data: Data, who: str, voice: Voice) -> str:
    step, attempt = voice.name(_text(data, "step")), _number(data, "attempt")
    return f"tries {step} again, attempt {attempt}. {voice.free(_text(data, 'because'), 300)}"


def _succeeded(data: Data, who: str, voice: Voice) -> str:
    return f"succeeded: {count(_number(data, 'steps'), 'step')}{_took(data)}."


def _failed(data: Data, who: str, voice: Voice) -> str:
    where = f" at {voice.name(_text(data, 'step'))}" if data.get("step") else ""
    return f"failed{where}. {voice.free(_text(data, 'error'), 300)}"


def _interrupted(data: Data, who: str, voice: Voice) -> str:
    return f"was interrupted. {voice.free(_text(data, 'because'), 300)}"


def _reconciled(data: Data, who: str, voice: Voice) -> str:
    state = voice.free(_text(data, "state").replace("_", " "), 40)
    return f"was reconciled: {state}. {voice.free(_text(data, 'because'), 300)}"


def _rehearsed(data: Data, who: str, voice: Voice) -> str:
    where = voice.name(_text(data, "database"))
    before, after = _word(data, "risk_before"), _word(data, "risk_after")
    risk = f"{after} as before" if before == after else f"{after}, not {before}"
    outcome = voice.free(_text(data, "outcome"), 500)
    return f"was rehearsed on {where}: {risk}. Measured: {outcome}."


def _by_hand(data: Data, who: str, voice: Voice) -> str:
    steps = count(_length(data.get("steps")), "step")
    command, where = voice.name(_text(data, "command"), 200), voice.name(_text(data, "database"))
    return f"{voice.strong('Migrated by hand')}: {who}, {command} on {where}, {steps}."


def _by_hand_failed(data: Data, who: str, voice: Voice) -> str:
    command, where = voice.name(_text(data, "command"), 200), voice.name(_text(data, "database"))
    error = voice.free(_text(data, "error"), 300)
    return f"{voice.strong('A migrate by hand failed')}: {who}, {command} on {where}. {error}"


def _linked(data: Data, who: str, voice: Voice) -> str:
    return (
        f"{_slack_person(data, voice)} in Slack is now {voice.name(_text(data, 'account_name'))}."
    )


def _unlinked(data: Data, who: str, voice: Voice) -> str:
    account = voice.name(_text(data, "account_name"))
    return f"{_slack_person(data, voice)} in Slack is no longer {account}; {who} ended it."


def _slack_person(data: Data, voice: Voice) -> str:
    return voice.name(_text(data, "slack_user"), 50)


_TOLD: Mapping[str, Callable[[Data, str, Voice], str]] = {
    "run.requested": _requested,
    "run.approved": _approved,
    "run.approval_lapsed": _lapsed,
    "run.rejected": _rejected,
    "run.cancelled": _cancelled,
    "run.expired": _expired,
    "run.queued": _queued,
    "run.stale": _stale,
    "run.data_checked": _data_checked,
    "run.started": _started,
    "step.applied": _applied,
    "step.unapplied": _unapplied,
    "step.retried": _retried,
    "run.succeeded": _succeeded,
    "run.failed": _failed,
    "run.interrupted": _interrupted,
    "run.reconciled": _reconciled,
    "plan.rehearsed": _rehearsed,
    "link.made": _linked,
    "link.ended": _unlinked,
    "migrate.finished": _by_hand,
    "migrate.failed": _by_hand_failed,
}


def _facts(data: Data, voice: Voice) -> str:
    """An event without a sentence of its own: its facts, each with its name."""
    facts = [
        f"{name.replace('_', ' ')} {_plainly(value)}" for name, value in list(data.items())[:8]
    ]
    return voice.free(", ".join(facts) or "no details", 800)


def _plainly(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(_plainly(item) for item in value[:5])
    return str(value)[:300]


def _reason(data: Data, voice: Voice) -> str:
    reason = _text(data, "reason")
    return f" {voice.free(reason, 500)}" if reason else ""


def _took(data: Data) -> str:
    milliseconds = _number(data, "milliseconds")
    return f" in {duration(milliseconds / 1000)}" if milliseconds else ""


def _text(data: Data, name: str) -> str:
    return str(data.get(name, ""))


def _word(data: Data, name: str) -> str:
    return "".join(c for c in _text(data, name)[:20] if c.isalpha()) or "risk not known"


def _number(data: Data, name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else 0


def _list(data: Data, name: str) -> list[Any]:
    value = data.get(name)
    return list(value) if isinstance(value, (list, tuple)) else []


def _length(value: Any) -> int:
    return len(value) if isinstance(value, (list, tuple)) else 0
