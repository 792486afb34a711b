"""Answering a call: who it is, what it asks for, and the reply.

What each command, button and modal does stands in ``on_command``, ``on_button`` and ``on_modal``.
``answer`` is the way in for the request and, when Slack had to be asked first who somebody is, for
the worker (``answer_later``). Both walk the same steps: the person, the operation, the sentence.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction

from bot import outbox
from bot.conf import get_settings
from bot.models import SlackCall
from bot.moment import utc_now
from bot.operations import asking
from bot.operations.changing import changing, denials_recorded
from bot.route.people import Actor
from bot.route.refusals import (
    Refused,
    SlackTooLate,
    SlackUnsure,
)
from bot.slack import people
from bot.slack.calls import Call, How
from bot.slack.commands import COMMANDS
from bot.slack.entrance import Entered, Stamp, enter
from bot.slack.forms import opened
from bot.slack.on_button import ACTIONS
from bot.slack.on_command import ASKED, LINKED, UNLINKED
from bot.slack.on_modal import VIEWS
from bot.slack.parsing import Parsed, parse
from bot.slack.people import FlagsOld
from bot.slack.replies import Reply, refused_reply, said
from bot.waking import wake

logger = logging.getLogger("migration_bot.slack")

ANSWER_CALL = "answer_call"
"""The name of the work that answers a kept call; a stored name."""


FORGOTTEN = timedelta(seconds=15)
"""A kept call that waits so long was forgotten: longer than Slack has to say who somebody is."""

TOO_LATE = timedelta(minutes=30)
"""What somebody wanted so long ago is not done behind their back; they are told so."""

KEPT = timedelta(days=1)

TRIGGER = timedelta(seconds=3)
"""How long Slack opens a form for what somebody did, as Slack documents it."""


def answer(call: Call, stamp: Stamp | None = None, *, now: datetime) -> Reply:
    """Answer one call, or keep it for a worker when Slack must be asked first who it is.

    ``stamp`` is the signature that it came with. Raises Replayed.
    """
    try:
        return _answer(call, stamp, now=now)
    except FlagsOld:
        return _keep(call, now=now)
    except Refused as refused:
        return refused_reply(call, refused)


def _answer(call: Call, stamp: Stamp | None, *, now: datetime) -> Reply:
    if call.how is How.COMMAND:
        return _command(call, stamp, parse(call.text, COMMANDS), now)
    entered = enter(call, stamp, now=now)
    if call.how is How.HOME:
        people.check_flags(call, entered.standing, now=now)
        with changing(now):
            outbox.home(call.team, call.user, now=now)
        return Reply()
    act = (ACTIONS if call.how is How.ACTION else VIEWS).get(call.name)
    if act is None:
        return Reply()
    wish = f"slack.{call.name.removeprefix('migration_bot.')}"
    return act(call, _identified(call, entered, wish, now), now)


def _command(call: Call, stamp: Stamp | None, parsed: Parsed, now: datetime) -> Reply:
    name = parsed.command.name
    asked = ASKED[name](call, parsed) if name in ASKED else None
    wanted = asked.wanted if asked is not None else None
    entered = enter(call, stamp, now=now, wanted=wanted)
    if parsed.command.unlinked:
        with denials_recorded(f"slack.{name}", actor=people.unlinked_actor(call), now=now):
            _check_flags(call, entered, name, now)
        return UNLINKED[name](call, now)
    actor = _identified(call, entered, f"slack.{name}", now)
    if asked is None:
        return LINKED[name](call, parsed, actor, now)
    with asking.refusals_recorded(asked.wanted, actor=actor, now=now):
        if isinstance(entered.asked, Refused):
            raise entered.asked
    return said(call, asked.words)


def _check_flags(call: Call, entered: Entered, name: str, now: datetime) -> None:
    """Help is the same text for everybody, so nobody waits for it while Slack is asked."""
    try:
        people.check_flags(call, entered.standing, now=now)
    except FlagsOld:
        if name != "help":
            raise
        with changing(now):
            wake("refresh_person", call.person)


def _identified(call: Call, entered: Entered, wish: str, now: datetime) -> Actor:
    """Who it is. Whoever is refused as a person is audited under what they wished for; what an
    operation refuses, it has audited itself."""
    with denials_recorded(wish, actor=people.unlinked_actor(call), now=now):
        return people.actor_of(call, entered.standing, now=now)


# Later, by a worker


def _keep(call: Call, *, now: datetime) -> Reply:
    """Keep the call for a worker, which asks Slack who this is and answers then."""
    with changing(now) as change:
        kept = SlackCall(call=call.to_json(), asked_at=now, woken_at=now)
        kept.save(using=change.using, force_insert=True)
        wake(ANSWER_CALL, kept.pk)
    return Reply() if call.how is How.HOME else said(call, "One moment: asking Slack who you are.")


def tick(*, now: datetime) -> None:
    """Wake a worker again for kept calls that nobody answered: a wake may have been lost."""
    kept = SlackCall.objects.using(get_settings().state_database).filter(answered_at__isnull=True)
    waiting = kept.filter(woken_at__lt=now - FORGOTTEN, asked_at__gt=now - KEPT)
    for key in list(waiting.values_list("pk", flat=True)):
        with transaction.atomic(using=get_settings().state_database):
            kept.filter(pk=key).update(woken_at=now)
            wake(ANSWER_CALL, key)


def answer_later(key: str) -> None:
    """Ask Slack who it is, then answer a kept call, once. Work for a worker.

    What was wished for, that it was answered and what is told commit together. When the database
    fails on the way nothing has happened, and the clock wakes somebody again (``tick``).
    """
    now = utc_now()
    kept_calls = SlackCall.objects.using(get_settings().state_database)
    kept = kept_calls.filter(pk=key, answered_at__isnull=True).first()
    if kept is None:
        return
    call = Call.from_json(kept.call)
    late = kept.asked_at < now - TOO_LATE
    known = not late and people.ask_slack(call.team, call.user, now=now)

    def reply() -> Reply:
        if late:
            return refused_reply(call, SlackTooLate())
        return answer_known(call, now=utc_now()) if known else refused_reply(call, SlackUnsure())

    try:
        answered = _answer_kept(key, call, reply)
        if answered is not None and answered.modal is not None:
            _open_late(key, call, kept, answered)
    except (OperationalError, InterfaceError):
        raise  # an outage: the call is kept and answered when it is over
    except Exception:  # the outermost edge: trying again would break again, so it is told
        reference = secrets.token_hex(4)
        logger.exception("a kept %s failed; reference %s", call.how, reference)
        _answer_kept(key, call, lambda: Reply.broken(call, reference))


def _opening() -> timedelta:
    """How long it takes at most until a form is open or not: to connect, and to be answered."""
    return TRIGGER + 2 * timedelta(seconds=get_settings().slack_modal_timeout)


def _open_late(key: str, call: Call, kept: SlackCall, answered: Reply) -> None:
    """Open the form after all, if Slack still does, and take back what is said instead."""
    in_time = bool(call.trigger) and utc_now() < kept.asked_at + TRIGGER
    if in_time and opened(call, answered):
        outbox.withdraw_reply(key)


def _answer_kept(key: str, call: Call, answer: Callable[[], Reply]) -> Reply | None:
    """Answer a kept call and note that it was, in one transaction; nobody else does meanwhile.

    What is said instead of a form waits until the form can no longer be opened: it is withdrawn
    when it was, and told even where this process dies in between.
    """
    using = get_settings().state_database
    with transaction.atomic(using=using):
        kept = SlackCall.objects.using(using).filter(pk=key, answered_at__isnull=True)
        if not kept.update(answered_at=utc_now()):
            return None
        reply = answer()
        message = reply.message or reply.instead
        if message is not None:
            now = utc_now()
            outbox.reply(
                key,
                message.to_json(),
                response_url=call.response_url,
                user=call.user,
                now=now,
                due_at=now + _opening() if reply.modal is not None and call.trigger else now,
            )
        return reply


def answer_known(call: Call, *, now: datetime) -> Reply:
    """``answer`` for somebody of whom Slack has just told; it is never kept a second time."""
    try:
        return _answer(call, None, now=now)
    except FlagsOld:
        return refused_reply(call, SlackUnsure())
    except Refused as refused:
        return refused_reply(call, refused)
