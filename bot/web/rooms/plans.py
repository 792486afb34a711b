"""Asking for a plan, looking at it, and asking for its run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse

from bot import operations
from bot.models import Run, StoredPlan
from bot.operations import reading
from bot.route.refusals import PlanNotFound, Refused
from bot.route.states import ENDED, State
from bot.web import answers
from bot.web.edge import Visit, staff_view
from bot.web.forms import Fields, chosen_database, chosen_target, chosen_time, fields_of
from bot.web.rooms import overview
from bot.web.rooms.common import may_request, room, worker_missing
from bot.web.shown_plans import plan_as_json, plan_shown
from bot.web.shown_runs import run_shown


@staff_view("POST", wish="plan.make")
def plan_now(visit: Visit) -> HttpResponse:
    """Ask a worker for a plan, and lead to the page where it will appear."""
    fields = Fields()
    try:
        fields = fields_of(visit.request)
        stored = operations.ask_for_plan(
            actor=visit.actor,
            database=chosen_database(fields),
            target=chosen_target(fields),
            now=visit.now,
        )
    except Refused as refused:
        return _told(visit, refused, fields)
    return _asked(visit, stored)


@staff_view("POST", wish="run.request")
def apply(visit: Visit) -> HttpResponse:
    """Ask for a run: of a plan that is ready (``plan``), or of one that a worker makes first."""
    fields = Fields()
    try:
        fields = fields_of(visit.request)
        run_after = chosen_time(fields, visit.now)
        if not fields["plan"]:
            stored = operations.ask_for_plan(
                actor=visit.actor,
                database=chosen_database(fields),
                target=chosen_target(fields),
                now=visit.now,
                request=True,
                reason=fields["reason"],
                run_after=run_after,
            )
            return _asked(visit, stored)
        run = operations.request(
            fields["plan"],
            actor=visit.actor,
            reason=fields["reason"],
            now=visit.now,
            run_after=run_after,
        )
    except Refused as refused:
        return _told(visit, refused, fields)
    url = reverse("migration_bot:run", args=[run.pk])
    if visit.wants_json:
        made = reading.run_as_json(reading.find_run(run.pk))
        return answers.as_json(made, status=201, location=url)
    return answers.see_other(url)


@staff_view("POST", wish="plan.rehearse")
def rehearse(visit: Visit, plan_id: UUID) -> HttpResponse:
    """Ask for a rehearsal, and lead to where it can be followed: the run's page if one is open."""
    try:
        stored = operations.ask_for_rehearsal(plan_id, actor=visit.actor, now=visit.now).stored_plan
    except Refused as refused:
        return _told(visit, refused, Fields({"plan": str(plan_id)}))
    if visit.wants_json:
        url = reverse("migration_bot:plan", args=[plan_id])
        document = plan_as_json(operations.find_plan(plan_id))
        return answers.as_json(document, status=202, location=url)
    run = _open_run(reading.runs().filter(fingerprint=stored.fingerprint))
    if run is not None:
        return answers.see_other(reverse("migration_bot:run", args=[run.pk]))
    return answers.see_other(reverse("migration_bot:plan", args=[plan_id]))


def _open_run(runs: Iterable[Run]) -> Run | None:
    return next((run for run in runs if State(run.state) not in ENDED), None)


def _asked(visit: Visit, stored: StoredPlan) -> HttpResponse:
    url = reverse("migration_bot:plan", args=[stored.pk])
    if visit.wants_json:
        return answers.as_json(plan_as_json(stored), status=202, location=url)
    return answers.see_other(url)


def _told(visit: Visit, refused: Refused, fields: Fields) -> HttpResponse:
    """The refusal on the page that the form was on, with the form as it was filled in."""
    if visit.wants_json:
        return answers.refusal_as_json(refused)
    if fields["plan"]:
        try:
            stored = operations.find_plan(fields["plan"])
        except PlanNotFound:
            return answers.refusal(visit.request, refused)
        return _page(visit, stored, refused=refused, typed=fields)
    return overview.answer(visit, refused=refused, typed=fields)


@staff_view("GET")
def plan(visit: Visit, plan_id: UUID) -> HttpResponseBase:
    """A plan: waiting, refused, or ready with everything there is to know about it."""
    stored = operations.find_plan(plan_id)
    if not visit.wants_json:
        return _page(visit, stored, fragment=bool(visit.request.GET.get("fragment")))
    value = plan_as_json(stored)
    return answers.unless_known(visit.request, answers.as_json(value), _etag(visit, value))


def _etag(visit: Visit, value: object) -> str:
    text = json.dumps([value, visit.account.name, bool(worker_missing(visit))], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _page(
    visit: Visit,
    stored: StoredPlan,
    *,
    refused: Refused | None = None,
    typed: Fields | None = None,
    fragment: bool = False,
) -> HttpResponse:
    ready = stored.state == StoredPlan.READY
    runs: list[Run] = list(reading.runs().filter(stored_plan=stored))
    open_run = _open_run(runs)
    context = {
        "stored": {
            "id": str(stored.pk),
            "state": stored.state,
            "database": stored.database,
            "target": stored.target or "everything",
            "typed": stored.target,
            "for_a_run": stored.purpose == StoredPlan.REQUEST,
            "to_rehearse": stored.purpose == StoredPlan.REHEARSE,
            "progress": stored.progress,
            "refusal": stored.refusal,
            "asked_at": stored.asked_at,
            "asked_by": str(stored.actor.get("name", "")),
        },
        "plan": plan_shown(stored) if ready else None,
        "plan_id": str(stored.pk),
        "runs": [run_shown(run, now=visit.now) for run in runs],
        "open_run": open_run.pk if open_run else None,
        "may_request": may_request(visit),
    }
    name = "plan_live" if fragment else "plan"
    return room(
        visit,
        name,
        context,
        here="overview",
        database=stored.database,
        refused=refused,
        typed=typed,
    )
