"""The audit: its entries, their head, and denials that are counted until they are entries."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bot.fields import InstantField, WrittenInstantField


class AuditEntry(models.Model):
    """One thing that happened or was refused. Written by ``bot.audit`` alone, never changed."""

    seq = models.BigIntegerField(primary_key=True)
    at = WrittenInstantField()
    event = models.CharField(max_length=100)
    actor = models.TextField()
    """Canonical JSON."""
    run = models.BigIntegerField(null=True)
    data = models.TextField()
    """Canonical JSON."""
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering: ClassVar = ["seq"]
        verbose_name_plural = "audit entries"
        indexes: ClassVar = [
            models.Index(fields=["run", "seq"], name="mbot_audit_run"),
            models.Index(fields=["event", "seq"], name="mbot_audit_event"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(seq__gt=0), name="mbot_audit_seq_positive")
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"


class AuditHead(models.Model):
    """The newest entry's number and hash, in one row that every writer locks first."""

    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"audit head at {self.seq}"


class DenialTally(models.Model):
    """How often somebody was refused the same again since that was last written."""

    key = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of who, wish and code; see ``bot.operations.tally``."""
    actor = models.JSONField(default=dict)
    wish = models.CharField(max_length=100)
    code = models.CharField(max_length=40)
    because = models.TextField()
    run = models.BigIntegerField(null=True)
    since = InstantField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "denial tallies"

    def __str__(self) -> str:
        return f"{self.wish} ({self.code}): {self.count} more"
