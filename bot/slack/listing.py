"""Lists as the values that blocks are made of: history, status, what is pending, Home."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.apps import apps

from bot.conf import get_settings
from bot.models import Decision, Freeze, Link, Run, StoredPlan
from bot.operations import accounts, planning, reading, vital_signs
from bot.operations.linking import find_link
from bot.operations.measured import measured_plan
from bot.route.approval import Verdict
from bot.route.findings import Risk
from bot.route.nearest import nearest
from bot.route.refusals import CommandUnreadable, UnknownApp
from bot.route.states import State
from bot.route.undoing import undone
from bot.slack.blocks.values import (
    FreezeView,
    HistoryView,
    HomeView,
    PendingView,
    PersonView,
    RunRow,
    StatusView,
)
from bot.slack.commands import COMMANDS
from bot.slack.rendering import person, run_url, url

HISTORY_ROWS = 10
HOME_ROWS = 5


def run_row(run: Run) -> RunRow:
    seconds = None
    if run.started_at is not None and run.ended_at is not None:
        seconds = (run.ended_at - run.started_at).total_seconds()
    return RunRow(
        id=run.pk,
        state=State(run.state),
        database=run.database,
        target=run.target or "everything",
        risk=Risk(run.risk),
        requester=person(run.requester_as_actor),
        requested_at=run.requested_at,
        steps=len(run.steps),
        undone=undone(step["direction"] for step in run.steps),
        steps_done=sum(step["state"] in ("applied", "unapplied") for step in run.steps),
        reason=run.reason,
        seconds=seconds,
        approvals=len(_who(run, Verdict.APPROVE)),
        approvals_needed=run.approvals_needed,
        approved_by=_who(run, Verdict.APPROVE),
        rejected_by=_who(run, Verdict.REJECT),
        expires_at=run.expires_at,
        url=run_url(run.pk),
    )


def _who(run: Run, verdict: Verdict) -> tuple[PersonView, ...]:
    return tuple(
        PersonView(name=d.person_name) for d in run.decisions.all() if d.verdict == verdict
    )


def history_view(
    *, now: datetime, database: str = "", app: str = "", state: str = ""
) -> HistoryView:
    """The last runs that fit. Raises CommandUnreadable, UnknownApp or UnknownDatabase for a filter
    that no run could fit: that none fits a typo must not read as good news."""
    state = _state(state)
    if app:
        _check_app(app)
    if database and not reading.runs(database=database).exists():
        planning.check_database(database)
    runs = reading.runs(state=state, database=database, app=app)
    shown = [run_row(run) for run in runs[:HISTORY_ROWS]]
    return HistoryView(
        rows=tuple(shown),
        left_out=max(0, runs.count() - len(shown)),
        filtered=" ".join(part for part in (state, app, database) if part),
        url=url("history"),
    )


def _state(typed: str) -> str:
    """The state that is meant: ``Needs attention`` is as good as ``needs_attention``."""
    state = typed.strip().lower().replace(" ", "_").replace("-", "_")
    known = [str(one) for one in State]
    if not state or state in known:
        return state
    hint = nearest(state, known) or f" There are: {', '.join(known)}."
    because = f'there is no state "{typed[:40]}".{hint}'
    raise CommandUnreadable(because=because, usage=COMMANDS["history"].usage)


def _check_app(app: str) -> None:
    """An app that is installed, or that a run had steps of while it was."""
    known = [config.label for config in apps.get_app_configs()]
    if app not in known and not reading.runs(app=app).exists():
        raise UnknownApp(app=app[:40], nearest=nearest(app, known))


def status_view(*, now: datetime) -> StatusView:
    pulse = vital_signs.pulse(now=now)
    return StatusView(
        pending=pending(),
        open_runs=tuple(run_row(run) for run in reading.open_runs()),
        freezes=tuple(freeze_view(freeze) for freeze in reading.freezes(now=now)),
        worker_alive=pulse.alive,
        worker_age=pulse.newest_age,
        url=url("overview"),
    )


def pending() -> tuple[PendingView, ...]:
    """What the newest plan of everything says of each database."""
    return tuple(_pending(database) for database in get_settings().target_databases)


def _pending(database: str) -> PendingView:
    plans = StoredPlan.objects.using(get_settings().state_database)
    newest = plans.filter(database=database, target="").exclude(state=StoredPlan.WAITING)
    stored = newest.order_by("-ready_at").first()
    if stored is None:
        return PendingView(database=database)
    if stored.state != StoredPlan.READY:
        return PendingView(database=database, made_at=stored.ready_at, problem=stored.refusal)
    plan = measured_plan(stored)
    return PendingView(
        database=database,
        steps=len(plan.steps),
        risk=plan.risk,
        made_at=stored.ready_at,
        plan_id=str(stored.pk),
        outdated_by=reading.run_since(database, plan.made_at),
    )


def freeze_view(freeze: Freeze) -> FreezeView:
    return FreezeView(
        owner=PersonView(name=freeze.owner_name),
        reason=freeze.reason,
        since=freeze.since,
        database=freeze.database,
        until=freeze.until,
    )


def home_view(team: str, user: str, *, now: datetime) -> HomeView:
    """App Home for one person, linked or not."""
    link = find_link(team, user)
    view = PersonView(name=link.account_name if link else user, slack_user=user, team=team)
    if link is None or not _is_staff(link):
        return HomeView(person=view, linked=False, url=url("overview"), now=now)
    rows = list(reading.open_runs())
    last = reading.runs()[: HOME_ROWS * 2]
    return HomeView(
        person=view,
        linked=True,
        pending=pending(),
        for_me=_rows(run for run in rows if _waits_for(run, link)),
        mine=_rows(run for run in rows if run.requester == link.account),
        running=_rows(run for run in rows if run.state in (State.RUNNING, State.QUEUED)),
        last=_rows([run for run in last if run.ended_at is not None][:HOME_ROWS]),
        freezes=tuple(freeze_view(freeze) for freeze in reading.freezes(now=now)),
        worker_alive=vital_signs.pulse(now=now).alive,
        url=url("overview"),
        now=now,
    )


def _rows(runs: Iterable[Run]) -> tuple[RunRow, ...]:
    return tuple(run_row(run) for run in runs)


def _is_staff(link: Link) -> bool:
    account = accounts.find_by_id(link.account)
    return account is not None and account.is_active and account.is_staff


def _waits_for(run: Run, link: Link) -> bool:
    """Whether this request waits for a decision that this person may give."""
    if run.state != State.REQUESTED or run.requester == link.account:
        return False
    decisions: Sequence[Decision] = list(run.decisions.all())
    if any(decision.person == link.account for decision in decisions):
        return False
    account = accounts.find_by_id(link.account)
    return account is not None and account.may(accounts.APPROVE)
