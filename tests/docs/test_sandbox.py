"""Whoever follows docs/sandbox.md sees the pending migrations of their own project in it."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.project import ROOT, ProjectFactory, migration
from tests.throwaway import free_port

ITEM = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))])'
PATIENCE = 90.0


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "X-Sandbox": "1"}
    with urllib.request.urlopen(
        urllib.request.Request(url, data=data, headers=headers), timeout=30
    ) as answer:
        return json.load(answer)


def ask_for_page(url: str) -> None:
    """Open the page, which lets the people in."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200


def until(look: Callable[[], Any]) -> Any:
    """What ``look`` finds at last."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.3)
    raise AssertionError("it was not seen in time")


@pytest.mark.slow
def test_a_teams_own_migrations_are_seen_by_following_the_page(
    project: ProjectFactory, new_database: Callable[[str], str]
) -> None:
    port = free_port()
    text = (ROOT / "docs" / "sandbox.md").read_text().replace("8000", str(port))
    settings, urls = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    site = project(
        database_url=new_database("sqlite"),
        state_url=new_database("sqlite"),
        apps={"items": {"0001_initial": migration(ITEM)}},
        settings="DEBUG = True\n" + settings,
        urls='urlpatterns += [path("", include("bot.urls"))]\n' + urls,
    )
    for app in ("contenttypes", "auth", "sessions"):
        site.manage("migrate", app)
    site.manage("migration_bot", "setup")
    site.manage("createsuperuser", "--noinput", "--username=lee", "--email=lee@example.com")
    site.start("migration_bot", "worker")
    site.start("runserver", str(port), "--noreload")

    root = f"http://127.0.0.1:{port}/sandbox/"
    until(lambda: ask(f"{root}commands"))
    ask_for_page(root)
    lee = ask(f"{root}state")["me"]
    wish = {"as": lee, "do": "speak", "channel": "C0MIGRATIONS", "text": "/migrate plan"}
    assert ask(f"{root}do", wish) == {"ok": True}
    until(lambda: "items.0001_initial" in json.dumps(ask(f"{root}state?as={lee}")["messages"]))
