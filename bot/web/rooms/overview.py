"""The first room: each database, what is pending on it, and which runs are open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from bot.conf import get_settings
from bot.operations import reading, vital_signs
from bot.route.refusals import Refused
from bot.route.states import ENDED
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
        outdated_by=reading.run_since(alias, stored.plan.made_at) if stored else None,
        refusal=refused.refusal if refused else "",
        refused_id=str(refused.pk) if refused else "",
        being_made=str(waiting.pk) if waiting else "",
    )


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
