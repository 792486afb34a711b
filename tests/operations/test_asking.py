"""Many who ask for plans at the same moment: three databases, real threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections
from django_tasks_db.models import DBTaskResult

from bot import operations
from bot.models import AuditEntry, StoredPlan
from bot.operations import asking
from bot.operations.accounts import Account
from bot.operations.planning import WAITING_LIMIT
from bot.route.refusals import Refused, TooManyPlans
from tests.plain_site import plain_site
from tests.plans import NOW, acting, an_account


@pytest.fixture
def site(target: str, scratch_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with plain_site(target, scratch_url, monkeypatch):
        yield target


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many wishes were done at once; the first waits for the others to come."""
    sizes: list[int] = []
    waiting = asking._asking

    def work(wishes: Sequence[Any]) -> Any:
        sizes.append(len(wishes))
        if len(sizes) == 1:
            for _ in range(500):
                if len(waiting._waiting) >= 7:
                    break
                threading.Event().wait(0.01)
        return asking._ask_all(wishes)

    monkeypatch.setattr(waiting, "_work", work)
    monkeypatch.setattr("bot.together.PATIENCE", 20.0)
    return sizes


def ask_at_once(*wishes: tuple[Any, str]) -> list[StoredPlan | str]:
    """What each was given: its plan, or the code of what refused it."""

    def one(wish: tuple[Any, str]) -> StoredPlan | str:
        actor, target = wish
        try:
            return operations.ask_for_plan(
                actor=actor,
                database="target",
                target=target,
                request=True,
                reason=f"for {actor.name}",
                now=NOW,
            )
        except Refused as refused:
            return refused.code
        finally:
            connections["target"].close()

    with ThreadPoolExecutor(len(wishes)) as pool:
        return list(pool.map(one, wishes))


@pytest.mark.usefixtures("site")
def test_each_gets_its_own_plan_or_its_own_refusal(batches: list[int]) -> None:
    people = [acting(an_account(f"p{number}", "request_run")) for number in range(5)]
    reader = acting(an_account("reader"))
    gone = acting(an_account("gone", "request_run", active=False))
    wishes = [(each, "shop") for each in (*people, reader, gone)]
    told = ask_at_once(*wishes, (people[0], "two many words"))
    assert batches == [1, 7]
    assert told[5:] == ["not_permitted", "account_gone", "target_not_understood"]
    plans = {str(plan.pk): plan for plan in StoredPlan.objects.using("target")}
    assert len(plans) == 5
    for person, plan in zip(people, told[:5], strict=True):
        assert isinstance(plan, StoredPlan)
        kept = plans[str(plan.pk)]
        assert (kept.actor, kept.reason) == (person.to_json(), f"for {person.name}")
        assert (kept.state, kept.asked_at, kept.target) == (StoredPlan.WAITING, NOW, "shop")
    wakes = [wake.args_kwargs["args"] for wake in DBTaskResult.objects.using("target")]
    assert sorted(wakes) == sorted([key] for key in plans)
    denied = AuditEntry.objects.using("target").filter(event="run.request.refused")
    assert denied.count() == 2


@pytest.mark.usefixtures("site")
def test_the_same_person_at_the_same_moment_waits_for_no_more_than_one_may(
    batches: list[int],
) -> None:
    robin = acting(an_account("robin", "request_run"))
    targets = ["shop", "shop", "shop", "auth", "admin", "sessions", "flatpages", "redirects"]
    told = ask_at_once(*((robin, target) for target in targets))
    assert batches == [1, 7]
    same = {str(plan.pk) for plan in told[:3] if isinstance(plan, StoredPlan)}
    assert len(same) <= 1, "asked the same again it is the same plan"
    waits = StoredPlan.objects.using("target").filter(state=StoredPlan.WAITING).count()
    assert waits == WAITING_LIMIT
    assert Counter(told)["too_many_plans"] >= 3


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("key", ["josé", 'a"b\\c', "ключ"])
def test_whoever_has_a_name_for_a_key_waits_for_no_more_than_the_others(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    account = Account(id=key, name=key, is_active=True, is_staff=True, user=None)
    monkeypatch.setattr("bot.operations.accounts.find_asking", lambda *_: {key: account})
    named = replace(acting(an_account("robin")), account=key)

    def look(target: str) -> StoredPlan:
        return operations.ask_for_plan(actor=named, database="target", target=target, now=NOW)

    assert look("shop").pk == look("shop").pk
    for target in ("auth", "admin"):
        look(target)
    with pytest.raises(TooManyPlans):
        look("sessions")
