from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bot import audit, clock, operations
from bot.models import AuditEntry, DenialTally
from bot.operations import linking
from bot.operations.changing import denials_recorded
from bot.route.people import Actor, Origin
from bot.route.refusals import NotPermitted, NotSignedIn, NotStaff, Refused
from tests.plans import NOW, a_plan, acting, an_account

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def outsider() -> Actor:
    return acting(an_account("customer", staff=False))


def refused(actor: Actor, run: int, at: float = 0) -> None:
    with pytest.raises(Refused):
        operations.approve(run, actor=actor, now=NOW + at * SECOND)


def written() -> list[tuple[str, int | None, int]]:
    """Each entry's event, run, and how many denials it stands for."""
    return [
        (entry.event, entry.run, json.loads(entry.data).get("repeated", 1))
        for entry in AuditEntry.objects.order_by("seq")
    ]


def test_a_flood_of_refusals_is_one_entry_a_minute_and_none_is_lost(outsider: Actor) -> None:
    for number in range(60):
        refused(outsider, 100 + number, at=number / 2)
    assert written() == [("run.approve.refused", 100, 1)]
    clock.tick(now=NOW + 59 * SECOND)
    assert len(written()) == 1
    clock.tick(now=NOW + 60 * SECOND)
    clock.tick(now=NOW + 61 * SECOND)
    assert written() == [("run.approve.refused", 100, 1), ("run.approve.refused", 159, 59)]
    refused(outsider, 7, at=62)
    assert len(written()) == 2, "the next minute began with what the clock wrote"
    clock.tick(now=NOW + 200 * SECOND)
    assert sum(number for *_, number in written()) == 61
    clock.tick(now=NOW + 300 * SECOND)
    assert not DenialTally.objects.exists(), "what nobody repeats is forgotten"
    assert audit.verify().sound


def test_the_next_refusal_after_a_minute_tells_of_those_before_it(outsider: Actor) -> None:
    for at in (0, 1, 2, 61):
        refused(outsider, 5, at=at)
    assert written() == [("run.approve.refused", 5, 1), ("run.approve.refused", 5, 3)]


def test_people_wishes_and_codes_are_counted_apart(outsider: Actor) -> None:
    reader = acting(an_account("reader"))
    refused(outsider, 5)
    refused(reader, 5)
    with pytest.raises(Refused):
        operations.cancel(5, actor=outsider, now=NOW)
    for refusal in (NotPermitted(name="a", permission="b"), NotSignedIn()):
        with pytest.raises(Refused), denials_recorded("run.cancel", actor=outsider, now=NOW):
            raise refusal
    assert len(written()) == 5


def test_a_shell_makes_no_new_person_with_each_name_it_says() -> None:
    for name in ("ada", "grace", "x"):
        stranger: dict[str, Any] = {"name": name, "os_user": "deploy@web-1"}
        actor = Actor(origin=Origin.COMMAND_LINE, **stranger)
        with pytest.raises(Refused), denials_recorded("run.approve", actor=actor, now=NOW):
            raise NotSignedIn()
    assert len(written()) == 1


def _request_twice(robin: Actor) -> None:
    stored = operations.keep_plan(actor=robin, plan=a_plan(), now=NOW)
    for _ in range(2):
        operations.request(stored.pk, actor=robin, reason="x", now=NOW)


SLIPS: dict[str, Callable[[Actor], Any]] = {
    "run_not_found": lambda robin: operations.cancel(77, actor=robin, now=NOW),
    "plan_not_found": lambda robin: operations.request("x", actor=robin, reason="x", now=NOW),
    "already_requested": _request_twice,
    "link_not_found": lambda robin: linking.unlink("T", "U", actor=robin, now=NOW),
}


@pytest.mark.parametrize("code", SLIPS)
def test_a_slip_is_told_to_whoever_made_it_and_to_nobody_else(code: str) -> None:
    robin = acting(an_account("robin", "request_run", "approve_run"))
    with pytest.raises(Refused) as told:
        SLIPS[code](robin)
    assert told.value.code == code
    assert not AuditEntry.objects.filter(event__endswith=".refused").exists()
    assert not DenialTally.objects.exists()


@pytest.mark.parametrize("wish", ["cancel", "approve"])
def test_whoever_may_not_is_audited_even_where_the_run_is_not_there(
    outsider: Actor, wish: str
) -> None:
    with pytest.raises(NotStaff):
        getattr(operations, wish)(77, actor=outsider, now=NOW)
    assert written() == [(f"run.{wish}.refused", 77, 1)]
