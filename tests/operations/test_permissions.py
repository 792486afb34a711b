"""Who may do what to a run in which state, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection

from bot import operations
from bot.models import AuditEntry, Run
from bot.operations import accounts
from bot.route.people import Actor, Origin
from bot.route.refusals import (
    AccountGone,
    AccountUnreadable,
    NotPermitted,
    NotSignedIn,
    NotStaff,
    OwnRequest,
    Refused,
    WrongState,
)
from bot.route.states import State
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db

WHO: dict[str, Callable[[], Any]] = {
    "nobody": lambda: None,
    "gone": lambda: an_account("gone", "request_run", "approve_run", active=False),
    "outsider": lambda: an_account("outsider", "request_run", "approve_run", staff=False),
    "reader": lambda: an_account("reader"),
    "another requester": lambda: an_account("other", "request_run"),
    "the requester": lambda: get_user_model().objects.get(username="robin"),
    "an approver": lambda: an_account("ada", "approve_run"),
    "a superuser": lambda: an_account("root", superuser=True),
}

DO: dict[str, Callable[[int, Actor], Any]] = {
    "ask for a plan": lambda run, who: operations.ask_for_plan(
        actor=who, database="default", target="", now=NOW
    ),
    "request": lambda run, who: operations.request(
        _ready_plan().pk, actor=who, reason="x", now=NOW
    ),
    "rehearse": lambda run, who: operations.ask_for_rehearsal(_ready_plan().pk, actor=who, now=NOW),
    "approve": lambda run, who: operations.approve(run, actor=who, now=NOW),
    "reject": lambda run, who: operations.reject(run, actor=who, reason="no", now=NOW),
    "cancel": lambda run, who: operations.cancel(run, actor=who, now=NOW),
}

BY_PERSON: dict[str, dict[str, type[Refused] | None]] = {
    "nobody": dict.fromkeys(DO, NotSignedIn),
    "gone": dict.fromkeys(DO, AccountGone),
    "outsider": dict.fromkeys(DO, NotStaff),
    "reader": {"ask for a plan": None, **dict.fromkeys(list(DO)[1:], NotPermitted)},
    "another requester": {
        "ask for a plan": None,
        "request": None,
        "rehearse": None,
        **dict.fromkeys(["approve", "reject", "cancel"], NotPermitted),
    },
    "the requester": {
        "ask for a plan": None,
        "request": None,
        "rehearse": None,
        "approve": NotPermitted,
        "reject": NotPermitted,
        "cancel": None,
    },
    "an approver": {**dict.fromkeys(DO), **dict.fromkeys(["request", "rehearse"], NotPermitted)},
    "a superuser": dict.fromkeys(DO),
}
"""What refuses each person each wish on a requested run; None lets them."""

OPEN_TO: dict[str, set[State]] = {
    "ask for a plan": set(State),
    "request": set(State),
    "rehearse": set(State),
    "approve": {State.REQUESTED},
    "reject": {State.REQUESTED},
    "cancel": {State.REQUESTED, State.APPROVED, State.QUEUED},
}
"""The states of a run in which each wish can be granted to whoever may."""


def _ready_plan() -> Any:
    actor = acting(get_user_model().objects.get(username="robin"))
    plan = a_plan(a_step(name="0009_unasked"))
    return operations.keep_plan(actor=actor, plan=plan, now=NOW)


@pytest.fixture
def run() -> Run:
    robin = an_account("robin", "request_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    return operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)


def person(who: str) -> Actor:
    user = WHO[who]()
    return acting(user) if user else Actor(origin=Origin.PAGE)


@pytest.mark.parametrize(("who", "wish", "state"), list(product(WHO, DO, State)))
def test_each_person_each_wish_each_state(run: Run, who: str, wish: str, state: State) -> None:
    Run.objects.filter(pk=run.pk).update(state=str(state))
    refusal = BY_PERSON[who][wish]
    if refusal is None and state not in OPEN_TO[wish]:
        refusal = WrongState
    actor = person(who)
    before = AuditEntry.objects.count()
    if refusal is None:
        DO[wish](run.pk, actor)
        return
    with pytest.raises(refusal):
        DO[wish](run.pk, actor)
    run.refresh_from_db()
    assert run.state == state, "a refusal changes nothing"
    assert not run.decisions.exists()
    last = AuditEntry.objects.order_by("seq").last()
    assert last is not None
    assert last.event.endswith(".refused")
    assert AuditEntry.objects.count() == before + 1


def test_a_requester_who_may_approve_is_still_the_requester(run: Run) -> None:
    robin = get_user_model().objects.get(username="robin")
    robin.user_permissions.add(Permission.objects.get(codename="approve_run"))
    with pytest.raises(OwnRequest):
        operations.approve(run.pk, actor=acting(robin), now=NOW)


def test_a_permission_through_a_group_counts_and_one_that_is_taken_away_does_not(run: Run) -> None:
    ada = an_account("ada")
    group = Group.objects.create(name="approvers")
    group.permissions.add(Permission.objects.get(codename="approve_run"))
    ada.groups.add(group)
    assert accounts.require(acting(ada), accounts.APPROVE).name == "ada"
    ada.groups.clear()
    with pytest.raises(NotPermitted):
        operations.approve(run.pk, actor=acting(ada), now=NOW)


def test_an_actor_with_an_account_that_never_was_is_refused(run: Run) -> None:
    for account in ("0", "-1", "x'; --", "9" * 40):
        with pytest.raises(AccountGone):
            operations.approve(run.pk, actor=Actor(origin=Origin.PAGE, account=account), now=NOW)


def test_a_pending_migration_on_the_user_model_locks_nobody_out(run: Run) -> None:
    ada = an_account("ada", "approve_run")
    with connection.cursor() as cursor:
        for column in ("first_name", "email", "date_joined"):
            cursor.execute(f"ALTER TABLE auth_user DROP COLUMN {column}")
    assert operations.approve(run.pk, actor=acting(ada), now=NOW).state == State.QUEUED


def test_accounts_that_cannot_be_read_are_no_accounts(run: Run) -> None:
    ada = an_account("ada", "approve_run")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user RENAME COLUMN is_staff TO was_staff")
    with pytest.raises(AccountUnreadable):
        operations.approve(run.pk, actor=acting(ada), now=NOW)
    run.refresh_from_db()
    assert run.state == State.REQUESTED


def test_the_names_of_the_permissions_fit_the_column_of_the_first_migration_of_auth() -> None:
    """Whoever migrates another app first has that column, of 50 characters, when they are made."""
    assert all(len(name) <= 50 for _, name in Run._meta.permissions)
