from __future__ import annotations

from django.apps import AppConfig


class MigrationBotConfig(AppConfig):
    name = "bot"
    label = "migration_bot"
    verbose_name = "Migration bot"
    default_auto_field = "django.db.models.BigAutoField"
