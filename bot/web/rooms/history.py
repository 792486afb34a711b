"""Every run there was, newest first, with filters."""

from __future__ import annotations

from django.http import HttpResponse

from bot.operations import reading
from bot.route.refusals import InputNotUnderstood
from bot.route.states import State
from bot.web import answers
from bot.web.edge import Visit, staff_view
from bot.web.rooms.common import page_of, paging_as_json, query_without_page, room
from bot.web.shown_runs import run_shown

FILTERS = ("state", "database", "app", "requester")


@staff_view("GET")
def history(visit: Visit) -> HttpResponse:
    """Runs by state, database, app and requester, 50 a page."""
    given = {name: visit.request.GET.get(name, "").strip() for name in FILTERS}
    states = [str(state) for state in State]
    if given["state"] and given["state"] not in states:
        raise InputNotUnderstood(
            because=f'there is no state "{given["state"][:40]}"; there are: {", ".join(states)}'
        )
    if any("\0" in text or len(text) > 255 for text in given.values()):
        raise InputNotUnderstood(because="a filter holds what no name has")
    page = page_of(visit, reading.runs(**given))
    if visit.wants_json:
        runs = [reading.run_as_json(run) for run in page.object_list]
        return answers.as_json({"runs": runs, **paging_as_json(page)})
    context = {
        "runs": [run_shown(run, now=visit.now) for run in page.object_list],
        "page": page,
        "query": query_without_page(visit),
        "given": given,
        "filtered": any(given.values()),
        "states": states,
    }
    return room(visit, "history", context, here="history")
