"""The bot's addresses. A project includes them: ``path("", include("bot.urls"))``."""

from __future__ import annotations

from django.urls import include, path

from bot.slack.door import SlackEvents
from bot.web.rooms.health import health

app_name = "migration_bot"

urlpatterns = [
    path("migrations/", include("bot.web.urls")),
    path("slack/events", SlackEvents.as_view(), name="slack"),
    path("healthz", health, name="health"),
]
