from __future__ import annotations

from django.apps import AppConfig


class MigrationBotConfig(AppConfig):
    name = "bot"
    label = "migration_bot"
    verbose_name = "Migration bot"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect what listens. Nothing here needs a database, a secret or a network."""
        from bot import checks, waking, work
        from bot.database import gate

        checks.connect()
        gate.connect(self)
        waking.register(_enqueue)
        work.register("deliver", "bot.slack.sending:deliver")
        work.register("answer_call", "bot.slack.answers:answer_later")
        work.register("refresh_person", "bot.slack.people:refresh")
        work.register_tick("bot.slack.sending:tick")
        work.register_tick("bot.slack.people:tick")


def _enqueue(task: str, key: str) -> None:
    """The engine's tasks are imported only now: their queues are checked at import."""
    from bot import tasks

    tasks.enqueue(task, key)
