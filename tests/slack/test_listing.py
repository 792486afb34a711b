"""Lists as Slack is told them, made from rows."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import operations
from bot.route.plan import Direction, Target
from bot.slack.listing import history_view
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db


def test_a_run_that_goes_back_is_listed_as_an_undo() -> None:
    robin = acting(an_account("robin", "request_run"))
    back = a_plan(a_step(direction=Direction.BACKWARD), a_step(name="0001_initial"))
    plan = replace(back, target=Target(app="shop", name="zero"))
    kept = operations.keep_plan(actor=robin, plan=plan, now=NOW)
    operations.request(kept.pk, actor=robin, reason="go back", now=NOW)
    (row,) = history_view(now=NOW).rows
    assert (row.steps, row.undone) == (2, 1)
