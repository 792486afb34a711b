"""One run: followed live, decided upon, taken back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse

from bot import operations
from bot.models import Run
from bot.operations import reading
from bot.operations.requesting import check_reason
from bot.route.refusals import Refused
from bot.route.states import State
from bot.web import answers
from bot.web.allowing import Allowed, allowed
from bot.web.edge import Visit, staff_view
from bot.web.forms import Fields, fields_of, is_ticked, optional_reason
from bot.web.rooms.common import may_request, room, worker_missing
from bot.web.shown_plans import plan_shown
from bot.web.shown_runs import run_shown


@staff_view("GET")
def run(visit: Visit, run_id: int) -> HttpResponseBase:
    """The run's page; with ``?fragment=1`` the part that changes; as JSON with an ETag."""
    found = reading.find_run(run_id)
    may = allowed(found, visit)
    if not visit.wants_json:
        return _page(visit, found, may, fragment=bool(visit.request.GET.get("fragment")))
    value = as_json(found, may)
    return answers.unless_known(visit.request, answers.as_json(value), _etag(visit, found, may))


def as_json(found: Run, may: Allowed) -> dict[str, Any]:
    """The run as the contract has it, and its traceback for who may see it."""
    value = reading.run_in_full_as_json(found)
    return {**value, "traceback": found.traceback} if may.see_traceback else value


def _etag(visit: Visit, found: Run, may: Allowed) -> str:
    """Another one whenever the page would show something else, elapsed time excepted."""
    shows = run_shown(found, now=visit.now)
    parts = [as_json(found, may), may.key, shows.headline, bool(worker_missing(visit))]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


@staff_view("POST", wish="run.approve")
def approve(visit: Visit, run_id: int) -> HttpResponse:
    return _act(
        visit,
        run_id,
        "approve",
        lambda fields: operations.approve(
            run_id,
            actor=visit.actor,
            now=visit.now,
            reason=optional_reason(fields),
            override=is_ticked(fields, "override"),
            seen=[*fields["seen"].split(","), fields["mark"]] if fields["seen"] else None,
        ),
    )


@staff_view("POST", wish="run.reject")
def reject(visit: Visit, run_id: int) -> HttpResponse:
    return _act(
        visit,
        run_id,
        "reject",
        lambda fields: operations.reject(
            run_id, actor=visit.actor, now=visit.now, reason=check_reason(fields["reason"])
        ),
    )


@staff_view("GET", "POST", wish="run.cancel")
def cancel(visit: Visit, run_id: int) -> HttpResponseBase:
    """A small page that asks once more; its form takes the run back."""
    if visit.request.method != "POST":
        found = reading.find_run(run_id)
        if visit.wants_json:
            return answers.as_json(as_json(found, allowed(found, visit)))
        return _cancel_page(visit, found)
    return _act(
        visit,
        run_id,
        "cancel",
        lambda fields: operations.cancel(
            run_id, actor=visit.actor, now=visit.now, reason=optional_reason(fields)
        ),
    )


def _act(visit: Visit, run_id: int, wish: str, change: Callable[[Fields], Run]) -> HttpResponse:
    """Do it and lead to the run's page, or show that page with the refusal and what was typed."""
    fields = Fields()
    try:
        fields = fields_of(visit.request)
        changed = change(fields)
    except Refused as refused:
        if visit.wants_json:
            return answers.refusal_as_json(refused)
        found = reading.find_run(run_id)
        if wish == "cancel":
            return _cancel_page(visit, found, refused=refused, typed=fields)
        may = allowed(found, visit)
        return _page(visit, found, may, refused=refused, typed=fields, wish=wish)
    if visit.wants_json:
        found = reading.find_run(changed.pk)
        return answers.as_json(as_json(found, allowed(found, visit)))
    return answers.see_other(reverse("migration_bot:run", args=[changed.pk]))


def _cancel_page(
    visit: Visit, found: Run, *, refused: Refused | None = None, typed: Fields | None = None
) -> HttpResponse:
    context = {"run": run_shown(found, now=visit.now), "may": allowed(found, visit)}
    return room(
        visit,
        "cancel",
        context,
        here="history",
        database=found.database,
        refused=refused,
        typed=typed,
    )


def _page(
    visit: Visit,
    found: Run,
    may: Allowed,
    *,
    fragment: bool = False,
    refused: Refused | None = None,
    typed: Fields | None = None,
    wish: str = "",
) -> HttpResponse:
    context: dict[str, Any] = {
        "run": run_shown(found, now=visit.now, traceback=may.see_traceback),
        "may": may,
        "wish": wish,
        "plan_id": str(found.stored_plan_id),
        "may_request": may_request(visit),
    }
    # It is long, and changes only while a rehearsal of what waits for approval may end.
    if not fragment or found.state == State.REQUESTED:
        context["plan"] = plan_shown(found.stored_plan)
    name = "run_live" if fragment else "run"
    return room(
        visit,
        name,
        context,
        here="history",
        database=found.database,
        refused=refused,
        typed=typed,
    )
