"""Who asks from Slack, what they asked, and which staff account they are."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from bot.fields import InstantField


class SlackPerson(models.Model):
    """What Slack says of a person, kept from users.info and refreshed by the worker."""

    key = models.CharField(max_length=110, primary_key=True)
    """``team:user``."""
    team = models.CharField(max_length=50)
    slack_user = models.CharField(max_length=50)
    name = models.CharField(max_length=255, blank=True)
    email = models.CharField(max_length=320, blank=True)
    email_confirmed = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=100, blank=True)
    barred = models.CharField(max_length=50, blank=True)
    """Which of Slack's flags bars this person (``deleted``, ``is_bot``, …); empty for none."""
    flags_at = InstantField(null=True)
    seen_at = InstantField(null=True)

    def __str__(self) -> str:
        return self.name or self.key


class SlackCall(models.Model):
    """A command, click or modal that could not be answered at once; a worker answers it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    call = models.JSONField()
    asked_at = InstantField()
    woken_at = InstantField(null=True)
    answered_at = InstantField(null=True)

    def __str__(self) -> str:
        return f"call {self.pk}"


class SeenRequest(models.Model):
    """A signed request that was accepted; the same one within its age is a replay."""

    signature = models.CharField(max_length=100, primary_key=True)
    at = InstantField()

    def __str__(self) -> str:
        return self.signature


class LinkCode(models.Model):
    """A one-time, short-lived code that ties a Slack person to whoever opens it, signed in."""

    digest = models.CharField(max_length=64, primary_key=True)
    """SHA-256 of the code; the code itself is nowhere kept."""
    team = models.CharField(max_length=50)
    slack_user = models.CharField(max_length=50)
    slack_name = models.CharField(max_length=255, blank=True)
    created_at = InstantField()
    expires_at = InstantField()
    used_at = InstantField(null=True)

    def __str__(self) -> str:
        return f"link code of {self.team}/{self.slack_user}"


class Link(models.Model):
    """A Slack person tied to a staff account."""

    team = models.CharField(max_length=50)
    slack_user = models.CharField(max_length=50)
    account = models.CharField(max_length=255)
    account_name = models.CharField(max_length=255)
    linked_at = InstantField()
    ended_at = InstantField(null=True)
    ended_by = models.CharField(max_length=255, blank=True)
    live_key = models.CharField(max_length=110, null=True, unique=True)
    """``team:user`` while the link lives: one account a Slack person, by the index."""

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.team}/{self.slack_user} is {self.account_name}"
