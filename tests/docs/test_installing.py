"""Whoever follows docs/installing.md to the letter has a project that works."""

from __future__ import annotations

import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

_PERMISSIONS = (
    "from django.contrib.auth.models import Permission as P\n"
    "names = ['approve_run', 'freeze_runs', 'override_findings', 'request_run']\n"
    "print(*P.objects.filter(codename__in=names).order_by('codename')"
    ".values_list('codename', flat=True))\n"
)
OWN = ("migration_bot_", "django_tasks_", "django_migrations")


def blocks(heading: str) -> str:
    """The Python that stands under a heading of the page."""
    text = (ROOT / "docs" / "installing.md").read_text()
    section = re.split(r"^## ", text.split(f"## {heading}\n", 1)[1], flags=re.MULTILINE)[0]
    found = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert found, f"no code under {heading}"
    return "\n".join(found)


class HostProject:
    """A project as `django-admin startproject` makes it, with the page's code added."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run("-m", "django", "startproject", "host", ".")

    def add(self, file: str, source: str) -> None:
        with (self.folder / "host" / file).open("a") as out:
            out.write(f"\n{source}\n")

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "PYTHONWARNINGS": "error::UserWarning",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def tables(self, file: str) -> set[str]:
        with closing(sqlite3.connect(self.folder / file)) as connection:
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {name for (name,) in rows if not name.startswith("sqlite_")}


@pytest.fixture
def host(tmp_path: Path) -> HostProject:
    made = HostProject(tmp_path)
    settings = blocks("2. Settings")
    if importlib.util.find_spec("django.tasks"):
        settings = settings.replace('    "django_tasks",\n', "")
    made.add("settings.py", settings)
    made.add("urls.py", blocks("3. Addresses"))
    return made


def test_a_new_project_that_follows_the_page_checks_and_sets_up(host: HostProject) -> None:
    host.run("manage.py", "migrate")
    host.run("manage.py", "migration_bot", "setup")
    host.run("manage.py", "check")
    assert {"migration_bot_run", "auth_user"} <= host.tables("db.sqlite3")
    shown = host.run("manage.py", "shell", "-c", _PERMISSIONS)
    assert "approve_run freeze_runs override_findings request_run" in shown


def test_a_state_database_of_its_own_holds_the_bots_tables_and_nothing_else(
    host: HostProject,
) -> None:
    host.add("settings.py", blocks("A database of its own"))
    host.run("manage.py", "migrate")
    host.run("manage.py", "migration_bot", "setup")
    host.run("manage.py", "check")
    own = host.tables("migration-bot.sqlite3")
    assert "migration_bot_run" in own
    assert all(name.startswith(OWN) for name in own)
    site = host.tables("db.sqlite3")
    assert "auth_user" in site
    assert not any(name.startswith(OWN[:2]) for name in site)
    assert "approve_run freeze_runs override_findings request_run" in host.run(
        *["manage.py", "shell", "-c", _PERMISSIONS]
    )
