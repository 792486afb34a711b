"""A run leaves the very schema and the very record that a plain migrate leaves."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import running, wagtail_site
from tests.database.runs import PARENT, SHOP, after, ask, drive
from tests.project import Project, ProjectFactory, migration

ADMIN = 'INSTALLED_APPS += ["django.contrib.admin"]\n'
RECORD = "SELECT app, name FROM django_migrations ORDER BY app, name"


def shape(project: Project) -> object:
    """The whole schema: pg_dump's words, or SQLite's own."""
    if project.database_url.startswith("postgresql"):
        return running.schema(project.database_url)
    return ask(project, "SELECT type, name, sql FROM sqlite_master ORDER BY name")


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_a_run_leaves_what_a_plain_migrate_leaves(
    project: ProjectFactory, new_database: Callable[[str], str], vendor: str, tmp_path: Path
) -> None:
    if vendor == "postgresql" and not shutil.which("pg_dump"):
        pytest.skip("postgresql: there is no pg_dump")
    apps = {"shop": {**SHOP, "0004_parent": migration(PARENT, after=after(3))}}
    made = [
        project(
            database_url=new_database(vendor),
            state_url=f"sqlite:///{tmp_path}/state{number}.sqlite3",
            apps=apps,
            settings=ADMIN,
        )
        for number in (0, 1)
    ]
    ours, theirs = made
    said = drive(ours, do="run", target="everything")
    assert said.last["kind"] == "Finished"
    theirs.manage("migrate")
    assert ask(ours, RECORD) == ask(theirs, RECORD)
    assert shape(ours) == shape(theirs)


def test_a_run_of_wagtail_leaves_what_a_plain_migrate_leaves(
    new_database: Callable[[str], str],
) -> None:
    if not (os.environ.get("BENCH_PYTHON") or (wagtail_site.ROOT / ".venv-bench").exists()):
        pytest.skip("wagtail: it is not installed here, `make bench` does that")
    if not shutil.which("pg_dump"):
        pytest.skip("postgresql: there is no pg_dump")
    ours, theirs = new_database("postgresql"), new_database("postgresql")
    with tempfile.TemporaryDirectory() as folder:
        site = running.Site(Path(folder))
        site.by_run(ours)
        site.by_migrate(theirs)
    assert running.schema(ours) == running.schema(theirs)
