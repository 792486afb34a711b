"""``migration_bot rehearse`` as somebody at a shell uses it: real processes, a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

from tests import servers
from tests.project import Project, ProjectFactory, migration

CREATE = """
migrations.CreateModel("Item", [
    ("id", models.BigAutoField(primary_key=True)),
    ("name", models.CharField(max_length=40)),
]),
"""
UNIQUE = 'migrations.AlterField("item", "name", models.CharField(max_length=40, unique=True)),'
SHOP = {
    "0001_initial": migration(CREATE),
    "0002_unique": migration(UNIQUE, after=[("shop", "0001_initial")]),
}
PLACE = 'MIGRATION_BOT["rehearsal_databases"] = {"default": "default"}\n'


@pytest.fixture
def vendor() -> str:
    return "postgresql"


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str) -> Project:
    """The first migration is applied, the second is pending."""
    made = project(database_url=scratch_url, apps={"shop": SHOP}, settings=PLACE)
    made.manage("migration_bot", "setup")
    made.manage("migrate", "shop", "0001")
    return made


def said(
    shop: Project, *words: str, settings: str = "settings"
) -> subprocess.CompletedProcess[str]:
    return shop.manage("migration_bot", *words, check=False, DJANGO_SETTINGS_MODULE=settings)


def test_a_plan_is_shown_with_what_was_measured_and_later_ones_know_of_it(shop: Project) -> None:
    first = said(shop, "rehearse", "shop")
    assert first.returncode == 0, first.stderr
    assert "Measured on a copy of the schema" in first.stdout
    assert "rehearsed: Ran in" in first.stdout
    assert "ACCESS EXCLUSIVE on shop_item" in first.stdout
    assert "0002_unique" in said(shop, "plan", "shop").stdout
    document = json.loads(said(shop, "plan", "shop", "--json").stdout)
    assert document["rehearsal"]["state"] == "measured"
    (step,) = document["rehearsal"]["measured"]["steps"]
    assert (step["key"], step["outcome"]) == ("shop.0002_unique", "works")
    audit = json.loads(said(shop, "audit", "list", "--json").stdout)
    assert "plan.rehearsed" in json.dumps(audit)


def test_as_json_it_is_one_document_with_the_plan_and_the_rehearsal(shop: Project) -> None:
    shown = said(shop, "rehearse", "shop", "--json", "--fail-on", "caution")
    document = json.loads(shown.stdout)
    assert shown.returncode == 3, "the plan is risky, measured or not"
    assert document["steps"][0]["name"] == "0002_unique"
    assert document["rehearsal"]["state"] == "measured"


def test_nothing_pending_is_fine_and_rehearses_nothing(shop: Project) -> None:
    shown = said(shop, "rehearse", "shop", "0001")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Nothing is pending" in shown.stdout


def test_where_nothing_can_be_measured_it_says_why_and_ends_with_1(shop: Project) -> None:
    shop.write("settings_elsewhere.py", "from settings import *\n" + ELSEWHERE)
    shown = said(shop, "rehearse", "shop", settings="settings_elsewhere")
    assert shown.returncode == 1
    assert "Not rehearsed: " in shown.stderr
    assert "0002_unique" in shown.stdout, "the plan is shown all the same"
    document = json.loads(said(shop, "plan", "shop", "--json").stdout)
    assert document["rehearsal"]["state"] == "none", "nothing was kept"


ELSEWHERE = """
DATABASES["down"] = {**DATABASES["default"], "HOST": "127.0.0.1", "PORT": "1"}
MIGRATION_BOT = {**MIGRATION_BOT, "databases": ("default",),
    "rehearsal_databases": {"default": "down"}}
"""


def test_a_target_that_is_not_there_is_refused_as_plan_does(shop: Project) -> None:
    shown = said(shop, "rehearse", "shopp", "--json")
    assert shown.returncode == 1
    assert json.loads(shown.stdout)["error"] == "unknown_app"


def test_without_the_bots_own_tables_it_is_shown_and_not_kept(
    project: ProjectFactory, scratch_url: str
) -> None:
    bare = project(database_url=scratch_url, apps={"shop": SHOP}, settings=PLACE)
    shown = said(bare, "rehearse", "shop")
    assert shown.returncode == 0, shown.stderr
    assert "Measured on a copy of the schema" in shown.stdout
    assert "was not kept" in shown.stderr


def test_a_ctrl_c_ends_it_and_leaves_no_scratch_database(shop: Project) -> None:
    shop.write("shop/migrations/0003_wait.py", migration(WAIT, before=PYTHON, after=AFTER))
    shop.write("settings_python.py", f"from settings import *\n{RUN_PYTHON}")
    process = shop.start(
        "migration_bot", "rehearse", "shop", DJANGO_SETTINGS_MODULE="settings_python"
    )
    until = time.monotonic() + 60
    while not (shop.folder / "child").exists() and time.monotonic() < until:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, words = process.communicate(timeout=60)
    assert process.returncode == 130, words
    child = (shop.folder / "child").read_text()
    query = f"SELECT count(*) FROM pg_database WHERE datname LIKE 'mbot_rehearsal_%_{child}_%'"
    assert servers.execute(shop.database_url, query) == [(0,)]


AFTER = [("shop", "0002_unique")]
RUN_PYTHON = 'MIGRATION_BOT["rehearse_python"] = True\n'
WAIT = "migrations.RunPython(wait, migrations.RunPython.noop),"
PYTHON = """
import os
import time
from pathlib import Path

def wait(apps, schema_editor):
    Path("child.new").write_text(str(os.getpid()))
    Path("child.new").rename("child")
    time.sleep(60)
"""
