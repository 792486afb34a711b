"""What each submitted modal does: one operation, one reply. Callback ids are stored names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot import operations
from bot.route.people import Actor
from bot.route.refusals import ReasonNeeded, TimeNotUnderstood
from bot.slack import blocks, rendering
from bot.slack.blocks.modals import AT, REASON
from bot.slack.calls import Call
from bot.slack.on_command import requested
from bot.slack.reading import carried, moment_of, run_number
from bot.slack.replies import Reply, done

REASON_INPUT, TIME_INPUT = f"migration_bot.{REASON}", f"migration_bot.{AT}"
"""The action ids of the modals' inputs."""


def _fill_request(call: Call, actor: Actor, now: datetime) -> Reply:
    known = carried(call)
    reason = call.inputs.get(REASON_INPUT, "")
    try:
        run_after = moment_of(call.inputs.get(TIME_INPUT, ""), call, now)
        plan = str(known.get("plan", ""))
        if plan:
            run = operations.request(plan, actor=actor, reason=reason, run_after=run_after, now=now)
            return done(f"Run {run.pk} is requested. Somebody else approves it in the channel.")
        reply = requested(
            call,
            actor,
            database=str(known.get("database", "")),
            target=str(known.get("target", "")),
            reason=reason,
            at=run_after,
            now=now,
        )
    except ReasonNeeded as refused:
        return Reply(errors={REASON: refused.sentence})
    except TimeNotUnderstood as refused:
        return Reply(errors={AT: refused.sentence})
    return reply


def _fill_reject(call: Call, actor: Actor, now: datetime) -> Reply:
    run = run_number(str(carried(call).get("run", "")))
    try:
        operations.reject(run, actor=actor, reason=call.inputs.get(REASON_INPUT, ""), now=now)
    except ReasonNeeded as refused:
        return Reply(errors={REASON: refused.sentence})
    return done(f"Run {run} is rejected.")


def _fill_override(call: Call, actor: Actor, now: datetime) -> Reply:
    known = carried(call)
    number = run_number(str(known.get("run", "")))
    try:
        operations.approve(
            number,
            actor=actor,
            now=now,
            reason=call.inputs.get(REASON_INPUT, ""),
            override=True,
            seen=[*str(known.get("codes", "")).split(","), str(known.get("mark", ""))],
        )
    except ReasonNeeded as refused:
        return Reply(errors={REASON: refused.sentence})
    return done(blocks.approved_words(rendering.run_view(number, now=now)))


VIEWS: dict[str, Callable[[Call, Actor, datetime], Reply]] = {
    "migration_bot.request_reason": _fill_request,
    "migration_bot.reject_reason": _fill_reject,
    "migration_bot.override_reason": _fill_override,
}
