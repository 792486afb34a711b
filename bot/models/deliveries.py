"""What goes to Slack, and how each channel takes it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bot.fields import InstantField


class Delivery(models.Model):
    """One intended Slack message, edit or file, kept until Slack has it.

    What it says is rendered when it is sent, from the rows it names, so that an edit that waited
    tells the newest state. ``version`` rises with each wish to tell again; ``sent_version`` is what
    Slack has.
    """

    PENDING, SENT, DEAD = "pending", "sent", "dead"

    key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(max_length=50)
    channel = models.CharField(max_length=100, blank=True)
    run = models.BigIntegerField(null=True)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default=PENDING)
    version = models.PositiveIntegerField(default=1)
    sent_version = models.PositiveIntegerField(default=0)
    suspect = models.BooleanField(default=False)
    """A send began whose outcome nobody knows: look for it in the channel before sending again."""
    attempts = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    """How often Slack would not have this very message."""
    due_at = InstantField()
    thread_of = models.CharField(max_length=200, blank=True)
    """The key of the delivery in whose thread this one belongs; it waits for that one."""
    ts = models.CharField(max_length=50, blank=True)
    error = models.TextField(blank=True)
    created_at = InstantField()
    sent_at = InstantField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["state", "due_at"], name="mbot_delivery_due"),
            models.Index(fields=["channel", "state"], name="mbot_delivery_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class SlackChannel(models.Model):
    """How sending to one channel goes: who sends now, until when it waits, what is wrong."""

    id = models.CharField(max_length=100, primary_key=True)
    claimed_by = models.CharField(max_length=200, blank=True)
    claimed_until = InstantField(null=True)
    wait_until = InstantField(null=True)
    broken_because = models.TextField(blank=True)
    broken_at = InstantField(null=True)
    sent_at = InstantField(null=True)

    def __str__(self) -> str:
        return self.id
