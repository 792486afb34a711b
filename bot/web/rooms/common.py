"""What every room shows around its own content."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpResponse

from bot.conf import get_settings
from bot.models import Freeze, SlackChannel
from bot.operations import accounts, reading, vital_signs
from bot.outbox import REPLIES
from bot.route.refusals import InputNotUnderstood, Refused, WorkerMissing
from bot.web import answers
from bot.web.edge import Visit
from bot.web.forms import Fields
from bot.web.words import clock

PAGE_LENGTH = 50


def room(
    visit: Visit,
    name: str,
    context: dict[str, Any],
    *,
    here: str = "",
    database: str = "",
    refused: Refused | None = None,
    typed: Fields | None = None,
) -> HttpResponse:
    """The page ``name``. With ``refused``, the same page says why, and keeps what was typed.

    A page that is about one ``database`` shows the freezes of that one.
    """
    freezes = reading.freezes(now=visit.now)
    if database:
        freezes = [freeze for freeze in freezes if freeze.database in ("", database)]
    around = {
        "now": visit.now,
        "account_name": visit.account.name,
        "sign_out": answers.sign_out_url(),
        "here": here,
        "worker_missing": worker_missing(visit),
        "freezes": [_freeze_words(freeze) for freeze in freezes],
        "slack": get_settings().slack_enabled,
        "slack_broken": [_broken_words(channel) for channel in vital_signs.broken_channels()],
        "refused": refused.sentence if refused else "",
        "refused_run": answers.run_of(refused) if refused else None,
        "typed": typed or Fields(),
        "databases": get_settings().target_databases,
    }
    status = answers.status_of(refused) if refused else 200
    return answers.page(visit.request, name, {**around, **context}, status=status)


def _freeze_words(freeze: Freeze) -> str:
    where = freeze.database or "every database"
    until = f" until {clock(freeze.until)}" if freeze.until else ""
    return (
        f"{where} since {clock(freeze.since)}{until}, by {freeze.owner_name}: {freeze.reason} "
        "Nothing starts there until it ends."
    )


def _broken_words(channel: SlackChannel) -> str:
    what = "answers to people" if channel.pk == REPLIES else f"messages for {channel.pk}"
    since = f" since {clock(channel.broken_at)}" if channel.broken_at else ""
    return (
        f"Slack has taken no {what}{since}: {channel.broken_because.rstrip('.')}. They are kept, "
        "and sent by themselves once that is mended; everything else goes on. "
        "`manage.py migration_bot doctor` says more."
    )


def worker_missing(visit: Visit) -> str:
    """The sentence that says so when no worker lives; empty when one does."""
    pulse = vital_signs.pulse(now=visit.now)
    if pulse.alive:
        return ""
    if pulse.newest_age is None:
        return (
            "No worker has ever been seen, so nothing is planned or run. "
            "Start one with `manage.py migration_bot worker`."
        )
    return WorkerMissing(seconds=round(abs(pulse.newest_age))).sentence


def may_request(visit: Visit) -> bool:
    return visit.account.may(accounts.REQUEST)


def page_of(visit: Visit, rows: QuerySet[Any]) -> Page[Any]:
    """The page of 50 that ``?page=`` names."""
    text = visit.request.GET.get("page", "") or "1"
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise InputNotUnderstood(because=f'"{text[:40]}" is no page number')
    return Paginator(rows, PAGE_LENGTH).get_page(int(text))


def paging_as_json(page: Page[Any]) -> dict[str, int]:
    return {
        "page": page.number,
        "pages": page.paginator.num_pages,
        "count": page.paginator.count,
    }


def query_without_page(visit: Visit) -> str:
    """The filters of this request as a query, for links to its other pages."""
    query = visit.request.GET.copy()
    query.pop("page", None)
    return query.urlencode()
