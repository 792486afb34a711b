"""The outermost edge of the staff page: each view of ours is wrapped here, once.

It checks the method, the session, the CSRF token and the live account, in that order; turns a
refusal into a page or into JSON, and anything else into "something broke" with a reference; and
sets the headers. Nothing behind it catches ``Exception``.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponseBase, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_protect

from bot.apart import standing_apart
from bot.conf import get_settings
from bot.operations import accounts
from bot.operations.changing import denials_recorded, is_setup_missing
from bot.route.people import Actor
from bot.route.refusals import (
    DatabaseDown,
    FormNotTrusted,
    InputNotUnderstood,
    Refused,
    SetupNeeded,
)
from bot.web import answers
from bot.web.people import actor_of

logger = logging.getLogger("migration_bot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of a live staff account. ``now`` is aware and in UTC."""

    request: HttpRequest
    now: datetime
    actor: Actor
    account: accounts.Account

    @property
    def wants_json(self) -> bool:
        return answers.wants_json(self.request)


DjangoView = Callable[..., HttpResponseBase]
StaffView = Callable[..., HttpResponseBase]


def staff_view(*methods: str, wish: str = "page.read") -> Callable[[StaffView], DjangoView]:
    """Make a Django view of ``view(visit, **url_arguments)`` for staff, with these methods.

    ``wish`` is what a refusal is called in the audit. Reading is not recorded when refused: a page
    that polls would fill the audit.
    """

    def decorate(view: StaffView) -> DjangoView:
        @wraps(view)
        def wrapped(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            return answered(request, lambda: _enter(request, view, methods, wish, arguments))

        return standing_apart(wrapped)

    return decorate


def answered(request: HttpRequest, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What ``answer`` returns, or the answer to what it raised; with our headers either way."""
    try:
        response = answer()
    except Refused as refused:
        response = answers.refusal(request, refused)
    except (SuspiciousOperation, UnreadablePostError, BadRequest, MultiPartParserError) as error:
        because = f"the request is malformed or too large ({type(error).__name__})"
        response = answers.refusal(request, InputNotUnderstood(because=because))
    except Exception as error:  # noqa: BLE001 - the outermost edge: logged, its reference told
        response = _broken(request, error)
    return answers.with_headers(response)


def _enter(
    request: HttpRequest,
    view: StaffView,
    methods: tuple[str, ...],
    wish: str,
    arguments: dict[str, Any],
) -> HttpResponseBase:
    if "GET" in methods:
        methods = (*methods, "HEAD")
    if request.method not in methods:
        return answers.not_allowed(request, methods)
    now = datetime.now(UTC)
    actor = actor_of(request)
    reached = False

    @csrf_protect
    def inside(request: HttpRequest) -> HttpResponseBase:
        nonlocal reached
        reached = True
        return answered(request, lambda: view(_admit(request, actor, now, wish), **arguments))

    response = inside(request)
    if not reached:
        raise FormNotTrusted()
    return response


def _admit(request: HttpRequest, actor: Actor, now: datetime, wish: str) -> Visit:
    if request.method == "POST":
        with denials_recorded(wish, actor=actor, now=now):
            account = accounts.require_staff(actor)
    else:
        account = accounts.require_staff(actor)
    return Visit(request=request, now=now, actor=actor, account=account)


def _broken(request: HttpRequest, error: Exception) -> HttpResponseBase:
    if isinstance(error, ProgrammingError | OperationalError) and is_setup_missing(error):
        return answers.refusal(request, SetupNeeded())
    reference = secrets.token_hex(4)
    logger.error("something broke on the staff page; reference %s", reference, exc_info=error)
    if isinstance(error, DatabaseError) and isinstance(error, OperationalError | InterfaceError):
        alias = get_settings().state_database
        return answers.refusal(
            request, DatabaseDown(database=alias, detail=f"reference {reference} in the log")
        )
    return answers.broken(request, reference)
