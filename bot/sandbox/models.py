"""What a Slack workspace keeps, as far as the bot can see it. Tables of its own.

Ids are Slack's: plain text, no foreign keys, as the API gives and takes them.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bot.fields import InstantField


class Workspace(models.Model):
    """One row. Its update begins every change, so that changes come one after the other."""

    revision = models.BigIntegerField(default=0)
    """Raised by every change; the page asks for what is newer than what it has."""
    last_ts = models.BigIntegerField(default=0)
    """Microseconds of the newest ``ts`` given out: each is unique and greater than all before."""
    scopes = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"workspace at revision {self.revision}"


class Person(models.Model):
    id = models.CharField(max_length=50, primary_key=True)
    team = models.CharField(max_length=50)
    name = models.CharField(max_length=255)
    real_name = models.CharField(max_length=255)
    email = models.CharField(max_length=320, blank=True)
    time_zone = models.CharField(max_length=100, default="Etc/UTC")
    flags = models.JSONField(default=dict)
    """As ``users.info`` has them: ``is_restricted``, ``deleted``, …"""
    account = models.CharField(max_length=255, blank=True)
    """The staff account that this person was made from."""
    words = models.CharField(max_length=255, blank=True)
    """What this person is there to try."""
    place = models.IntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["place", "id"]

    def __str__(self) -> str:
        return self.real_name


class Channel(models.Model):
    id = models.CharField(max_length=50, primary_key=True)
    name = models.CharField(max_length=80)
    topic = models.CharField(max_length=250, blank=True)
    person = models.CharField(max_length=50, blank=True)
    """Direct messages: with whom. Empty: a channel of everybody's."""
    has_bot = models.BooleanField(default=True)
    is_archived = models.BooleanField(default=False)
    is_private = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    channel = models.CharField(max_length=50)
    ts = models.CharField(max_length=20)
    thread_ts = models.CharField(max_length=20, blank=True)
    """The ``ts`` of the message that the thread hangs on; empty outside threads."""
    is_broadcast = models.BooleanField(default=False)
    user = models.CharField(max_length=50)
    is_bot = models.BooleanField(default=False)
    only_for = models.CharField(max_length=50, blank=True)
    """Ephemeral: who alone sees it."""
    text = models.TextField(blank=True)
    blocks = models.JSONField(default=list)
    metadata = models.JSONField(null=True)
    files = models.JSONField(default=list)
    """Ids of files."""
    edited_ts = models.CharField(max_length=20, blank=True)
    revision = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["ts"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["channel", "ts"], name="mbot_sandbox_ts")
        ]
        indexes: ClassVar = [
            models.Index(fields=["channel", "thread_ts"], name="mbot_sandbox_thread")
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.ts}"


class File(models.Model):
    id = models.CharField(max_length=50, primary_key=True)
    name = models.CharField(max_length=255)
    title = models.CharField(max_length=255, blank=True)
    length = models.BigIntegerField()
    content = models.TextField(blank=True)
    is_uploaded = models.BooleanField(default=False)
    is_shared = models.BooleanField(default=False)
    made_at = InstantField()

    def __str__(self) -> str:
        return self.name


class Surface(models.Model):
    """A modal that is open, or somebody's Home view."""

    MODAL, HOME = "modal", "home"

    id = models.CharField(max_length=50, primary_key=True)
    kind = models.CharField(max_length=10)
    person = models.CharField(max_length=50)
    view = models.JSONField()
    hash = models.CharField(max_length=50)
    root = models.CharField(max_length=50, blank=True)
    previous = models.CharField(max_length=50, blank=True)
    opened_at = InstantField()
    revision = models.BigIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["opened_at"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.person}"


class Trigger(models.Model):
    """A ``trigger_id``: opens one modal, within 3 seconds."""

    id = models.CharField(max_length=100, primary_key=True)
    person = models.CharField(max_length=50)
    made_at = InstantField()
    used_at = InstantField(null=True)

    def __str__(self) -> str:
        return self.id


class ResponseUrl(models.Model):
    """A ``response_url``: 5 uses within 30 minutes."""

    token = models.CharField(max_length=100, primary_key=True)
    channel = models.CharField(max_length=50)
    person = models.CharField(max_length=50)
    message_ts = models.CharField(max_length=20, blank=True)
    """The message whose button was pressed: what ``replace_original`` replaces."""
    made_at = InstantField()
    uses = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"response url of {self.person}"


class Fault(models.Model):
    """Trouble to come: the next ``remaining`` calls of ``method`` go wrong in this way."""

    method = models.CharField(max_length=60)
    """As ``chat.postMessage``; ``*`` for each."""
    kind = models.CharField(max_length=20)
    remaining = models.IntegerField(default=1)
    seconds = models.FloatField(default=1)
    """How long to wait: ``Retry-After``, or how slow."""
    error = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.method}"


class ApiCall(models.Model):
    """One call of the Web API, for whoever wants to see what the bot does. The newest are kept."""

    method = models.CharField(max_length=60)
    channel = models.CharField(max_length=50, blank=True)
    error = models.CharField(max_length=100, blank=True)
    """Slack's name of the error, ``http_503`` and the like, or nothing."""
    at = InstantField()

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.method} {self.error or 'ok'}"
