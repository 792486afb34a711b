"""Keeps the bot's own tables, and its task engine's, in the state database."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, models

from bot.conf import OWN_LABELS, get_settings


class StateRouter:
    """Put ``bot.routers.StateRouter`` first in ``DATABASE_ROUTERS``.

    While the state database is ``default`` it changes nothing there. A state database of its own
    takes the bot's tables and no others.
    """

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        return get_settings().state_database if _is_own(model) else None

    def db_for_write(self, model: type[models.Model], **hints: Any) -> str | None:
        return get_settings().state_database if _is_own(model) else None

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        """Refuse a relation between the bot's tables and the host's; say nothing on the rest."""
        return False if _is_own(type(one)) != _is_own(type(other)) else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        settings = get_settings()
        if app_label in OWN_LABELS:
            return db == settings.state_database
        if db == settings.state_database and _stands_apart():
            return False
        return None


def _is_own(model: type[models.Model]) -> bool:
    return model._meta.app_label in OWN_LABELS


def _stands_apart() -> bool:
    """Whether the state database holds nothing but the bot's tables.

    A project may name its state database among those to be migrated; then it shares it.
    """
    settings = get_settings()
    return (
        settings.state_database != DEFAULT_DB_ALIAS
        and settings.state_database not in settings.databases
    )
