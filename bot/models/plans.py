"""What there is before a run: plans, their rehearsals, and how long such work took before."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from bot.fields import InstantField
from bot.route.plan import Plan
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_json import rehearsal_from_json


class StoredPlan(models.Model):
    """A plan somebody asked for: waiting for a worker, ready, or refused with a sentence."""

    WAITING, READY, REFUSED = "waiting", "ready", "refused"
    LOOK, REQUEST, REHEARSE = "look", "request", "rehearse"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=10, default=WAITING)
    purpose = models.CharField(max_length=10, default=LOOK)
    database = models.CharField(max_length=100)
    target = models.CharField(max_length=300, blank=True)
    actor = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    run_after = InstantField(null=True)
    document = models.JSONField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal = models.TextField(blank=True)
    progress = models.CharField(max_length=200, blank=True)
    claimed_until = InstantField(null=True)
    """While a worker makes it; past, another may try."""
    reply_to = models.TextField(blank=True)
    """Slack's response_url of the command that asked, good for 30 minutes; empty elsewhere."""
    asked_at = InstantField()
    woken_at = InstantField(null=True)
    ready_at = InstantField(null=True)

    class Meta:
        ordering: ClassVar = ["-asked_at"]
        indexes: ClassVar = [models.Index(fields=["state", "asked_at"], name="mbot_plan_state")]

    def __str__(self) -> str:
        return f"plan of {self.target or 'everything'} on {self.database}"

    @property
    def plan(self) -> Plan:
        """The plan as a value; only a ready one has it."""
        if self.document is None:
            raise ValueError(f"a {self.state} plan has no document")
        return Plan.from_json(self.document)


class StoredRehearsal(models.Model):
    """A rehearsal somebody asked for: waiting for a worker, ready, or with why there is none."""

    WAITING, READY, REFUSED = "waiting", "ready", "refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stored_plan = models.ForeignKey(StoredPlan, on_delete=models.CASCADE, related_name="rehearsals")
    state = models.CharField(max_length=10, default=WAITING)
    database = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    actor = models.JSONField(default=dict)
    document = models.JSONField(null=True)
    because = models.TextField(blank=True)
    """Why there is none, in a sentence."""
    progress = models.CharField(max_length=200, blank=True)
    active_key = models.CharField(max_length=20, null=True, unique=True)
    """The same for all that are under way: never more than one at a time, by the index."""
    claimed_until = InstantField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    """How often a worker took it; one that tells with an older number is too late."""
    asked_at = InstantField()
    woken_at = InstantField(null=True)
    ready_at = InstantField(null=True)

    class Meta:
        ordering: ClassVar = ["-asked_at"]
        indexes: ClassVar = [
            models.Index(fields=["fingerprint", "state"], name="mbot_rehearsal_of"),
            models.Index(fields=["state", "asked_at"], name="mbot_rehearsal_state"),
        ]

    def __str__(self) -> str:
        return f"rehearsal of {self.stored_plan_id}"

    @property
    def rehearsal(self) -> Rehearsal:
        """The rehearsal as a value; only a ready one has it."""
        if self.document is None:
            raise ValueError(f"a {self.state} rehearsal has no document")
        return rehearsal_from_json(self.document)


class RecordedWork(models.Model):
    """How long one step of a run took whose work grows with one table: what durations rest on."""

    vendor = models.CharField(max_length=20)
    database = models.CharField(max_length=100)
    kind = models.CharField(max_length=20)
    """``bot.route.risks.effects.Work``: scan, index, rewrite, rows."""
    table = models.CharField(max_length=255)
    rows = models.BigIntegerField()
    """As the catalogue had them when the plan was made."""
    milliseconds = models.BigIntegerField()
    run = models.BigIntegerField()
    step = models.CharField(max_length=300)
    at = InstantField()

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name_plural = "recorded work"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "step"], name="mbot_work_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["vendor", "kind"], name="mbot_work_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.table}"
