"""The outbox: what Slack should be told, written in the transaction of the change it tells of.

Each function keeps one intent as a ``Delivery`` and wakes the sender once the transaction has
committed. Nothing is kept while no Slack is configured. What an intent says is rendered when it is
sent (``bot.slack.rendering``); here only rows and their keys are known.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from bot.conf import get_settings
from bot.models import AuditEntry, Delivery, Run, StoredPlan, StoredRehearsal
from bot.route.events import LinkMade
from bot.route.people import Origin
from bot.route.states import ENDED, State
from bot.waking import wake

DELIVER = "deliver"
"""The name of the work that sends a channel's deliveries; a stored name."""

EDIT_EVERY = timedelta(seconds=3)
"""A live message is edited at most this often (facts: chat.update allows about 50 a minute)."""

QUIET = ("run.queued", "step.")
"""Beginnings of events that the run's own message tells well enough."""

REPLIES = "replies"
"""The lane of answers to one person; they wait for nobody's channel."""


def run_changed(run: Run, *, now: datetime) -> None:
    """Show this run's newest state in its one message, and what belongs into its thread."""
    if not get_settings().slack_enabled:
        return
    key = f"run:{run.pk}"
    channel = _tell_again(
        key, kind="run", channel=get_settings().slack_channel, run=run.pk, now=now
    )
    for kind in ("run_details", "run_sql"):
        _once(f"{kind}:{run.pk}", kind, channel, run=run.pk, thread=key, now=now)
    state = State(run.state)
    if state in ENDED and run.started_at is not None:
        failed = state in (State.FAILED, State.NEEDS_ATTENTION)
        for kind in ("run_result", "run_failed") if failed else ("run_result",):
            _once(f"{kind}:{run.pk}", kind, channel, run=run.pk, thread=key, now=now)
    wake(DELIVER, channel)


def entry_written(entry: AuditEntry, *, now: datetime) -> None:
    """Post this audit entry, if it matters to readers of the channel."""
    settings = get_settings()
    if not settings.slack_enabled or entry.event.startswith(QUIET):
        return
    if entry.event == LinkMade.name and json.loads(entry.actor)["origin"] == Origin.SYSTEM:
        return  # the sandbox ties its own people; nobody has to be warned of them
    channel = settings.slack_audit_channel or settings.slack_channel
    _once(
        f"audit:{entry.seq}",
        "audit",
        channel,
        run=entry.run,
        payload={"seq": entry.seq},
        now=now,
    )
    wake(DELIVER, channel)


def plan_ready(stored: StoredPlan, *, now: datetime) -> None:
    """Post a plan that was asked for in Slack; one that is refused or empty answers its asker."""
    if not get_settings().slack_enabled or stored.actor.get("origin") != Origin.SLACK:
        return
    channel = get_settings().slack_channel
    payload = {"plan": str(stored.pk)}
    told = stored.state == StoredPlan.READY and not stored.refusal and stored.plan.steps
    if told and stored.purpose in (StoredPlan.LOOK, StoredPlan.REHEARSE):
        key = f"plan:{stored.pk}"
        _once(key, "plan", channel, payload=payload, now=now)
        for kind in ("plan_details", "plan_sql"):
            _once(f"{kind}:{stored.pk}", kind, channel, thread=key, payload=payload, now=now)
    elif not told:
        channel = REPLIES
        payload |= {"response_url": stored.reply_to, "user": stored.actor.get("slack_user", "")}
        _once(f"plan_refused:{stored.pk}", "plan_refused", channel, payload=payload, now=now)
    # The address has served, and whoever reads it can post there.
    plans = StoredPlan.objects.using(get_settings().state_database)
    plans.filter(pk=stored.pk).update(reply_to="")
    wake(DELIVER, channel)


def plan_rehearsed(plan: UUID, rehearsal: StoredRehearsal | None, *, now: datetime) -> None:
    """Show in a plan's message, where it has one, how its rehearsal stands; with ``rehearsal``
    what was measured too, in its thread."""
    if not get_settings().slack_enabled:
        return
    key = f"plan:{plan}"
    deliveries = Delivery.objects.using(get_settings().state_database)
    message = deliveries.filter(key=key).first()
    if message is None:
        return
    _tell_again(key, kind="plan", channel=message.channel, payload=message.payload, now=now)
    if rehearsal is not None:
        payload = {"plan": str(plan), "rehearsal": str(rehearsal.pk)}
        name = f"plan_rehearsal:{plan}:{rehearsal.pk.hex[:8]}"
        _details_again(f"plan_details:{plan}", now=now)
        _once(name, "plan_rehearsal", message.channel, thread=key, payload=payload, now=now)
    wake(DELIVER, message.channel)


