"""Runs and what people decided on them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from bot.fields import InstantField
from bot.models.plans import StoredPlan
from bot.route.approval import Verdict
from bot.route.people import Actor, Origin
from bot.route.states import State


def _choices(values: Any) -> list[tuple[str, str]]:
    return [(str(value), str(value).replace("_", " ")) for value in values]


class Run(models.Model):
    """One request to carry out one plan, and all that becomes of it."""

    stored_plan = models.ForeignKey(StoredPlan, on_delete=models.PROTECT, related_name="runs")
    state = models.CharField(max_length=20, choices=_choices(State), default=str(State.REQUESTED))
    database = models.CharField(max_length=100)
    target = models.CharField(max_length=300, blank=True)
    apps = models.TextField(blank=True)
    """``,shop,accounts,``: the app labels in the plan, for filters."""
    fingerprint = models.CharField(max_length=64)
    risk = models.CharField(max_length=10)
    reason = models.TextField()
    origin = models.CharField(max_length=20, choices=_choices(Origin))
    requester = models.CharField(max_length=255)
    requester_name = models.CharField(max_length=255)
    requester_actor = models.JSONField(default=dict)
    approvals_needed = models.PositiveSmallIntegerField()
    release = models.CharField(max_length=200, blank=True)

    requested_at = InstantField()
    expires_at = InstantField()
    run_after = InstantField(null=True)
    decided_at = InstantField(null=True)
    queued_at = InstantField(null=True)
    started_at = InstantField(null=True)
    ended_at = InstantField(null=True)

    active_key = models.CharField(max_length=100, null=True, unique=True)
    """The database's alias while this run keeps it to itself: one at a time, by the index."""
    claimed_by = models.CharField(max_length=200, blank=True)
    lease_until = InstantField(null=True)
    fence = models.PositiveIntegerField(default=0)
    """Raised at each claim; a writer with an older number is too late."""
    woken_at = InstantField(null=True)

    steps = models.JSONField(default=list)
    """Each ``app``, ``name``, ``direction``, ``state``, ``seconds``, ``started_at``; ``work`` where
    its time is recorded (``bot.operations.durations``), ``waited`` once it waited for a lock."""
    waiting_for = models.JSONField(default=list)
    """Who blocks the statement that runs now, in words; empty when nobody does."""
    stale_because = models.JSONField(default=list)
    error = models.TextField(blank=True)
    error_step = models.CharField(max_length=300, blank=True)
    error_statement = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("request_run", "Can request a run"),
            ("approve_run", "Can approve or reject a run"),
            ("freeze_runs", "Can freeze runs and end a freeze"),
            ("override_findings", "Can approve in spite of a forbidding finding"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "requested_at"], name="mbot_run_state"),
            models.Index(fields=["database", "state"], name="mbot_run_database"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def requester_as_actor(self) -> Actor:
        return Actor.from_json(self.requester_actor)


class Decision(models.Model):
    """One person's approve or reject of one run."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="decisions")
    person = models.CharField(max_length=255)
    person_name = models.CharField(max_length=255)
    actor = models.JSONField(default=dict)
    verdict = models.CharField(max_length=10, choices=_choices(Verdict))
    reason = models.TextField(blank=True)
    overrides = models.CharField(max_length=500, blank=True, default="", db_default="")
    """``data_breaks_rule, …``: codes of findings that forbid the run and in spite of which this
    person approved. With a default in the database, so that the running release goes on."""
    shown = models.JSONField(null=True)
    """``[code, step, operation, table]`` of each of these findings, as ``bot.route.overriding``
    writes them: what this person was shown. None where an older release wrote the row."""
    at = InstantField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "person"], name="mbot_decision_once")
        ]

    def __str__(self) -> str:
        return f"{self.person_name}: {self.verdict}"
