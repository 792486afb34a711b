"""What each button does: one operation, one reply. Action ids are stored names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot import operations
from bot.operations import requesting
from bot.operations.changing import denials_recorded
from bot.route.people import Actor
from bot.route.refusals import PlanNotFound
from bot.slack import blocks, rendering
from bot.slack.calls import Call
from bot.slack.on_command import press_apply
from bot.slack.reading import require_staff, run_number, shown
from bot.slack.replies import Reply, no_form, said


def _press_request(call: Call, actor: Actor, now: datetime) -> Reply:
    with denials_recorded("run.request", actor=actor, now=now):
        operations.accounts.require(actor, operations.accounts.REQUEST)
    stored = operations.find_plan(call.value)
    if stored.state != stored.READY:
        raise PlanNotFound()
    requesting.check_way_back(stored.plan)
    modal = blocks.request_modal(
        ids={"plan": str(stored.pk)}, plan=rendering.plan_view(stored), database=stored.database
    )
    return Reply(modal=modal, instead=no_form(rendering.url("plan", stored.pk)))


def _press_rehearse(call: Call, actor: Actor, now: datetime) -> Reply:
    row = operations.ask_for_rehearsal(call.value, actor=actor, now=now)
    if row.state == row.READY:
        return said(call, "This plan was rehearsed already; its message says what was measured.")
    return said(call, "The rehearsal is under way. The message says how far it is.")


def _press_approve(call: Call, actor: Actor, now: datetime) -> Reply:
    number = run_number(call.value)
    if operations.asks_for_override(number, actor=actor):
        modal = blocks.override_modal(rendering.run_view(number, now=now))
        return Reply(modal=modal, instead=no_form(rendering.run_url(number)))
    operations.approve(number, actor=actor, now=now)
    return said(call, blocks.approved_words(rendering.run_view(number, now=now)))


def _press_reject(call: Call, actor: Actor, now: datetime) -> Reply:
    run = run_number(call.value)
    with denials_recorded("run.reject", actor=actor, now=now, run=run):
        operations.accounts.require(actor, operations.accounts.APPROVE)
    modal = blocks.reject_modal(rendering.run_view(run, now=now))
    return Reply(modal=modal, instead=no_form(rendering.run_url(run)))


def _press_cancel(call: Call, actor: Actor, now: datetime) -> Reply:
    run = operations.cancel(run_number(call.value), actor=actor, now=now)
    return said(call, f"Run {run.pk} is cancelled.")


def _press_show(call: Call, actor: Actor, now: datetime) -> Reply:
    require_staff("show", actor, now)
    return Reply(message=shown(run_number(call.value), now))


ACTIONS: dict[str, Callable[[Call, Actor, datetime], Reply]] = {
    "migration_bot.request": _press_request,
    "migration_bot.rehearse": _press_rehearse,
    "migration_bot.approve": _press_approve,
    "migration_bot.reject": _press_reject,
    "migration_bot.cancel": _press_cancel,
    "migration_bot.show": _press_show,
    "migration_bot.apply": press_apply,
}
