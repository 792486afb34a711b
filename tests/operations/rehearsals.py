"""Rehearsals that are asked for, claimed and made, for tests of what comes of them."""

from __future__ import annotations

from typing import Any

from bot import operations
from bot.models import Run, StoredPlan, StoredRehearsal
from bot.operations import rehearsing
from bot.route.findings import Risk
from bot.route.people import Actor
from bot.route.plan import Plan
from bot.route.rehearsal import Rehearsal
from tests.plans import NOW, a_plan, a_step

RISKY = a_plan(a_step(risk=Risk.CAUTION))


def kept(actor: Actor, plan: Plan = RISKY) -> StoredPlan:
    return operations.keep_plan(actor=actor, plan=plan, now=NOW)


def requested(actor: Actor, plan: Plan = RISKY) -> Run:
    stored = kept(actor, plan)
    return operations.request(stored.pk, actor=actor, reason="totals", now=NOW)


def asked(actor: Actor, plan: Plan = RISKY) -> StoredRehearsal:
    return operations.ask_for_rehearsal(kept(actor, plan).pk, actor=actor, now=NOW)


def claimed(row: StoredRehearsal, now: Any = NOW) -> StoredRehearsal:
    found = rehearsing.claim(row.pk, now=now)
    assert found is not None
    return found


def made(row: StoredRehearsal, found: Rehearsal, now: Any = NOW) -> StoredRehearsal:
    assert operations.store_rehearsal(claimed(row, now), found, now=now)
    row.refresh_from_db()
    return row
