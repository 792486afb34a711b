"""What cannot be rendered or will not be taken is counted, told, and holds up nobody for long."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.db import OperationalError, transaction

from bot import operations, outbox
from bot.models import Delivery, Run, SlackChannel, StoredPlan
from bot.operations import vital_signs
from bot.route.people import Origin
from bot.slack import blocks, doctor, sending
from bot.slack.saying import RENDER
from tests.plans import NOW, a_plan, acting, an_account
from tests.slack.faulty import FakeSlack, drain
from tests.slack.payloads import CHANNEL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]


def requested() -> Run:
    robin = acting(an_account("robin", "request_run"), origin=Origin.SLACK)
    stored = operations.keep_plan(actor=robin, plan=a_plan(), now=NOW)
    return operations.request(stored.pk, actor=robin, reason="totals", now=NOW)


def in_front(kind: str, **payload: Any) -> Delivery:
    """A delivery that stands before those of a run that is requested now."""
    first = Delivery.objects.create(
        key="first", kind=kind, channel=CHANNEL, payload=payload, due_at=NOW, created_at=NOW
    )
    requested()
    return first


def others() -> set[str]:
    """The states of the messages behind the first; files are not in these tests."""
    behind = Delivery.objects.exclude(key="first").exclude(kind="run_sql")
    return set(behind.values_list("state", flat=True))


@responses.activate
@pytest.mark.parametrize("kind", ["plan", "plan_details", "plan_sql"])
def test_what_tells_of_something_that_is_gone_is_given_up_at_once_and_told(kind: str) -> None:
    slack = FakeSlack()
    first = in_front(kind, plan="3e1f2c1e-0000-4000-8000-000000000000")
    sending.deliver(CHANNEL, clock=lambda: NOW)
    first.refresh_from_db()
    assert first.state == Delivery.DEAD
    assert "StoredPlan" in first.error
    assert others() == {Delivery.SENT}
    assert any(key.startswith("run:") for key in slack.sent())
    assert vital_signs.given_up() == 1


@responses.activate
def test_the_post_of_an_audit_entry_that_is_gone_is_told_as_given_up() -> None:
    FakeSlack()
    requested()
    Delivery.objects.filter(kind="audit").update(payload={"seq": 4711})
    drain(minutes=2)
    assert Delivery.objects.get(kind="audit").state == Delivery.DEAD
    assert vital_signs.given_up() == 1


@responses.activate
def test_a_kind_that_this_release_does_not_know_waits_a_day_for_one_that_does(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeSlack()
    first = in_front("of_tomorrow")
    with caplog.at_level(logging.ERROR, "migration_bot.slack"):
        now = drain(minutes=5)
    first.refresh_from_db()
    assert (first.state, first.refusals) == (Delivery.PENDING, sending.TRIES)
    assert "KeyError" in first.error
    reference = first.error.split("reference ")[1].split()[0]
    assert f"reference {reference}" in caplog.text
    assert others() == {Delivery.SENT}
    monkeypatch.setitem(RENDER, "of_tomorrow", RENDER["audit"])
    Delivery.objects.filter(key="first").update(payload={"seq": 1})
    drain(now)
    first.refresh_from_db()
    assert first.state == Delivery.SENT


@responses.activate
def test_what_cannot_be_rendered_for_a_day_is_given_up_and_an_audit_entry_never_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    FakeSlack()
    first = in_front("of_tomorrow")

    def broken(delivery: Delivery, now: Any) -> Any:
        raise TypeError("nobody expected this")

    monkeypatch.setitem(RENDER, "audit", broken)
    now = drain(minutes=60 * 23)
    assert set(Delivery.objects.filter(kind__in=("audit", "of_tomorrow")).values_list("state")) == {
        (Delivery.PENDING,)
    }
    drain(now, minutes=60 * 4)
    first.refresh_from_db()
    assert (first.state, vital_signs.given_up() > 0) == (Delivery.DEAD, True)
    assert Delivery.objects.get(kind="audit").state == Delivery.PENDING


@responses.activate
def test_an_outage_of_the_bots_own_database_is_no_fault_of_the_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slack = FakeSlack()
    requested()

    def down(delivery: Delivery, now: Any) -> Any:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setitem(RENDER, "run", down)
        for _ in range(30):
            with pytest.raises(OperationalError):
                sending.deliver(CHANNEL, clock=lambda: NOW)
    assert not slack.sent()
    drain(NOW + timedelta(minutes=1))
    assert Delivery.objects.get(kind="run").state == Delivery.SENT


@responses.activate
def test_a_plan_that_slack_has_not_been_told_of_is_not_forgotten_until_it_has() -> None:
    slack = FakeSlack()
    robin = acting(an_account("robin", "request_run"), origin=Origin.SLACK)
    looked = operations.ask_for_plan(actor=robin, database="default", target="", now=NOW)
    operations.store_plan(looked.pk, a_plan(), now=NOW)
    slack.error = "is_archived"
    later = NOW + timedelta(days=31)
    sending.deliver(CHANNEL, clock=lambda: NOW)
    assert operations.prune_plans(now=later) == 0
    slack.error = ""
    drain(later)
    assert not Delivery.objects.filter(kind="plan").exclude(state=Delivery.SENT).exists()
    Delivery.objects.filter(kind="plan_sql").update(state=Delivery.DEAD)
    operations.prune_plans(now=later)
    assert not StoredPlan.objects.exists()


# Answers to one person


def told(user: str) -> Delivery:
    """An answer whose response_url has served its time."""
    message = blocks.notice("a link code").to_json()
    asked_at = NOW - timedelta(hours=1)
    with transaction.atomic():
        url = "https://hooks.slack.com/commands/1"
        outbox.reply(user, message, response_url=url, user=user, now=asked_at)
    return Delivery.objects.get(key=f"reply:{user}")


@responses.activate
@pytest.mark.parametrize(
    "error", ["channel_not_found", "is_archived", "user_not_found", "cannot_dm_bot"]
)
def test_somebody_who_cannot_be_reached_breaks_no_answers_to_others(error: str) -> None:
    slack = FakeSlack()
    slack.error = error
    gone = told("U0GONE")
    drain(minutes=5)
    gone.refresh_from_db()
    assert (gone.state, gone.refusals) == (Delivery.DEAD, sending.TRIES)
    assert error in gone.error
    assert gone.payload == {}, "neither its text nor its address is kept"
    assert not vital_signs.broken_channels()
    assert doctor.outbox(now=NOW).ok is True
    slack.error = ""
    ada = told("U0ADA")
    drain()
    ada.refresh_from_db()
    assert ada.state == Delivery.SENT


@responses.activate
@pytest.mark.parametrize("error", ["invalid_auth", "token_revoked", "missing_scope"])
def test_a_token_that_does_not_work_is_told_and_answers_wait_until_it_does(error: str) -> None:
    slack = FakeSlack()
    slack.error = error
    answer = told("U0ADA")
    now = drain(minutes=60)
    (broken,) = vital_signs.broken_channels()
    assert (broken.pk, error in broken.broken_because) == (outbox.REPLIES, True)
    slack.error = ""
    drain(now)
    answer.refresh_from_db()
    assert answer.state == Delivery.SENT
    assert not vital_signs.broken_channels()


@responses.activate
def test_an_answer_that_slack_refuses_says_that_the_token_works_again() -> None:
    slack = FakeSlack()
    SlackChannel.objects.create(pk=outbox.REPLIES, broken_because="invalid_auth", broken_at=NOW)
    slack.error = "channel_not_found"
    told("U0GONE")
    sending.deliver(outbox.REPLIES, clock=lambda: NOW)
    assert not vital_signs.broken_channels()
