from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.database.plain import PlainMigrate
    from bot.waking import Wakes


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
        gate.on_plain.append(_record)
        waking.register(_enqueue, _wakes)
        work.register("deliver", "bot.slack.sending:deliver")
        work.register("answer_call", "bot.slack.answers:answer_later")
        work.register("refresh_person", "bot.slack.people:refresh")
        work.register_tick("bot.slack.sending:tick")
        work.register_tick("bot.slack.people:tick")
        work.register_tick("bot.slack.answers:tick")
        work.register_tidy("bot.slack.tidying:tidy")


def _record(told: PlainMigrate) -> None:
    """Imported only now: a process that migrates nothing needs no operations."""
    from bot.operations.by_hand import migrated_by_hand

    migrated_by_hand(told, now=datetime.now(UTC))


def _enqueue(task: str, keys: Sequence[str]) -> None:
    """The engine's tasks are imported only now: their queues are checked at import."""
    from bot import tasks

    tasks.enqueue(task, keys)


def _wakes(task: str, keys: Sequence[str], using: str) -> Wakes | None:
    from bot import tasks

    return tasks.wakes(task, keys, using)
