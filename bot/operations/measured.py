"""What rehearsals have measured of a plan by now, and how far its newest is: read alone."""

from __future__ import annotations

from django.db.models import QuerySet

from bot.conf import get_settings
from bot.models import StoredPlan, StoredRehearsal
from bot.route.plan import Plan
from bot.route.rehearsing import UNKNOWN, Stage, Standing


def measured_plan(stored: StoredPlan) -> Plan:
    """A stored plan that is ready, with what was measured in place of what was predicted: what
    people are shown and what decides about approvals. The stored document stays as it was made."""
    return measured_of(stored.plan)


def measured_of(plan: Plan) -> Plan:
    """``measured_plan`` of a plan that may be kept nowhere."""
    row = newest_measured(plan.fingerprint)
    return plan if row is None else plan.rehearsed(row.rehearsal)


def newest_measured(fingerprint: str) -> StoredRehearsal | None:
    """The newest rehearsal of exactly this plan that measured something."""
    return _rehearsals(fingerprint).filter(state=StoredRehearsal.READY).first()


def standing_of(fingerprint: str) -> Standing:
    """How far the rehearsal of this plan is, and the newest that measured something."""
    row = _rehearsals(fingerprint).first()
    if row is None:
        return UNKNOWN
    measured = row if row.state == StoredRehearsal.READY else newest_measured(fingerprint)
    return Standing(
        stage=_stage(row),
        progress=row.progress,
        because=row.because,
        at=row.ready_at or row.asked_at,
        rehearsal=None if measured is None else measured.rehearsal,
    )


def _rehearsals(fingerprint: str) -> QuerySet[StoredRehearsal]:
    rows = StoredRehearsal.objects.using(get_settings().state_database)
    return rows.filter(fingerprint=fingerprint).order_by("-asked_at")


def _stage(row: StoredRehearsal) -> Stage:
    if row.state == StoredRehearsal.WAITING:
        return Stage.REHEARSING if row.active_key else Stage.WAITING
    return Stage.MEASURED if row.state == StoredRehearsal.READY else Stage.NOT_REHEARSED
