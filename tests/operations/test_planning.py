from __future__ import annotations

from typing import Any

import pytest

from bot import operations
from bot.models import AuditEntry, StoredPlan
from bot.operations.planning import WAITING_LIMIT
from bot.route.people import Origin
from bot.route.refusals import TooManyPlans
from tests.plans import NOW, acting, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def robin() -> Any:
    return an_account("robin", "request_run")


def ask(user: Any, target: str = "", origin: Origin = Origin.PAGE, **fields: Any) -> StoredPlan:
    actor = acting(user, origin=origin)
    return operations.ask_for_plan(
        actor=actor, database="default", target=target, now=NOW, **fields
    )


def test_asking_again_while_a_plan_waits_gives_that_plan(robin: Any) -> None:
    assert len({ask(robin).pk for _ in range(25)}) == 1
    assert ask(robin, "shop").target == "shop"
    assert StoredPlan.objects.count() == 2


def test_another_wish_is_another_plan(robin: Any) -> None:
    looked = ask(robin)
    wished = ask(robin, request=True, reason="new totals")
    assert wished.pk != looked.pk
    assert ask(robin, request=True, reason="other totals").pk != wished.pk


def test_what_is_asked_in_slack_is_answered_in_slack(robin: Any) -> None:
    assert ask(robin).pk != ask(robin, origin=Origin.SLACK).pk


def test_one_person_waits_for_three_plans_at_most_and_nobody_else_is_held_up(robin: Any) -> None:
    asked = [ask(robin, target) for target in ("shop", "auth", "admin")]
    assert len(asked) == WAITING_LIMIT
    with pytest.raises(TooManyPlans, match="wait for 3 plans"):
        ask(robin, "sessions")
    assert AuditEntry.objects.get().event == "plan.make.refused"
    assert ask(robin, "auth").pk == asked[1].pk
    assert ask(an_account("ada"), "sessions").target == "sessions"
    StoredPlan.objects.filter(pk=asked[0].pk).update(state=StoredPlan.READY)
    assert ask(robin, "sessions").target == "sessions"
