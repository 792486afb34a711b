"""Accounts are asked for at the moment of action, and never while the audit's head is held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from bot import operations
from bot.models import Run, StoredPlan
from bot.operations import accounts, linking, running
from bot.route.people import Actor
from tests.operations.claiming import basis, claimed
from tests.plans import NOW, a_plan, acting, an_account

pytestmark = pytest.mark.django_db(transaction=True)


class Backend:
    """A rule of the project's own, as LDAP is; it says where it was asked from."""

    asked: list[tuple[str, bool]]

    def authenticate(self, request: Any, **credentials: Any) -> None:
        return None

    def has_perm(self, user: Any, permission: str, obj: Any = None) -> bool:
        Backend.asked.append((permission, transaction.get_connection().in_atomic_block))
        return True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[tuple[str, bool]]:
    """What is asked about accounts from here on, and whether that is in a transaction."""
    settings.AUTHENTICATION_BACKENDS = [f"{__name__}.Backend"]
    Backend.asked = []
    find: Any = accounts._find

    def noting(**lookup: Any) -> Any:
        Backend.asked.append(("account", transaction.get_connection().in_atomic_block))
        return find(**lookup)

    monkeypatch.setattr(accounts, "_find", noting)
    return Backend.asked


@pytest.fixture(autouse=True)
def people(db: None) -> None:
    for name in ("robin", "ada"):
        an_account(name)


def _actor(name: str) -> Actor:
    return acting(get_user_model().objects.get(username=name))


def _kept() -> StoredPlan:
    return operations.keep_plan(actor=_actor("robin"), plan=a_plan(), now=NOW)


def _requested() -> Run:
    return operations.request(_kept().pk, actor=_actor("robin"), reason="x", now=NOW)


def _wished(**wish: Any) -> StoredPlan:
    stored = operations.ask_for_plan(
        actor=_actor("robin"), database="default", target="", now=NOW, **wish
    )
    operations.store_plan(stored.pk, a_plan(), now=NOW)
    stored.refresh_from_db()
    assert not stored.refusal
    return stored


def _approve(**fields: Any) -> Run:
    return operations.approve(_requested().pk, actor=_actor("ada"), now=NOW, **fields)


def _start() -> None:
    run = _approve()
    running.start(claimed(run), basis(run), now=NOW)
    run.refresh_from_db()
    assert run.state == "running"


def _link() -> None:
    linking.offer_code("code", team="T1", slack_user="U1", slack_name="ada", now=NOW)
    linking.confirm_code("code", actor=_actor("ada"), now=NOW)
    linking.unlink("T1", "U1", actor=_actor("ada"), now=NOW)


DO: dict[str, Callable[[], Any]] = {
    "keep a plan": _kept,
    "request": _requested,
    "ask for a plan and a run of it": lambda: _wished(request=True, reason="x"),
    "ask for a plan and a rehearsal of it": lambda: _wished(rehearse=True),
    "rehearse": lambda: operations.ask_for_rehearsal(_kept().pk, actor=_actor("robin"), now=NOW),
    "approve": _approve,
    "approve in spite of what forbids it": lambda: _approve(override=True, reason="x"),
    "reject": lambda: operations.reject(_requested().pk, actor=_actor("ada"), reason="x", now=NOW),
    "cancel": lambda: operations.cancel(_requested().pk, actor=_actor("ada"), now=NOW),
    "start": _start,
    "link and unlink": _link,
}


@pytest.mark.parametrize("what", DO)
def test_nobody_is_asked_about_while_the_audits_head_is_held(
    asked: list[tuple[str, bool]], what: str
) -> None:
    """A run that migrates the users' table holds it: whoever then waits for an account and has
    the head would hold up the clock, the heartbeats and the run itself."""
    DO[what]()
    assert asked
    assert [question for question, in_transaction in asked if in_transaction] == []


def test_an_approval_in_spite_of_a_finding_asks_for_that_permission_before(
    asked: list[tuple[str, bool]], settings: Any
) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "forbidden": ["test"]}
    _approve(override=True, reason="we looked")
    assert ("migration_bot.override_findings", False) in asked
    assert not any(in_transaction for _, in_transaction in asked)
