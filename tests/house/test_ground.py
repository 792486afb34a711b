"""The ground that the other tests stand on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections

from tests import servers
from tests.conftest import need
from tests.project import ProjectFactory, migration

CREATE_ITEM = """
migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),
"""


def test_a_target_is_a_fresh_database_of_its_vendor(target: str, vendor: str) -> None:
    connection = connections[target]
    assert connection.vendor == vendor
    assert connection.introspection.table_names() == []


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
def test_a_scratch_database_is_dropped_though_somebody_is_connected(
    vendor: str, tmp_path: Path, register_alias: Callable[[str, str], str]
) -> None:
    need(vendor)
    with servers.scratch_database(vendor, tmp_path) as url:
        servers.execute(url, "CREATE TABLE t (id int)")
        register_alias("left_open", url)
        with connections["left_open"].cursor() as cursor:
            cursor.execute("SELECT 1")
    name = url.rsplit("/", 1)[1]
    server = {"postgresql": servers.POSTGRES, "mysql": servers.MYSQL}[vendor]
    rows = servers.execute(
        os.environ[server],
        "SELECT schema_name FROM information_schema.schemata"
        if vendor == "mysql"
        else "SELECT datname FROM pg_database",
    )
    assert name not in {row[0] for row in rows}


def test_a_project_migrates_in_a_process_of_its_own(
    project: ProjectFactory, scratch_url: str, new_database: Callable[[str], str]
) -> None:
    site = project(
        database_url=scratch_url,
        state_url=new_database("sqlite"),
        apps={"shop": {"0001_initial": migration(CREATE_ITEM)}},
    )
    site.manage("migrate", "shop")
    shown = site.manage("showmigrations", "shop").stdout
    assert "[X] 0001_initial" in shown


@pytest.mark.django_db
def test_the_bots_tables_and_a_target_go_together(target: str) -> None:
    from bot.models import Worker

    assert connections[target].introspection.table_names() == []
    assert not Worker.objects.exists()
