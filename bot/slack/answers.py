"""What each command, button and modal does: one operation, one ``Reply``.

``answer`` is the way in for the request and, when Slack had to be asked first who somebody is, for
the worker (``answer_later``). Both walk the same steps: the person, the operation, the sentence.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings
from django.db import transaction

from bot import operations, outbox
from bot.conf import get_settings
from bot.models import SlackCall, SlackPerson
from bot.moment import utc_now
from bot.operations.changing import changing, denials_recorded
from bot.operations.linking import find_link, offer_code, unlink
from bot.route.people import Actor
from bot.route.refusals import (
    PlanNotFound,
    ReasonNeeded,
    Refused,
    RunNotFound,
    SlackTooLate,
    SlackUnsure,
    TimeNotUnderstood,
)
from bot.route.times import parse_at
from bot.slack import blocks, people, rendering
from bot.slack.blocks.modals import AT, REASON
from bot.slack.calls import Call, How
from bot.slack.commands import COMMANDS, ROWS
from bot.slack.parsing import Parsed, parse
from bot.slack.people import FlagsOld
from bot.slack.values import Message
from bot.waking import wake

logger = logging.getLogger("migration_bot.slack")

ANSWER_CALL = "answer_call"
"""The name of the work that answers a kept call; a stored name."""


FORGOTTEN = timedelta(seconds=15)
"""A kept call that waits so long was forgotten: longer than Slack has to say who somebody is."""

TOO_LATE = timedelta(minutes=30)
"""What somebody wanted so long ago is not done behind their back; they are told so."""

KEPT = timedelta(days=1)

REASON_INPUT, TIME_INPUT = f"migration_bot.{REASON}", f"migration_bot.{AT}"
"""The action ids of the modals' inputs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to say now: a message for the person alone, a modal, or errors at a modal's fields.

    ``instead`` is said when the modal cannot be opened.
    """

    message: Message | None = None
    modal: dict[str, Any] | None = None
    errors: dict[str, str] | None = None
    instead: Message | None = None

    @classmethod
    def broken(cls, call: Call, reference: str) -> Reply:
        """For what nobody expected."""
        return _said(call, f"Something broke. Nothing more is known yet; reference {reference}.")


def answer(call: Call, *, now: datetime) -> Reply:
    """Answer one call, or keep it for a worker when Slack must be asked first who it is."""
    try:
        return _answer(call, now=now)
    except FlagsOld:
        return _keep(call, now=now)
    except Refused as refused:
        return _refused(call, refused)


def _answer(call: Call, *, now: datetime) -> Reply:
    if call.how is How.COMMAND:
        return _command(call, parse(call.text, COMMANDS), now)
    if call.how is How.HOME:
        people.check_flags(call, now=now)
        with changing(now):
            outbox.home(call.team, call.user, now=now)
        return Reply()
    act = (ACTIONS if call.how is How.ACTION else VIEWS).get(call.name)
    if act is None:
        return Reply()
    wish = f"slack.{call.name.removeprefix('migration_bot.')}"
    return act(call, _identified(call, wish, now), now)


def _command(call: Call, parsed: Parsed, now: datetime) -> Reply:
    name = parsed.command.name
    if parsed.command.unlinked:
        with denials_recorded(f"slack.{name}", actor=people.unlinked_actor(call), now=now):
            _check_flags(call, name, now)
        return UNLINKED[name](call, now)
    return LINKED[name](call, parsed, _identified(call, f"slack.{name}", now), now)


def _check_flags(call: Call, name: str, now: datetime) -> None:
    """Help is the same text for everybody, so nobody waits for it while Slack is asked."""
    try:
        people.check_flags(call, now=now)
    except FlagsOld:
        if name != "help":
            raise
        with changing(now):
            wake("refresh_person", call.person)


def _identified(call: Call, wish: str, now: datetime) -> Actor:
    """Who it is. Whoever is refused as a person is audited under what they wished for; what an
    operation refuses, it has audited itself."""
    with denials_recorded(wish, actor=people.unlinked_actor(call), now=now):
        return people.identify(call, now=now)


# Commands


def _help(call: Call, now: datetime) -> Reply:
    linked = find_link(call.team, call.user) is not None
    rows = rendering.help_view(ROWS, linked=linked)
    return Reply(message=blocks.help_message(rows, linked=linked))


def _link(call: Call, now: datetime) -> Reply:
    import secrets

    code = secrets.token_urlsafe(24)
    person = SlackPerson.objects.using(get_settings().state_database).get(pk=call.person)
    expires = offer_code(
        code, team=call.team, slack_user=call.user, slack_name=person.name, now=now
    )
    minutes = round((expires - now).total_seconds() / 60)
    return Reply(message=blocks.link_message(rendering.link_url(code), minutes))


def _whoami(call: Call, now: datetime) -> Reply:
    return Reply(message=blocks.whoami_message(rendering.who_view(call.team, call.user)))


def _unlink(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    unlink(call.team, call.user, actor=actor, now=now)
    return _said(call, f"Your Slack account is no longer tied to {actor.name}.")


def _status(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    _require_staff("status", actor, now)
    return Reply(message=blocks.status_message(rendering.status_view(now=now)))


def _history(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    _require_staff("history", actor, now)
    view = rendering.history_view(now=now, **dict(parsed.options))
    return Reply(message=blocks.history_message(view))


def _show(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    _require_staff("show", actor, now)
    run = _run_number(parsed.words[0])
    return Reply(message=_shown(run, now))


def _cancel(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    run = _run_number(parsed.words[0])
    operations.cancel(run, actor=actor, reason=parsed.options.get("reason", ""), now=now)
    return _said(call, f"Run {run} is cancelled.")


def _plan(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    database = parsed.options.get("database") or _default_database()
    operations.ask_for_plan(
        actor=actor,
        database=database,
        target=" ".join(parsed.words),
        reply_to=call.response_url,
        now=now,
    )
    what = " ".join(parsed.words) or "everything"
    return _said(call, f"Planning {what} on {database}. The plan comes into the channel shortly.")


def _apply(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    database = parsed.options.get("database") or _default_database()
    target, at = " ".join(parsed.words), parsed.options.get("at", "")
    run_after = _time(at, call, now)
    reason = parsed.options.get("reason", "")
    if reason.strip():
        return _requested(
            call, actor, database=database, target=target, reason=reason, at=run_after, now=now
        )
    with denials_recorded("run.request", actor=actor, now=now):
        operations.accounts.require(actor, operations.accounts.REQUEST)
        operations.planning.check_database(database)
    stored = rendering.newest_plan(database, target, now=now)
    ids: dict[str, str | int] = {"database": database, "target": target}
    modal = blocks.request_modal(
        ids=ids,
        plan=rendering.plan_view(stored) if stored is not None else None,
        database=database,
        target=target,
        at=run_after,
    )
    usage = f'{COMMANDS["apply"].usage.split(" [")[0]} {target} --reason "why"'.replace("  ", " ")
    instead = _message(f"Say why in the same line: {usage}")
    return Reply(modal=modal, instead=instead)


def _requested(
    call: Call,
    actor: Actor,
    *,
    database: str,
    target: str,
    reason: str,
    at: datetime | None,
    now: datetime,
) -> Reply:
    operations.ask_for_plan(
        actor=actor,
        database=database,
        target=target,
        request=True,
        reason=reason,
        run_after=at,
        reply_to=call.response_url,
        now=now,
    )
    what = target or "everything"
    return _said(
        call, f"Asked for a run of {what} on {database}. It comes into the channel shortly."
    )


# Buttons


def _press_request(call: Call, actor: Actor, now: datetime) -> Reply:
    with denials_recorded("run.request", actor=actor, now=now):
        operations.accounts.require(actor, operations.accounts.REQUEST)
    stored = operations.find_plan(call.value)
    if stored.state != stored.READY:
        raise PlanNotFound()
    modal = blocks.request_modal(
        ids={"plan": str(stored.pk)}, plan=rendering.plan_view(stored), database=stored.database
    )
    return Reply(
        modal=modal,
        instead=_message(f'Type instead: /migrate apply {stored.target} --reason "why"'),
    )


def _press_approve(call: Call, actor: Actor, now: datetime) -> Reply:
    run = operations.approve(_run_number(call.value), actor=actor, now=now)
    return _said(call, f"You approved run {run.pk}. It is {run.state.replace('_', ' ')}.")


def _press_reject(call: Call, actor: Actor, now: datetime) -> Reply:
    run = _run_number(call.value)
    with denials_recorded("run.reject", actor=actor, now=now, run=run):
        operations.accounts.require(actor, operations.accounts.APPROVE)
    modal = blocks.reject_modal(rendering.run_view(run, now=now))
    instead = _message(f"Reject it on the staff page: {rendering.run_url(run)}")
    return Reply(modal=modal, instead=instead)


def _press_cancel(call: Call, actor: Actor, now: datetime) -> Reply:
    run = operations.cancel(_run_number(call.value), actor=actor, now=now)
    return _said(call, f"Run {run.pk} is cancelled.")


def _press_show(call: Call, actor: Actor, now: datetime) -> Reply:
    _require_staff("show", actor, now)
    return Reply(message=_shown(_run_number(call.value), now))


# Modals


def _fill_request(call: Call, actor: Actor, now: datetime) -> Reply:
    known = _carried(call)
    reason = call.inputs.get(REASON_INPUT, "")
    try:
        run_after = _time(call.inputs.get(TIME_INPUT, ""), call, now)
        plan = str(known.get("plan", ""))
        if plan:
            run = operations.request(plan, actor=actor, reason=reason, run_after=run_after, now=now)
            return _done(f"Run {run.pk} is requested. Somebody else approves it in the channel.")
        reply = _requested(
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
    run = _run_number(str(_carried(call).get("run", "")))
    try:
        operations.reject(run, actor=actor, reason=call.inputs.get(REASON_INPUT, ""), now=now)
    except ReasonNeeded as refused:
        return Reply(errors={REASON: refused.sentence})
    return _done(f"Run {run} is rejected.")


UNLINKED: dict[str, Callable[[Call, datetime], Reply]] = {
    "help": _help,
    "link": _link,
    "whoami": _whoami,
}
LINKED: dict[str, Callable[[Call, Parsed, Actor, datetime], Reply]] = {
    "status": _status,
    "plan": _plan,
    "apply": _apply,
    "show": _show,
    "cancel": _cancel,
    "history": _history,
    "unlink": _unlink,
}
ACTIONS: dict[str, Callable[[Call, Actor, datetime], Reply]] = {
    "migration_bot.request": _press_request,
    "migration_bot.approve": _press_approve,
    "migration_bot.reject": _press_reject,
    "migration_bot.cancel": _press_cancel,
    "migration_bot.show": _press_show,
}
VIEWS: dict[str, Callable[[Call, Actor, datetime], Reply]] = {
    "migration_bot.request_reason": _fill_request,
    "migration_bot.reject_reason": _fill_reject,
}


# Later, by a worker


def _keep(call: Call, *, now: datetime) -> Reply:
    """Keep the call for a worker, which asks Slack who this is and answers then."""
    with changing(now) as change:
        kept = SlackCall(call=call.to_json(), asked_at=now, woken_at=now)
        kept.save(using=change.using, force_insert=True)
        wake(ANSWER_CALL, kept.pk)
    return Reply() if call.how is How.HOME else _said(call, "One moment: asking Slack who you are.")


def tick(*, now: datetime) -> None:
    """Wake a worker again for kept calls that nobody answered: a wake may have been lost."""
    kept = SlackCall.objects.using(get_settings().state_database).filter(answered_at__isnull=True)
    waiting = kept.filter(woken_at__lt=now - FORGOTTEN, asked_at__gt=now - KEPT)
    for key in list(waiting.values_list("pk", flat=True)):
        with transaction.atomic(using=get_settings().state_database):
            kept.filter(pk=key).update(woken_at=now)
            wake(ANSWER_CALL, key)


def answer_later(key: str) -> None:
    """Ask Slack who it is, then answer a kept call, once. Work for a worker."""
    now = utc_now()
    kept_calls = SlackCall.objects.using(get_settings().state_database)
    kept = kept_calls.filter(pk=key, answered_at__isnull=True).first()
    if kept is None:
        return
    call = Call.from_json(kept.call)
    late = kept.asked_at < now - TOO_LATE
    known = not late and people.ask_slack(call.team, call.user, now=now)
    if not kept_calls.filter(pk=key, answered_at__isnull=True).update(answered_at=utc_now()):
        return
    if late:
        reply = _refused(call, SlackTooLate())
    else:
        reply = answer_known(call, now=utc_now()) if known else _refused(call, SlackUnsure())
    message = reply.message or reply.instead
    if message is not None:
        with changing(utc_now()) as change:
            outbox.reply(
                key,
                message.to_json(),
                response_url=call.response_url,
                user=call.user,
                now=change.now,
            )


def answer_known(call: Call, *, now: datetime) -> Reply:
    """``answer`` for somebody of whom Slack has just told; it is never kept a second time."""
    try:
        return _answer(call, now=now)
    except FlagsOld:
        return _refused(call, SlackUnsure())
    except Refused as refused:
        return _refused(call, refused)


# Parts


def _require_staff(name: str, actor: Actor, now: datetime) -> None:
    """For commands that only read, and so have no operation that would ask."""
    with denials_recorded(f"slack.{name}", actor=actor, now=now):
        operations.accounts.require_staff(actor)


def _shown(run: int, now: datetime) -> Message:
    """One run for one person: as its message in the channel, without the buttons."""
    return blocks.run_message(replace(rendering.run_view(run, now=now), answerable=False))


def _run_number(text: str) -> int:
    digits = text.removeprefix("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
        raise RunNotFound(run=text[:40])
    return int(digits)


def _time(text: str, call: Call, now: datetime) -> datetime | None:
    """A time as the person means it: in their own time zone, as Slack knows it."""
    if not text.strip():
        return None
    if text.isascii() and text.isdigit() and len(text) >= 9:
        try:
            return datetime.fromtimestamp(int(text), tz=ZoneInfo("UTC"))
        except (ValueError, OverflowError, OSError):
            raise TimeNotUnderstood(text=text[:40], because="there is no such moment") from None
    people_known = SlackPerson.objects.using(get_settings().state_database)
    person = people_known.filter(pk=call.person).first()
    try:
        zone = ZoneInfo((person and person.time_zone) or django_settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo(django_settings.TIME_ZONE)
    return parse_at(text, now, zone)


def _carried(call: Call) -> dict[str, Any]:
    """The ids that a modal carries; believed no more than anything else that comes in."""
    try:
        found = json.loads(call.value)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _default_database() -> str:
    return get_settings().target_databases[0]


def _message(sentence: str) -> Message:
    return blocks.notice(sentence)


def _said(call: Call, sentence: str) -> Reply:
    """A sentence in the form that this kind of call can show."""
    return _done(sentence) if call.how is How.VIEW else Reply(message=_message(sentence))


def _done(sentence: str) -> Reply:
    """A modal's last page."""
    return Reply(modal=blocks.notice_modal("Done", sentence), message=_message(sentence))


def _refused(call: Call, refused: Refused) -> Reply:
    if call.how is How.VIEW:
        return Reply(
            modal=blocks.notice_modal("Not done", refused.sentence),
            message=blocks.refusal_message(refused.sentence),
        )
    return Reply(message=blocks.refusal_message(refused.sentence))
