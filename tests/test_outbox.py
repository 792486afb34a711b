"""Where messages go when the setting's channel changes while they are on their way."""

from __future__ import annotations

from datetime import timedelta

import pytest
import responses
from django.test import override_settings

from bot import operations, outbox
from bot.models import Delivery, Run, SlackChannel, StoredRehearsal
from bot.operations import running, vital_signs
from bot.route.people import Actor, Origin
from bot.slack import sending
from tests.operations.claiming import basis, claimed
from tests.plans import NOW, a_plan, a_rehearsal, acting, an_account
from tests.slack.faulty import FakeSlack
from tests.slack.payloads import CHANNEL, SETTINGS

pytestmark = [pytest.mark.django_db]

OTHER, AUDIT = "C0OTHER", "C0AUDIT"
LATER = NOW + timedelta(minutes=1)

before = override_settings(MIGRATION_BOT=SETTINGS)
after = override_settings(MIGRATION_BOT={**SETTINGS, "slack_channel": OTHER})


@pytest.fixture
def robin(db: None) -> Actor:
    return acting(an_account("robin", "request_run"), origin=Origin.SLACK)


def requested(robin: Actor) -> Run:
    stored = operations.keep_plan(actor=robin, plan=a_plan(), now=NOW)
    return operations.request(stored.pk, actor=robin, reason="totals", now=NOW)


def carried_out(run: Run) -> None:
    run = operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    hold = claimed(run)
    running.start(hold, basis(run), now=NOW)
    running.succeed(hold, ["shop.0002_more"], now=NOW)


def channels_of(run: Run) -> dict[str, str]:
    """By kind; the audit's posts are no part of a thread, and this plan is too short for a file."""
    rows = Delivery.objects.filter(run=run.pk).exclude(kind__in=("audit", "run_sql"))
    return dict(rows.values_list("kind", "channel"))


def test_a_run_is_told_on_in_the_channel_where_its_message_stands(
    robin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with before:
        run = requested(robin)
    woken: list[str] = []
    monkeypatch.setattr(outbox, "wake", lambda task, channel: woken.append(channel))
    with after:
        carried_out(run)
        found = a_rehearsal(a_plan())
        operations.keep_rehearsal(actor=robin, plan=a_plan(), found=found, now=NOW)
        outbox.run_rehearsed(run, StoredRehearsal.objects.get(), now=NOW)
        newer = requested(robin)
    told = channels_of(run)
    assert {"run", "run_details", "run_result", "run_rehearsal"} <= set(told)
    assert set(told.values()) == {CHANNEL}
    assert CHANNEL in woken
    assert set(channels_of(newer).values()) == {OTHER}


@responses.activate
def test_edits_and_threads_in_a_channel_that_is_gone_and_not_named_any_more_are_given_up(
    robin: Actor,
) -> None:
    slack = FakeSlack()
    with before:
        run = requested(robin)
        sending.deliver(CHANNEL, clock=lambda: NOW)
    with after:
        carried_out(run)
        slack.error = "is_archived"
        sending.deliver(CHANNEL, clock=lambda: LATER)
        dead = Delivery.objects.filter(channel=CHANNEL, state=Delivery.DEAD)
        assert {"run", "run_result"} <= set(dead.values_list("kind", flat=True))
        assert all("is_archived" in error for error in dead.values_list("error", flat=True))
        assert not Delivery.objects.filter(channel=CHANNEL, state=Delivery.PENDING).exists()
        assert not vital_signs.broken_channels()
        assert vital_signs.given_up() == 0, "nobody has to mend what was left behind on purpose"


@responses.activate
@pytest.mark.parametrize("error", ["is_archived", "channel_not_found", "not_in_channel"])
def test_what_was_never_posted_moves_to_the_channel_that_is_named_now(
    robin: Actor, error: str
) -> None:
    slack = FakeSlack()
    with before:
        run = requested(robin)
        slack.error = error
        sending.deliver(CHANNEL, clock=lambda: NOW)
        assert vital_signs.broken_channels()
    changed = {**SETTINGS, "slack_channel": OTHER, "slack_audit_channel": AUDIT}
    with override_settings(MIGRATION_BOT=changed):
        sending.deliver(CHANNEL, clock=lambda: LATER)
        assert set(channels_of(run).values()) == {OTHER}
        assert Delivery.objects.get(kind="audit").channel == AUDIT
        assert not vital_signs.broken_channels()
        slack.error = ""
        for channel in (OTHER, AUDIT):
            sending.deliver(channel, clock=lambda: LATER)
    parent, details, audit = (
        Delivery.objects.get(kind=kind) for kind in ("run", "run_details", "audit")
    )
    assert {parent.state, details.state, audit.state} == {Delivery.SENT}
    assert slack.messages[details.ts]["thread_ts"] == parent.ts


@responses.activate
def test_what_belongs_below_a_message_that_moved_goes_after_it(robin: Actor) -> None:
    slack = FakeSlack()
    with before:
        run = requested(robin)
    Delivery.objects.filter(kind="run").update(channel=OTHER, ts="1.0", state=Delivery.SENT)
    slack.error = "is_archived"
    with after:
        sending.deliver(CHANNEL, clock=lambda: LATER)
    assert set(channels_of(run).values()) == {OTHER}


@responses.activate
def test_without_any_channel_in_the_settings_what_waits_is_kept(robin: Actor) -> None:
    slack = FakeSlack()
    with before:
        requested(robin)
    slack.error = "is_archived"
    with override_settings(MIGRATION_BOT={**SETTINGS, "slack_channel": ""}):
        sending.deliver(CHANNEL, clock=lambda: LATER)
    assert not Delivery.objects.exclude(state=Delivery.PENDING).exists()
    assert SlackChannel.objects.get(pk=CHANNEL).broken_because
