"""People at the page, and what they find there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bot import operations
from bot.models import Run, StoredPlan
from bot.route.plan import Plan
from tests.plans import a_plan, acting, an_account

JSON = {"accept": "application/json"}


def alter(sql: str) -> None:
    """Change the schema until the test's transaction is rolled back."""
    if not connection.features.can_rollback_ddl:
        pytest.skip(f"{connection.vendor} keeps a changed schema, so it cannot be changed here")
    with connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def now() -> datetime:
    """The page asks the clock of the machine, so what it finds is made by the same clock."""
    return datetime.now(UTC)


@pytest.fixture
def robin(db: None) -> Any:
    return an_account("robin", "request_run")


@pytest.fixture
def ada(db: None) -> Any:
    return an_account("ada", "request_run", "approve_run")


@pytest.fixture
def grace(db: None) -> Any:
    return an_account("grace", "approve_run")


@pytest.fixture
def signed_in() -> Callable[[Any], Client]:
    """A client of this person; CSRF is checked, as it is for browsers."""

    def make(user: Any, *, csrf: bool = False) -> Client:
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(user)
        return client

    return make


@pytest.fixture
def kept(robin: Any, now: datetime) -> Callable[..., StoredPlan]:
    """A plan that is ready, asked for by robin."""

    def make(plan: Plan | None = None) -> StoredPlan:
        return operations.keep_plan(actor=acting(robin), plan=plan or a_plan(), now=now)

    return make


@pytest.fixture
def asked(robin: Any, kept: Callable[..., StoredPlan], now: datetime) -> Callable[..., Run]:
    """A run that robin asked for."""

    def make(plan: Plan | None = None, *, reason: str = "new totals", **fields: Any) -> Run:
        return operations.request(
            kept(plan).pk, actor=acting(robin), reason=reason, now=now, **fields
        )

    return make
