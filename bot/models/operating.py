"""What keeps runs from starting and what carries them out: freezes and workers."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bot.fields import InstantField


class Freeze(models.Model):
    """Nobody may start a run until it ends. ``database`` empty means all of them."""

    database = models.CharField(max_length=100, blank=True)
    owner = models.CharField(max_length=255)
    owner_name = models.CharField(max_length=255)
    reason = models.TextField()
    since = InstantField()
    until = InstantField(null=True)
    ended_at = InstantField(null=True)
    ended_by = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"freeze of {self.database or 'every database'} by {self.owner_name}"


class Worker(models.Model):
    """The heartbeat of one worker process."""

    name = models.CharField(max_length=200, primary_key=True)
    """``host:pid:kind``."""
    kind = models.CharField(max_length=20)
    release = models.CharField(max_length=200, blank=True)
    started_at = InstantField()
    beat_at = InstantField()
    ahead = models.BigIntegerField(null=True)
    """Milliseconds by which its clock is ahead of this database's; null where nobody can tell."""

    class Meta:
        ordering: ClassVar = ["-beat_at"]

    def __str__(self) -> str:
        return self.name
