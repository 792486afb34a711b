"""The ground that the other tests stand on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections

from tests import lending, replay, servers, warm
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


MUCH = (
    "CREATE TABLE one (id serial PRIMARY KEY, mood text)",
    "CREATE VIEW seen AS SELECT * FROM one",
    "CREATE SEQUENCE counted",
    "CREATE TYPE mood AS ENUM ('good')",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA aside CREATE TABLE two (id int)",
)


@pytest.fixture
def own_pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Databases that no other test had."""
    need("postgresql")
    monkeypatch.setattr(lending, "_free", [])
    yield
    lending.end()


def inside(url: str) -> object:
    return lending.inside(url.rpartition("/")[2])


def names() -> set[object]:
    server = os.environ[servers.POSTGRES]
    return {row[0] for row in servers.execute(server, "SELECT datname FROM pg_database")}


def test_a_database_that_is_lent_again_is_as_one_that_was_just_made(
    own_pool: None, tmp_path: Path, register_alias: Callable[[str, str], str]
) -> None:
    with lending.lent_database("postgresql", tmp_path) as first:
        as_made = inside(first)
        servers.execute(first, *MUCH)
        register_alias("left_open", first)
        with connections["left_open"].cursor() as cursor:
            cursor.execute("SELECT 1")
    with lending.lent_database("postgresql", tmp_path) as second:
        assert servers.execute(second, "SELECT 1") == [(1,)]
        assert inside(second) == as_made
        assert first != second
        assert first.rpartition("/")[2] not in names()


@pytest.mark.parametrize(
    "left",
    [
        'CREATE COLLATION alike FROM "C"',
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "ALTER DATABASE {name} SET work_mem = '8MB'",
        "ALTER DATABASE {name} CONNECTION LIMIT 3",
    ],
)
def test_a_database_in_which_anything_is_left_is_not_lent_again(
    own_pool: None, tmp_path: Path, left: str
) -> None:
    with lending.lent_database("postgresql", tmp_path) as url:
        name = url.rpartition("/")[2]
        servers.execute(url, left.format(name=name))
    assert name not in names()
    assert lending._free == []


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


TOLD = """
import json, os, signal, sys, threading
import told_beside
told = [sys.argv, sys.path, sys.flags.isolated, __name__, os.getcwd(), sorted(os.environ)]
told += [threading.active_count(), len(os.listdir("/proc/self/task")), sys.stdin.read()]
told += ["django.conf" in sys.modules, "__file__" in globals(), os.getpid() != os.getppid()]
print(json.dumps(told[:1] + [[os.path.abspath(p) for p in told[1]]] + told[2:9] + told[10:]))
print("to the other", file=sys.stderr)
how = sys.argv[-1]
if how == "raises":
    raise LookupError("by the test")
if how == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
sys.exit(3 if how == "exits" else 0)
"""


@pytest.mark.parametrize("how", ["ends", "exits", "raises", "killed"])
@pytest.mark.parametrize("arguments", [("told.py",), ("-m", "told"), ("-c", TOLD)])
def test_a_process_that_is_forked_is_as_a_fresh_one(
    tmp_path: Path, arguments: tuple[str, ...], how: str
) -> None:
    (tmp_path / "told.py").write_text(TOLD)
    (tmp_path / "told_beside.py").write_text("")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(warm.ROOT)}
    environment.update(PYTHONUNBUFFERED="1", LC_ALL="C.UTF-8")
    forked = warm.run([*arguments, how], cwd=tmp_path, env=environment, timeout=60)
    fresh = subprocess.run(
        [sys.executable, *arguments, how],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert forked.stdout == fresh.stdout != ""
    assert forked.returncode == fresh.returncode
    assert forked.stderr.splitlines()[:1] == fresh.stderr.splitlines()[:1]
    assert forked.stderr.splitlines()[-1:] == fresh.stderr.splitlines()[-1:]


def test_two_processes_one_after_the_other_hash_texts_differently(tmp_path: Path) -> None:
    def told() -> str:
        words = ["-c", "print(hash('a'))"]
        return warm.run(words, cwd=tmp_path, env=dict(os.environ), timeout=60).stdout

    assert told() != told()


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    words = ["-c", "import time; time.sleep(60)"]
    for _ in range(2):
        with pytest.raises(subprocess.TimeoutExpired):
            warm.run(words, cwd=tmp_path, env=dict(os.environ), timeout=0.3)


@pytest.mark.django_db
def test_the_bots_tables_and_a_target_go_together(target: str) -> None:
    from bot.models import Worker

    assert connections[target].introspection.table_names() == []
    assert not Worker.objects.exists()


def rows(url: str) -> dict[str, list[str]]:
    """Every row of every table, but when a migration was recorded."""
    own = {name for name in servers.tables(url) if not name.startswith("sqlite_")}
    found = {name: servers.execute(url, f"SELECT * FROM {name}") for name in own}
    found["django_migrations"] = servers.execute(url, "SELECT app, name FROM django_migrations")
    return {name: sorted(map(repr, these)) for name, these in found.items()}


def test_tables_that_are_made_once_are_the_same_the_second_time(
    vendor: str,
    new_database: Callable[[str], str],
    register_alias: Callable[[str, str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    urls, calls = [new_database(vendor), new_database(vendor)], []

    def make() -> None:
        calls.append(alias)
        call_command("migrate", "auth", database=alias, verbosity=0)

    monkeypatch.setattr(replay, "_scripts", {})
    monkeypatch.setattr(replay, "_files", {})
    for number, url in enumerate(urls):
        alias = register_alias(f"made_{number}", url)
        replay.made_once("here", alias, url, make)
        connections[alias].close()
    assert calls == ["made_0"]
    assert rows(urls[0])["auth_permission"]
    assert rows(urls[0]) == rows(urls[1])
