"""The sandbox's addresses. Include them in the project's own: ``path("sandbox/", include(…))``."""

from __future__ import annotations

from django.urls import path

from bot.sandbox import page, replies
from bot.sandbox.api import dispatch

app_name = "migration_bot_sandbox"

urlpatterns = [
    path("", page.shell, name="page"),
    path("assets/<str:name>", page.asset, name="asset"),
    path("commands", page.commands, name="commands"),
    path("state", page.state, name="state"),
    path("do", page.do, name="do"),
    path("file/<str:file>", page.file, name="file"),
    path("upload/<str:file>", page.upload, name="upload"),
    path("response/<str:token>", replies.respond, name="response"),
    path("api/<str:method>", dispatch.call, name="api"),
]
