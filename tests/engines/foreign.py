"""A task that is not the bot's."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_tasks import task
else:
    try:
        from django.tasks import task
    except ImportError:  # Django 5.2
        from django_tasks import task


@task(queue_name="migration_bot")
def foreign() -> None:
    """Does nothing."""
