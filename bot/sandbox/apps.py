from __future__ import annotations

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class SandboxConfig(AppConfig):
    name = "bot.sandbox"
    label = "migration_bot_sandbox"
    verbose_name = "Migration bot: sandbox"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Refuse to start where it must not run."""
        from bot.sandbox import checks
        from bot.sandbox.allowed import why_not

        if because := why_not():
            raise ImproperlyConfigured(f'{because} Remove "bot.sandbox" from INSTALLED_APPS.')
        checks.register()
