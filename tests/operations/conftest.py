from __future__ import annotations

import pytest

from bot import operations
from bot.models import Run
from bot.route.people import Actor
from tests.plans import NOW, a_plan, a_step, acting, an_account


@pytest.fixture
def queued(db: None) -> Run:
    """Two steps, asked for by robin and approved by ada."""
    robin = an_account("robin", "request_run")
    ada = an_account("ada", "approve_run")
    plan = a_plan(a_step(), a_step(name="0003_third"))
    stored = operations.keep_plan(actor=acting(robin), plan=plan, now=NOW)
    run = operations.request(stored.pk, actor=acting(robin), reason="totals", now=NOW)
    return operations.approve(run.pk, actor=acting(ada), now=NOW)


@pytest.fixture
def robin(db: None) -> Actor:
    return acting(an_account("robin", "request_run", "approve_run"))
