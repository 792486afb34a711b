"""``auth.test`` and ``users.*``."""

from __future__ import annotations

from typing import Any

from bot.sandbox import names, shapes
from bot.sandbox.api.arguments import ApiError, Arguments
from bot.sandbox.models import Person


def auth_test(given: Arguments) -> dict[str, Any]:
    return {
        "url": f"https://{names.DOMAIN}.slack.invalid/",
        "team": "Sandbox",
        "user": "migration_bot",
        "team_id": names.TEAM,
        "user_id": names.BOT_USER,
        "bot_id": names.BOT_ID,
        "is_enterprise_install": False,
    }


def info(given: Arguments) -> dict[str, Any]:
    person = Person.objects.filter(pk=given.text("user", missing="user_not_found")).first()
    if person is None:
        raise ApiError("user_not_found")
    return {"user": shapes.user(person, with_email="users:read.email" in given.scopes)}


def lookup_by_email(given: Arguments) -> dict[str, Any]:
    email = given.text("email", missing="users_not_found")
    person = Person.objects.filter(email__iexact=email, team=names.TEAM).first()
    if person is None:
        raise ApiError("users_not_found")
    return {"user": shapes.user(person, with_email=True)}
