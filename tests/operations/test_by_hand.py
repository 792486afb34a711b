"""A plain migrate in a real process stands in the audit with who did it and how it ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.database.osuser import os_user
from tests.project import Project, ProjectFactory, migration

FIRST = migration(
    'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),'
)
BROKEN = migration(
    "migrations.RunPython(fail),",
    after=[("shop", "0001_initial")],
    before="""
    def fail(apps, editor):
        raise ValueError("the totals do not add up")
    """,
)


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str) -> Project:
    made = project(
        database_url=scratch_url, apps={"shop": {"0001_initial": FIRST, "0002_broken": BROKEN}}
    )
    made.manage("migrate", "migration_bot")
    return made


def entries(project: Project) -> list[dict[str, Any]]:
    printed = project.shell(
        """
        import json
        from bot import audit
        from bot.models import AuditEntry
        print(json.dumps([audit.as_json(e) for e in AuditEntry.objects.all()]))
        """
    )
    found: list[dict[str, Any]] = json.loads(printed)
    return found


def test_a_plain_migrate_is_recorded_with_the_operating_systems_user(shop: Project) -> None:
    shop.manage("migrate", "shop", "0001")
    failed = shop.manage("migrate", "shop", check=False)
    assert failed.returncode == 1
    first, second = entries(shop)
    assert first["event"] == "migrate.finished"
    assert first["actor"] == {
        "origin": "command_line",
        "name": os_user(),
        "os_user": os_user(),
    }
    assert first["data"] == {
        "database": "default",
        "steps": ["shop.0001_initial"],
        "command": "manage.py migrate shop 0001",
    }
    assert second["event"] == "migrate.failed"
    assert second["data"] == {
        "database": "default",
        "command": "manage.py migrate shop",
        "error": "ValueError: the totals do not add up",
    }


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_where_the_audit_has_no_tables_the_migrate_runs_and_says_so(
    project: ProjectFactory, scratch_url: str
) -> None:
    fresh = project(database_url=scratch_url, apps={"shop": {"0001_initial": FIRST}})
    done = fresh.manage("migrate", "shop")
    assert "OK" in done.stdout
    assert "is not in the audit: The bot's own tables are missing" in done.stdout
    assert "Traceback" not in done.stderr