def run_rehearsed(run: Run, rehearsal: StoredRehearsal, *, now: datetime) -> None:
    """Tell in a run's thread what the rehearsal of its plan measured, and the findings anew."""
    if not get_settings().slack_enabled:
        return
    key = f"run:{run.pk}"
    deliveries = Delivery.objects.using(get_settings().state_database)
    stands_in = deliveries.filter(key=key).values_list("channel", flat=True).first()
    channel = stands_in or get_settings().slack_channel
    _details_again(f"run_details:{run.pk}", now=now)
    _once(
        f"run_rehearsal:{run.pk}:{rehearsal.pk.hex[:8]}",
        "run_rehearsal",
        channel,
        run=run.pk,
        thread=key,
        payload={"rehearsal": str(rehearsal.pk)},
        now=now,
    )
    wake(DELIVER, channel)


def reply(
    key: str,
    message: dict[str, Any],
    *,
    response_url: str,
    user: str,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    """Answer one person, so that only they see it: by ``response_url``, else by direct message.

    It is sent at ``due_at`` at the earliest, unless it is withdrawn before."""
    payload = {"message": message, "response_url": response_url, "user": user}
    _once(f"reply:{key}", "reply", REPLIES, payload=payload, now=now, due_at=due_at)
    wake(DELIVER, REPLIES)


def withdraw_reply(key: str) -> None:
    """Take back an answer that is not sent yet."""
    deliveries = Delivery.objects.using(get_settings().state_database)
    deliveries.filter(key=f"reply:{key}", state=Delivery.PENDING).delete()


def home(team: str, user: str, *, now: datetime) -> None:
    """Publish this person's App Home anew."""
    if not get_settings().slack_enabled:
        return
    payload = {"team": team, "user": user}
    _tell_again(f"home:{team}:{user}", kind="home", channel=REPLIES, payload=payload, now=now)
    wake(DELIVER, REPLIES)


def channels() -> set[str]:
    """The channels that the settings name."""
    settings = get_settings()
    return {settings.slack_channel, settings.slack_audit_channel} - {""}


def channel_now(delivery: Delivery) -> str:
    """Where something that waits for a channel which takes nothing belongs by the settings of now;
    empty for what stands in that channel already, and what belongs below something that does."""
    if delivery.ts:
        return ""
    if delivery.thread_of:
        deliveries = Delivery.objects.using(get_settings().state_database)
        parent = deliveries.filter(key=delivery.thread_of).first()
        if parent is not None and parent.channel != delivery.channel:
            return parent.channel
        if parent is not None and parent.ts:
            return ""
    settings = get_settings()
    of_audit = settings.slack_audit_channel if delivery.kind == "audit" else ""
    return of_audit or settings.slack_channel


def not_told_yet() -> tuple[set[UUID], set[UUID]]:
    """The plans, and the rehearsals, that messages which still wait are about."""
    deliveries = Delivery.objects.using(get_settings().state_database)
    waiting = deliveries.filter(state=Delivery.PENDING).exclude(kind__in=("audit", "reply", "home"))
    about = list(waiting.values_list("payload", flat=True))
    plans = {UUID(payload["plan"]) for payload in about if "plan" in payload}
    return plans, {UUID(payload["rehearsal"]) for payload in about if "rehearsal" in payload}


def _once(
    key: str,
    kind: str,
    channel: str,
    *,
    now: datetime,
    run: int | None = None,
    thread: str = "",
    payload: dict[str, Any] | None = None,
    due_at: datetime | None = None,
) -> None:
    """Keep an intent that is told once, however often it is wished."""
    Delivery.objects.using(get_settings().state_database).get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "channel": channel,
            "run": run,
            "thread_of": thread,
            "payload": payload or {},
            "due_at": due_at or now,
            "created_at": now,
        },
    )


def _details_again(key: str, *, now: datetime) -> None:
    """Edit what a thread says of the findings, in all the messages that it took."""
    deliveries = Delivery.objects.using(get_settings().state_database)
    parts = deliveries.filter(Q(key=key) | Q(key__startswith=f"{key}/"))
    parts.exclude(state=Delivery.DEAD).update(
        version=F("version") + 1, due_at=now, state=Delivery.PENDING
    )


def _tell_again(
    key: str,
    *,
    kind: str,
    channel: str,
    now: datetime,
    run: int | None = None,
    payload: dict[str, Any] | None = None,
) -> str:
    """Keep an intent of which only the newest state matters: the edits in between are skipped.

    A message stays in the channel in which it stands, whatever the setting has become since. That
    channel is returned, for what belongs into its thread.
    """
    deliveries = Delivery.objects.using(get_settings().state_database)
    delivery = deliveries.filter(key=key).first()
    if delivery is None:
        _once(key, kind, channel, now=now, run=run, payload=payload)
        return channel
    soonest = delivery.sent_at + EDIT_EVERY if delivery.sent_at else now
    delivery.version += 1
    delivery.due_at = max(now, soonest)
    delivery.state = Delivery.PENDING
    delivery.save(update_fields=["version", "due_at", "state"])
    return delivery.channel
