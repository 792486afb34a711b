"""What a rehearsal measured counts for whoever has to decide, and never makes it easier."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bot import operations
from bot.models import AuditEntry, StoredRehearsal
from bot.operations import reading
from bot.route.findings import Risk
from bot.route.people import Actor
from bot.route.states import State
from tests.operations.rehearsals import RISKY, asked, made, requested
from tests.plans import NOW, a_plan, a_rehearsal, a_step, acting, an_account, measured

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(seconds=3)


def test_a_run_that_waits_gets_the_measured_risk_and_more_approvals(robin: Actor) -> None:
    run = requested(robin)
    assert (run.risk, run.approvals_needed) == ("caution", 1)
    made(StoredRehearsal.objects.get(), a_rehearsal(RISKY, measured(Risk.DANGEROUS)))
    run.refresh_from_db()
    assert (run.risk, run.approvals_needed) == ("dangerous", 2)
    assert reading.approvals_because(reading.find_run(run.pk)) == "because it is dangerous"
    ada = acting(an_account("ada", "approve_run"))
    assert operations.approve(run.pk, actor=ada, now=LATER).state == State.REQUESTED


def test_a_rehearsal_never_takes_away_an_approval_that_was_asked_for(robin: Actor) -> None:
    plan = a_plan(a_step(risk=Risk.DANGEROUS))
    run = requested(robin, plan)
    made(StoredRehearsal.objects.get(), a_rehearsal(plan, measured(Risk.CAUTION)))
    run.refresh_from_db()
    assert (run.risk, run.approvals_needed) == ("caution", 2)
    because = reading.approvals_because(reading.find_run(run.pk))
    assert because == "because it is dangerous, as was predicted when it was asked for"


def test_a_run_asked_for_after_its_rehearsal_needs_what_was_measured(robin: Actor) -> None:
    plan = a_plan(a_step(risk=Risk.DANGEROUS))
    made(asked(robin, plan), a_rehearsal(plan, measured(Risk.CAUTION)))
    run = requested(robin, plan)
    assert (run.risk, run.approvals_needed) == ("caution", 1)


def test_a_decided_run_keeps_the_risk_it_was_decided_with(robin: Actor) -> None:
    run = requested(robin)
    operations.approve(run.pk, actor=acting(an_account("ada", "approve_run")), now=NOW)
    made(StoredRehearsal.objects.get(), a_rehearsal(RISKY, measured(Risk.DANGEROUS)))
    run.refresh_from_db()
    assert (run.state, run.risk, run.approvals_needed) == (State.QUEUED, "caution", 1)


def test_what_was_measured_is_audited_with_the_risk_before_and_after(robin: Actor) -> None:
    run = requested(robin)
    made(StoredRehearsal.objects.get(), a_rehearsal(RISKY, measured(Risk.DANGEROUS)))
    entry = AuditEntry.objects.get(event="plan.rehearsed")
    data = json.loads(entry.data)
    assert entry.run == run.pk
    assert (data["risk_before"], data["risk_after"]) == ("caution", "dangerous")
    assert data["fingerprint"] == RISKY.fingerprint
    assert data["outcome"] == "undo works"
