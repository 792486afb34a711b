"""The bot's own tables. They keep ids and names of the host's people, never foreign keys."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db import models

from bot.fields import InstantField, WrittenInstantField
from bot.route.approval import Verdict
from bot.route.people import Actor, Origin
from bot.route.plan import Plan
from bot.route.rehearsal import Rehearsal
from bot.route.rehearsal_json import rehearsal_from_json
from bot.route.states import State


def _choices(values: Any) -> list[tuple[str, str]]:
    return [(str(value), str(value).replace("_", " ")) for value in values]


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
    """``bot.route.risks.facts.Work``: scan, index, rewrite, rows."""
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
