"""What each kind of delivery says, rendered when it is sent: the newest state, never an old one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.conf import get_settings
from bot.models import AuditEntry, Delivery, StoredPlan, StoredRehearsal
from bot.route.rehearsal import Rehearsal
from bot.slack import blocks, rendering
from bot.slack.values import Message


def _plan(delivery: Delivery, now: datetime) -> list[Message]:
    plans = StoredPlan.objects.using(get_settings().state_database)
    stored = plans.get(pk=delivery.payload["plan"])
    return [blocks.plan_message(rendering.plan_view(stored))]


def _plan_details(delivery: Delivery, now: datetime) -> list[Message]:
    plans = StoredPlan.objects.using(get_settings().state_database)
    return blocks.plan_details(rendering.plan_view(plans.get(pk=delivery.payload["plan"])))


def _plan_sql(delivery: Delivery, now: datetime) -> list[Message]:
    plans = StoredPlan.objects.using(get_settings().state_database)
    stored = plans.get(pk=delivery.payload["plan"])
    message = blocks.plan_sql(rendering.plan_view(stored))
    return [message] if message is not None else []


def _run_sql(delivery: Delivery, now: datetime) -> list[Message]:
    view, plan = rendering.run_and_plan(_run_id(delivery), now=now)
    message = blocks.run_sql(view, plan)
    return [message] if message is not None else []


def _plan_refused(delivery: Delivery, now: datetime) -> list[Message]:
    plans = StoredPlan.objects.using(get_settings().state_database)
    stored = plans.get(pk=delivery.payload["plan"])
    if stored.refusal:
        return [blocks.refusal_message(stored.refusal)]
    what = stored.target or "everything"
    return [blocks.notice(f"Nothing is pending for {what} on {stored.database}.")]


def _run(delivery: Delivery, now: datetime) -> list[Message]:
    return [blocks.run_message(rendering.run_view(_run_id(delivery), now=now))]


def _run_details(delivery: Delivery, now: datetime) -> list[Message]:
    view, plan = rendering.run_and_plan(_run_id(delivery), now=now)
    return blocks.run_details(view, plan)


def _run_result(delivery: Delivery, now: datetime) -> list[Message]:
    return blocks.run_result(rendering.run_view(_run_id(delivery), now=now))


def _run_failed(delivery: Delivery, now: datetime) -> list[Message]:
    return [blocks.failure_broadcast(rendering.run_view(_run_id(delivery), now=now))]


def _plan_rehearsal(delivery: Delivery, now: datetime) -> list[Message]:
    plans = StoredPlan.objects.using(get_settings().state_database)
    view = rendering.plan_view(plans.get(pk=delivery.payload["plan"]))
    return blocks.plan_rehearsal(view, _rehearsal(delivery))


def _run_rehearsal(delivery: Delivery, now: datetime) -> list[Message]:
    return blocks.run_rehearsal(
        rendering.run_view(_run_id(delivery), now=now), _rehearsal(delivery)
    )


def _rehearsal(delivery: Delivery) -> Rehearsal:
    rows = StoredRehearsal.objects.using(get_settings().state_database)
    return rows.get(pk=delivery.payload["rehearsal"]).rehearsal


def _audit(delivery: Delivery, now: datetime) -> list[Message]:
    entries = AuditEntry.objects.using(get_settings().state_database)
    entry = entries.get(pk=delivery.payload["seq"])
    return [blocks.audit_message(rendering.audit_view(entry))]


def _kept(delivery: Delivery, now: datetime) -> list[Message]:
    return [Message.from_json(delivery.payload["message"])]


def _run_id(delivery: Delivery) -> int:
    if delivery.run is None:
        raise ValueError(f"delivery {delivery.key} is about no run")
    return delivery.run


RENDER: dict[str, Callable[[Delivery, datetime], list[Message]]] = {
    "plan": _plan,
    "plan_details": _plan_details,
    "plan_rehearsal": _plan_rehearsal,
    "plan_sql": _plan_sql,
    "plan_refused": _plan_refused,
    "run": _run,
    "run_details": _run_details,
    "run_rehearsal": _run_rehearsal,
    "run_sql": _run_sql,
    "run_result": _run_result,
    "run_failed": _run_failed,
    "audit": _audit,
    "reply": _kept,
}
