from __future__ import annotations

from django.apps import AppConfig


class MigrationBotConfig(AppConfig):
    name = "bot"
    label = "migration_bot"
    verbose_name = "Migration bot"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what listens. Nothing here needs a database, a secret or a network."""
        from bot import checks, waking
        from bot.database import gate

        checks.connect()
        gate.connect(self)
        waking.register(_enqueue)


def _enqueue(task: str, key: str) -> None:
    """The engine's tasks are imported only now: their queues are checked at import."""
    from bot import tasks

    tasks.enqueue(task, key)
