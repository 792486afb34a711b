"""What each slash command does: one operation, one reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot import operations
from bot.conf import get_settings
from bot.models import SlackPerson, StoredPlan
from bot.operations.asking import Wanted
from bot.operations.changing import denials_recorded
from bot.operations.linking import find_link, offer_code, unlink
from bot.route.people import Actor
from bot.route.refusals import CommandUnreadable
from bot.slack import blocks, listing, rendering
from bot.slack.calls import Call, How
from bot.slack.commands import COMMANDS, ROWS
from bot.slack.parsing import Parsed, parse
from bot.slack.reading import default_database, moment_of, require_staff, run_number, shown
from bot.slack.replies import Reply, said


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
    return said(call, f"Your Slack account is no longer tied to {actor.name}.")


def _status(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    require_staff("status", actor, now)
    return Reply(message=blocks.status_message(listing.status_view(now=now)))


def _history(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    require_staff("history", actor, now)
    view = listing.history_view(now=now, **dict(parsed.options))
    return Reply(message=blocks.history_message(view))


def _show(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    require_staff("show", actor, now)
    run = run_number(parsed.words[0])
    return Reply(message=shown(run, now))


def _cancel(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    run = run_number(parsed.words[0])
    operations.cancel(run, actor=actor, reason=parsed.options.get("reason", ""), now=now)
    return said(call, f"Run {run} is cancelled.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A plan that a command asks for, and what is said once it is kept."""

    wanted: Wanted
    words: str


def _plan(call: Call, parsed: Parsed) -> Asked:
    wanted = _wanted(call, parsed, StoredPlan.LOOK)
    what = _what(wanted.target, wanted.database)
    words = f"Planning {what}. The plan comes into the channel shortly."
    return Asked(wanted=wanted, words=words)


def _rehearse(call: Call, parsed: Parsed) -> Asked:
    wanted = _wanted(call, parsed, StoredPlan.REHEARSE)
    what = _what(wanted.target, wanted.database)
    words = (
        f"Planning {what}, and rehearsing it then. The plan comes into the channel shortly, and "
        "says what was measured once it was."
    )
    return Asked(wanted=wanted, words=words)


def _apply_at_once(call: Call, parsed: Parsed) -> Asked | None:
    """None where a form must be opened first, or the person's time zone be known."""
    wanted = _wanted(call, parsed, StoredPlan.REQUEST)
    if not wanted.reason.strip() or parsed.options.get("at", "").strip():
        return None
    return Asked(wanted=wanted, words=_requested_words(wanted.target, wanted.database))


def _wanted(call: Call, parsed: Parsed, purpose: str) -> Wanted:
    return Wanted(
        database=parsed.options.get("database") or default_database(),
        target=" ".join(parsed.words),
        purpose=purpose,
        reason=parsed.options.get("reason", ""),
        reply_to=call.response_url,
    )


def _what(target: str, database: str) -> str:
    return f"{target or 'everything'} on {database}"


def _requested_words(target: str, database: str) -> str:
    return f"Asked for a run of {_what(target, database)}. It comes into the channel shortly."


def _apply(call: Call, parsed: Parsed, actor: Actor, now: datetime) -> Reply:
    database = parsed.options.get("database") or default_database()
    target, at = " ".join(parsed.words), parsed.options.get("at", "")
    run_after = moment_of(at, call, now)
    reason = parsed.options.get("reason", "")
    if reason.strip():
        return requested(
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
    typed = call.value if call.how is How.ACTION else call.text
    return Reply(modal=modal, instead=blocks.reason_message(usage, typed))


def press_apply(call: Call, actor: Actor, now: datetime) -> Reply:
    """The button beside what ``apply`` says when its form did not open: the same line again."""
    parsed = parse(call.value, COMMANDS)
    if parsed.command.name != "apply":
        raise CommandUnreadable(because="that is no request.", usage=COMMANDS["apply"].usage)
    return _apply(call, parsed, actor, now)


def requested(
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
    return said(call, _requested_words(target, database))


ASKED: dict[str, Callable[[Call, Parsed], Asked | None]] = {
    "plan": _plan,
    "apply": _apply_at_once,
    "rehearse": _rehearse,
}
"""What asks for a plan and nothing else: kept in the moment in which its sender is let in."""
UNLINKED: dict[str, Callable[[Call, datetime], Reply]] = {
    "help": _help,
    "link": _link,
    "whoami": _whoami,
}
LINKED: dict[str, Callable[[Call, Parsed, Actor, datetime], Reply]] = {
    "status": _status,
    "apply": _apply,
    "show": _show,
    "cancel": _cancel,
    "history": _history,
    "unlink": _unlink,
}
