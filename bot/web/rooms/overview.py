"""The first room: each database, what is pending on it, and which runs are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from bot.conf import get_settings
from bot.models import Run
from bot.operations import reading, vital_signs
from bot.route.refusals import Refused
from bot.route.states import ENDED, State
from bot.web import answers
from bot.web.edge import Visit, staff_view
from bot.web.forms import Fields
from bot.web.rooms.common import may_request, room
from bot.web.shown_plans import PlanShown, plan_as_json, plan_shown
from bot.web.shown_runs import run_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseShown:
    """One database that may be migrated, and the newest plan of everything on it."""

    alias: str
    plan_id: str
    plan: PlanShown | None
    ready_at: datetime | None
    outdated_by: int | None
    """A run that ended since the plan was made, so that it is no longer what is pending."""
    refusal: str
    """Why a newer try to plan could not succeed; empty when there was none."""
    refused_id: str
    being_made: str
    """The id of a plan that waits for a worker."""


@staff_view("GET")
def overview(visit: Visit) -> HttpResponse:
    return answer(visit)


def answer(
    visit: Visit, *, refused: Refused | None = None, typed: Fields | None = None
) -> HttpResponse:
    """The overview, or a refused form with what was typed into it."""
    if visit.wants_json:
        return answers.as_json(_as_json(visit))
    context = {
        "shown_databases": [_database(alias) for alias in get_settings().target_databases],
        "open_runs": [run_shown(run, now=visit.now) for run in reading.open_runs()],
        "recent_runs": [run_shown(run, now=visit.now) for run in _ended()[:5]],
        "may_request": may_request(visit),
    }
    return room(visit, "overview", context, here="overview", refused=refused, typed=typed)


def _ended() -> Any:
    return reading.runs().filter(state__in=[str(state) for state in ENDED])


def _database(alias: str) -> DatabaseShown:
    stored = reading.newest_plan(alias)
    waiting = reading.plans_being_made(alias).first()
    refused = reading.newest_refused_plan(alias, since=stored.ready_at if stored else None)
    return DatabaseShown(
        alias=alias,
        plan_id=str(stored.pk) if stored else "",
        plan=plan_shown(stored) if stored else None,
        ready_at=stored.ready_at if stored else None,
        outdated_by=_run_since(alias, stored.ready_at) if stored else None,
        refusal=refused.refusal if refused else "",
        refused_id=str(refused.pk) if refused else "",
        being_made=str(waiting.pk) if waiting else "",
    )


def _run_since(alias: str, made_at: datetime | None) -> int | None:
    """The newest run on this database that changed it, or may have, since ``made_at``."""
    moved = [State.SUCCEEDED, State.FAILED, State.CANCELLED, State.NEEDS_ATTENTION]
    runs = Run.objects.using(get_settings().state_database).filter(
        database=alias,
        state__in=[str(state) for state in moved],
        started_at__isnull=False,
        ended_at__gt=made_at,
    )
    run = runs.only("pk").order_by("-id").first()
    return run.pk if run else None


def _as_json(visit: Visit) -> dict[str, Any]:
    pulse = vital_signs.pulse(now=visit.now)
    return {
        "databases": [
            {"database": alias, "plan": plan_as_json(stored) if stored else None}
            for alias in get_settings().target_databases
            for stored in [reading.newest_plan(alias)]
        ],
        "open_runs": [reading.run_as_json(run) for run in reading.open_runs()],
        "worker": {"alive": pulse.alive, "workers": pulse.workers},
    }
