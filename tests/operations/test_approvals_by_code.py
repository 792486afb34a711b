"""A finding may ask for more approvals than its level does."""

from __future__ import annotations

from typing import Any

import pytest

from bot.operations import keep_plan, request
from bot.operations.reading import approvals_because, find_run
from bot.route.findings import Finding, Risk
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db

LOSES = Finding(code="loses_data", level=Risk.DANGEROUS, because="It is gone.")


def asked(settings: Any, **given: Any) -> Any:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, **given}
    ben = acting(an_account("ben", "request_run"))
    stored = keep_plan(actor=ben, plan=a_plan(a_step(findings=(LOSES,))), now=NOW)
    return find_run(request(stored.pk, actor=ben, reason="why not", now=NOW).pk)


def test_a_run_needs_as_many_as_its_finding_asks_for(settings: Any) -> None:
    run = asked(settings, approvals_by_code={"loses_data": 3})
    assert run.approvals_needed == 3
    assert approvals_because(run) == "because of loses_data"


def test_without_it_the_level_counts(settings: Any) -> None:
    run = asked(settings)
    assert run.approvals_needed == 2
    assert approvals_because(run) == "because it is dangerous"


def test_a_reason_that_the_settings_no_longer_give_is_not_told(settings: Any) -> None:
    run = asked(settings, approvals_by_code={"loses_data": 3})
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "approvals_by_code": {"loses_data": 4}}
    assert approvals_because(run) == ""
