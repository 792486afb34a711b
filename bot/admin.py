"""The bot's tables in Django's admin: to look at, never to change. Operations change things."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bot import models
from bot.conf import get_settings


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Shows rows to whoever has the ``view_…`` permission. Nobody adds, changes or deletes here,
    superusers included: a row changed past the operations would be in no audit."""

    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).using(get_settings().state_database)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.StoredPlan)
class StoredPlanAdmin(ReadOnlyAdmin):
    list_display = ("id", "state", "purpose", "database", "target", "asked_at", "ready_at")
    list_filter = ("state", "purpose", "database")
    search_fields = ("id", "target", "fingerprint")
    exclude = ("reply_to",)
    """An address to which anybody could post an answer."""


@admin.register(models.Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "state",
        "risk",
        "database",
        "target",
        "requester_name",
        "requested_at",
        "ended_at",
    )
    list_filter = ("state", "risk", "database", "requester_name")
    search_fields = ("id", "fingerprint", "reason", "requester_name")

    def get_exclude(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """A traceback may show what lies in tables: only approvers see it, as on the page."""
        if request.user.has_perm("migration_bot.approve_run"):
            return ()
        return ("traceback",)


@admin.register(models.StoredRehearsal)
class StoredRehearsalAdmin(ReadOnlyAdmin):
    list_display = ("id", "database", "fingerprint", "state", "asked_at", "ready_at", "because")
    list_filter = ("state", "database")
    search_fields = ("fingerprint",)


@admin.register(models.RecordedWork)
class RecordedWorkAdmin(ReadOnlyAdmin):
    list_display = ("step", "kind", "table", "rows", "milliseconds", "vendor", "run", "at")
    list_filter = ("vendor", "kind")
    search_fields = ("table", "step")


@admin.register(models.Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("id", "run", "verdict", "person_name", "at", "reason")
    list_filter = ("verdict", "person_name")
    search_fields = ("person_name", "reason")
    list_select_related = ("run",)


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("seq", "at", "event", "run", "actor")
    list_filter = ("event",)
    search_fields = ("event", "run", "data")


@admin.register(models.DenialTally)
class DenialTallyAdmin(ReadOnlyAdmin):
    list_display = ("wish", "code", "count", "since", "run")
    list_filter = ("wish", "code")


@admin.register(models.AuditHead)
class AuditHeadAdmin(ReadOnlyAdmin):
    list_display = ("seq", "hash")


@admin.register(models.Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("key", "kind", "state", "suspect", "attempts", "due_at", "sent_at", "run")
    list_filter = ("state", "kind", "suspect")
    search_fields = ("key", "error")
    exclude = ("payload",)
    """An answer to one person may hold their link code, and an address to post to."""


@admin.register(models.SlackChannel)
class SlackChannelAdmin(ReadOnlyAdmin):
    list_display = ("id", "sent_at", "wait_until", "broken_at", "broken_because")


@admin.register(models.SlackPerson)
class SlackPersonAdmin(ReadOnlyAdmin):
    list_display = ("key", "name", "barred", "flags_at", "seen_at")
    list_filter = ("team", "barred")
    search_fields = ("key", "name")


@admin.register(models.SlackCall)
class SlackCallAdmin(ReadOnlyAdmin):
    list_display = ("id", "asked_at", "woken_at", "answered_at")
    exclude = ("call",)
    """It may hold an address to which anybody could post an answer."""


@admin.register(models.SeenRequest)
class SeenRequestAdmin(ReadOnlyAdmin):
    list_display = ("signature", "at")


@admin.register(models.LinkCode)
class LinkCodeAdmin(ReadOnlyAdmin):
    list_display = ("slack_user", "team", "slack_name", "created_at", "expires_at", "used_at")
    exclude = ("digest",)


@admin.register(models.Link)
class LinkAdmin(ReadOnlyAdmin):
    list_display = ("team", "slack_user", "account_name", "linked_at", "ended_at")
    list_filter = ("team",)
    search_fields = ("slack_user", "account_name")


@admin.register(models.Freeze)
class FreezeAdmin(ReadOnlyAdmin):
    list_display = ("id", "database", "owner_name", "since", "until", "ended_at", "reason")
    list_filter = ("database", "owner_name")


@admin.register(models.Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("name", "kind", "release", "started_at", "beat_at")
    list_filter = ("kind",)
