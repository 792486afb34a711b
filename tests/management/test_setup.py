"""setup on real databases, in real processes: once, again, and from several machines at once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from bot.management.permitting import CODENAMES
from tests.project import Project, ProjectFactory, migration
from tests.servers import execute, tables

CREATE_ITEM = 'migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),'


def a_site(project: ProjectFactory, url: str, state_url: str = "") -> Project:
    apps = {"shop": {"0001_initial": migration(CREATE_ITEM)}}
    # A test's database gets its triggers too: these processes are no test runner.
    return project(database_url=url, state_url=state_url, apps=apps)


def setup(site: Project) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(site.manage("migration_bot", "setup", "--json").stdout)
    return told


def test_on_a_fresh_database_it_makes_its_own_tables_and_nothing_else(
    project: ProjectFactory, scratch_url: str, vendor: str
) -> None:
    site = a_site(project, scratch_url)
    told = setup(site)
    assert "migration_bot.0001_initial" in told["applied"]
    assert told["triggers"] == "present"
    assert told["permissions"]["missing"] == list(CODENAMES)
    made = {name for name in tables(scratch_url) if not name.startswith("sqlite_")}
    assert {"migration_bot_run", "migration_bot_auditentry"} <= made
    strange = {name for name in made if not name.startswith(("migration_bot_", "django_tasks"))}
    assert strange == {"django_migrations"}


def test_permissions_come_with_the_first_migrate_and_setup_again_changes_nothing(
    project: ProjectFactory, scratch_url: str
) -> None:
    site = a_site(project, scratch_url)
    setup(site)
    site.manage("migrate")
    told = setup(site)
    assert told["applied"] == []
    assert told["permissions"] == {
        "database": "default",
        "made": [],
        "missing": [],
        "because": "",
    }


def test_permissions_are_made_where_the_users_are(
    project: ProjectFactory, new_database: Callable[[str], str]
) -> None:
    url, state_url = new_database("sqlite"), new_database("sqlite")
    site = a_site(project, url, state_url)
    setup(site)
    site.manage("migrate", "auth")
    execute(url, "DELETE FROM auth_permission")
    told = setup(site)
    assert told["database"] == "state"
    assert told["permissions"]["made"] == list(CODENAMES)
    assert "auth_permission" not in tables(state_url)
    assert "migration_bot_run" not in tables(url)
    words = site.manage("migration_bot", "setup").stdout
    assert words == (
        "Own tables on state: up to date.\n"
        "Triggers of the audit: in place.\n"
        "Permissions in default: in place.\n"
    )


def test_missing_triggers_are_made_again(
    project: ProjectFactory, scratch_url: str, vendor: str
) -> None:
    site = a_site(project, scratch_url)
    setup(site)
    drop = {
        "sqlite": "DROP TRIGGER migration_bot_audit_no_delete",
        "mysql": "DROP TRIGGER migration_bot_audit_no_delete",
        "postgresql": "DROP TRIGGER migration_bot_audit_no_change ON migration_bot_auditentry",
    }[vendor]
    execute(scratch_url, drop)
    assert setup(site)["triggers"] == "made"
    assert setup(site)["triggers"] == "present"


def test_several_machines_at_once_make_everything_once(
    project: ProjectFactory, scratch_url: str, vendor: str
) -> None:
    site = a_site(project, scratch_url)
    site.manage("migrate", "auth")
    execute(scratch_url, "DELETE FROM auth_permission")
    processes = [site.start("migration_bot", "setup", "--json") for _ in range(3)]
    told = [_ended(process) for process in processes]
    assert sum("migration_bot.0001_initial" in one["applied"] for one in told) == 1
    assert all(one["permissions"]["missing"] == [] for one in told)
    rows = execute(
        scratch_url,
        "SELECT app, name, COUNT(*) FROM django_migrations GROUP BY app, name HAVING COUNT(*) > 1",
    )
    assert list(rows) == []
    counted = execute(
        scratch_url, "SELECT COUNT(*) FROM auth_permission WHERE codename = 'approve_run'"
    )
    assert [row[0] for row in counted] == [1]


def _ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    told: dict[str, Any] = json.loads(out)
    return told


def test_it_waits_for_whoever_migrates_and_gives_up_with_a_sentence(
    project: ProjectFactory, new_database: Callable[[str], str]
) -> None:
    site = a_site(project, new_database("sqlite"))
    holder = site.shell(
        """
        import subprocess, sys
        from bot.database.lock import DatabaseLock
        with DatabaseLock("default", holder="run 12"):
            done = subprocess.run(
                [sys.executable, "manage.py", "migration_bot", "setup", "--timeout", "1", "--json"],
                capture_output=True, text=True, check=False,
            )
        print(done.returncode, done.stdout)
        """
    )
    code, _, document = holder.partition(" ")
    assert code == "1"
    assert json.loads(document)["error"] == "lock_held"
    assert "run 12" in json.loads(document)["message"]


@pytest.mark.parametrize("words", [("history",), ("status",), ("audit", "verify")])
def test_before_setup_every_face_says_what_to_do(
    project: ProjectFactory, scratch_url: str, words: tuple[str, ...]
) -> None:
    site = a_site(project, scratch_url)
    done = site.manage("migration_bot", *words, "--json", check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"] == "setup_needed"


def test_where_the_tables_live_elsewhere_the_bots_migrations_stand_in_no_plan(
    project: ProjectFactory, new_database: Callable[[str], str]
) -> None:
    site = a_site(project, new_database("sqlite"), new_database("sqlite"))
    setup(site)
    site.manage("migrate", "auth")
    assert setup(site)["noted"]["default"] > 0
    assert "noted" in setup(site)
    assert setup(site)["noted"] == {}
    plan = json.loads(site.manage("migration_bot", "plan", "--json").stdout)
    apps = {step["app"] for step in plan["steps"]}
    assert "shop" in apps
    assert not apps & {"migration_bot", "django_tasks_database"}
