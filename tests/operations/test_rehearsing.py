"""Asking for a rehearsal, a worker that makes it or dies of it, and what counts from then on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from bot import operations, waking
from bot.models import AuditEntry, Delivery, Run, StoredPlan, StoredRehearsal
from bot.operations import rehearsing
from bot.operations.measured import standing_of
from bot.route.findings import Risk
from bot.route.people import SYSTEM, Actor
from bot.route.plan import Plan
from bot.route.refusals import EmptyPlan, PlanNotReady, TooManyRehearsals
from bot.route.rehearsing import Stage
from tests.operations.rehearsals import RISKY, asked, claimed, kept, made, requested
from tests.plans import NOW, a_plan, a_rehearsal, a_step, acting, an_account, measured
from tests.slack.payloads import SETTINGS

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=3)
PAST_LEASE = NOW + timedelta(seconds=31)


def policy(wanted: str) -> Any:
    return override_settings(MIGRATION_BOT={"rehearse": wanted})


# Asking


def test_a_rehearsal_is_asked_for_once_however_many_ask(robin: Actor) -> None:
    first = asked(robin)
    ada = acting(an_account("ada", "request_run"))
    assert operations.ask_for_rehearsal(first.stored_plan_id, actor=ada, now=LATER).pk == first.pk
    assert asked(ada).pk == first.pk, "another plan of the same fingerprint"
    assert StoredRehearsal.objects.count() == 1


def test_a_fresh_rehearsal_is_shown_again_and_an_old_one_is_made_anew(robin: Actor) -> None:
    first = made(asked(robin), a_rehearsal(RISKY))
    plan = first.stored_plan_id
    soon = NOW + rehearsing.FRESH - timedelta(seconds=1)
    assert operations.ask_for_rehearsal(plan, actor=robin, now=soon).pk == first.pk
    late = NOW + rehearsing.FRESH
    assert operations.ask_for_rehearsal(plan, actor=robin, now=late).pk != first.pk


def test_one_that_measured_nothing_is_tried_again_by_whoever_asks(robin: Actor) -> None:
    first = made(asked(robin), a_rehearsal(RISKY, because="There is no place for it."))
    again = operations.ask_for_rehearsal(first.stored_plan_id, actor=robin, now=LATER)
    assert (first.state, again.state) == ("refused", "waiting")


def test_one_person_waits_for_three_rehearsals_at_most_and_nobody_else_is_held_up(
    robin: Actor,
) -> None:
    plans = [a_plan(a_step(name=f"000{n}_x")) for n in range(1, 5)]
    for plan in plans[:3]:
        asked(robin, plan)
    with pytest.raises(TooManyRehearsals, match="wait for 3 rehearsals"):
        asked(robin, plans[3])
    assert AuditEntry.objects.get().event == "plan.rehearse.refused"
    assert asked(acting(an_account("ada", "request_run")), plans[3]).state == "waiting"


def test_a_plan_that_is_not_ready_or_empty_cannot_be_rehearsed(robin: Actor) -> None:
    waiting = operations.ask_for_plan(actor=robin, database="default", target="", now=NOW)
    with pytest.raises(PlanNotReady):
        operations.ask_for_rehearsal(waiting.pk, actor=robin, now=NOW)
    empty = Plan.from_json({**RISKY.to_json(), "steps": []})
    with pytest.raises(EmptyPlan):
        asked(robin, empty)


def test_a_target_is_planned_and_its_rehearsal_asked_for_when_the_plan_is_ready(
    robin: Actor,
) -> None:
    stored = operations.ask_for_plan(
        actor=robin, database="default", target="shop", now=NOW, rehearse=True
    )
    assert stored.purpose == StoredPlan.REHEARSE
    assert operations.store_plan(stored.pk, RISKY, now=LATER) is None
    row = StoredRehearsal.objects.get()
    assert (row.stored_plan_id, row.actor["name"]) == (stored.pk, "robin")
    assert not Run.objects.exists()


def test_whoever_may_no_longer_ask_when_the_plan_is_ready_gets_no_rehearsal(robin: Actor) -> None:
    user = an_account("ada", "request_run")
    stored = operations.ask_for_plan(
        actor=acting(user), database="default", target="shop", now=NOW, rehearse=True
    )
    user.user_permissions.clear()
    operations.store_plan(stored.pk, RISKY, now=LATER)
    stored.refresh_from_db()
    assert (stored.state, stored.refusal_code) == (StoredPlan.READY, "not_permitted")
    assert not StoredRehearsal.objects.exists()
    assert AuditEntry.objects.get().event == "plan.rehearse.refused"


# By policy


@pytest.mark.parametrize(
    ("wanted", "risk", "rehearsed"),
    [
        ("never", Risk.DANGEROUS, False),
        ("not_safe", Risk.SAFE, False),
        ("not_safe", Risk.CAUTION, True),
        ("not_safe", Risk.DANGEROUS, True),
        ("always", Risk.SAFE, True),
    ],
)
def test_a_requested_plan_is_rehearsed_as_the_setting_says(
    robin: Actor, wanted: str, risk: Risk, rehearsed: bool
) -> None:
    with policy(wanted):
        requested(robin, a_plan(a_step(risk=risk)))
    assert StoredRehearsal.objects.filter(actor=SYSTEM.to_json()).exists() is rehearsed


def test_no_plan_is_rehearsed_by_policy_that_waits_for_it_or_has_it(robin: Actor) -> None:
    row = asked(robin)
    run = requested(robin)
    assert StoredRehearsal.objects.count() == 1
    operations.cancel(run.pk, actor=robin, now=NOW)
    made(row, a_rehearsal(RISKY, measured(Risk.CAUTION)))
    operations.request(run.stored_plan_id, actor=robin, reason="again", now=LATER)
    assert StoredRehearsal.objects.count() == 1


# In a worker's hands


def test_only_one_is_under_way_and_whoever_ends_it_wakes_the_next(
    robin: Actor, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = asked(robin), asked(robin, a_plan(a_step(name="0003_third")))
    held = claimed(first)
    assert rehearsing.claim(first.pk, now=NOW) is None
    assert rehearsing.claim(second.pk, now=NOW) is None
    wakes: list[tuple[str, str]] = []
    monkeypatch.setattr(
        waking, "_wakers", [lambda task, keys: wakes.extend((task, key) for key in keys)]
    )
    with django_capture_on_commit_callbacks(execute=True):
        operations.store_rehearsal(held, a_rehearsal(RISKY), now=NOW)
    assert ("rehearse", str(second.pk)) in wakes
    assert claimed(second).attempts == 1


def test_progress_renews_the_claim_and_shows_how_far_it_is(robin: Actor) -> None:
    row = asked(robin)
    assert standing_of(row.fingerprint).stage is Stage.WAITING
    held = claimed(row)
    assert standing_of(row.fingerprint).stage is Stage.REHEARSING
    later = NOW + timedelta(seconds=20)
    assert operations.rehearsal_progress(held, "1 of 3: shop.0002_more", now=later)
    assert operations.rehearsal_progress(held, "", now=later)
    assert standing_of(row.fingerprint).progress == "1 of 3: shop.0002_more"
    assert rehearsing.claim(row.pk, now=PAST_LEASE) is None


def test_a_worker_that_died_of_it_is_followed_by_one_more_and_then_it_is_refused(
    robin: Actor,
) -> None:
    row = asked(robin)
    dead = claimed(row)
    alive = claimed(row, PAST_LEASE)
    assert not operations.rehearsal_progress(dead, "", now=PAST_LEASE), "thawed, and too late"
    assert not operations.store_rehearsal(dead, a_rehearsal(RISKY), now=PAST_LEASE)
    assert alive.attempts == rehearsing.ATTEMPTS
    assert rehearsing.claim(row.pk, now=PAST_LEASE + timedelta(seconds=31)) is None
    row.refresh_from_db()
    assert (row.state, row.active_key) == ("refused", None)
    assert "ended 2 times" in row.because
    assert "ask for it again" in row.because


def test_one_whose_worker_died_holds_up_nobody(robin: Actor) -> None:
    first, second = asked(robin), asked(robin, a_plan(a_step(name="0003_third")))
    claimed(first)
    assert claimed(second, PAST_LEASE).active_key
    first.refresh_from_db()
    assert (first.state, first.active_key) == ("waiting", None)


def test_the_clock_wakes_what_waits_and_nobody_makes(robin: Actor, woken: Any) -> None:
    row, other = asked(robin), asked(robin, a_plan(a_step(name="0003_third")))
    assert woken(NOW) == []
    assert woken(LATER) == [("rehearse", str(row.pk))]
    assert woken(LATER) == []
    claimed(row, LATER)
    assert woken(LATER + timedelta(seconds=20)) == [], "one is under way"
    assert woken(LATER + timedelta(seconds=31)) == [("rehearse", str(row.pk))]
    operations.refuse_rehearsal(claimed(row, LATER + timedelta(seconds=31)), "No.", now=LATER)
    assert woken(LATER + timedelta(seconds=60)) == [("rehearse", str(other.pk))]


# What it found


def test_a_rehearsal_of_another_plan_is_no_measurement_of_this_one(robin: Actor) -> None:
    row = made(asked(robin), a_rehearsal(a_plan(a_step(name="0003_other"))))
    assert row.state == StoredRehearsal.REFUSED
    assert "another plan" in row.because


def test_one_made_at_the_command_line_counts_for_whoever_asks_later(robin: Actor) -> None:
    found = a_rehearsal(RISKY, measured(Risk.DANGEROUS))
    operations.keep_rehearsal(actor=robin, plan=RISKY, found=found, now=NOW)
    run = requested(robin)
    assert (run.risk, run.approvals_needed) == ("dangerous", 2)
    assert StoredRehearsal.objects.count() == 1


def test_a_plan_whose_rehearsal_speaks_for_a_run_is_not_forgotten(robin: Actor) -> None:
    looked = made(asked(robin), a_rehearsal(RISKY)).stored_plan
    other = kept(robin, a_plan(a_step(name="0003_other")))
    requested(robin)
    assert operations.prune_plans(now=NOW + timedelta(days=31)) == 1
    assert StoredPlan.objects.filter(pk=looked.pk).exists()
    assert not StoredPlan.objects.filter(pk=other.pk).exists()


# In Slack


@pytest.fixture
def slack() -> Any:
    with override_settings(MIGRATION_BOT=SETTINGS):
        yield


def versions() -> dict[str, int]:
    return {d.key.partition(":")[0]: d.version for d in Delivery.objects.exclude(kind="audit")}


def test_the_messages_of_plan_and_run_are_told_again_and_their_threads_once(
    robin: Actor, slack: Any, sent: Callable[[], None]
) -> None:
    from dataclasses import replace

    from bot.route.people import Origin

    actor = replace(robin, origin=Origin.SLACK)
    looked = operations.ask_for_plan(actor=actor, database="default", target="", now=NOW)
    operations.store_plan(looked.pk, RISKY, now=NOW)
    operations.request(looked.pk, actor=actor, reason="totals", now=NOW)
    sent()
    row = StoredRehearsal.objects.get()
    before = versions()
    made(row, a_rehearsal(RISKY))
    after = versions()
    assert after["plan"] > before["plan"]
    assert after["run"] > before["run"]
    threads = {d.kind: d.thread_of for d in Delivery.objects.filter(kind__endswith="rehearsal")}
    assert threads == {
        "plan_rehearsal": f"plan:{looked.pk}",
        "run_rehearsal": f"run:{Run.objects.get().pk}",
    }


@pytest.fixture
def sent() -> Callable[[], None]:
    """Slack has everything that it was told so far."""

    def note() -> None:
        Delivery.objects.update(state=Delivery.SENT, sent_version=1, sent_at=NOW)

    return note
