"""Where rehearsals are held on PostgreSQL, what is said where they cannot be, and what is left."""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connections

from bot.database.rehearsal import (
    postgresql_alias,
    postgresql_binaries,
    postgresql_cluster,
    postgresql_folders,
)
from bot.database.rehearsal.alone import lock_file
from bot.database.rehearsal.names import PREFIX, born, maker_of, new_name
from bot.database.rehearsal.rehearse import sweep
from bot.route.rehearsal import Outcome
from tests import servers, throwaway
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.left import databases
from tests.database.rehearsal.shop import rehearsed, write
from tests.project import Project, ProjectFactory, migration

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])
STEP = "migrations.AddField('Item', 'a', models.IntegerField(null=True))"


@pytest.fixture
def pending(target: str, shop: MadeUpApp) -> str:
    """One step is pending on the target."""
    write(shop, STEP)
    migrate(target, "shop", "0001")
    return target


def no_alias(settings: Any) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": {}}


def have_binaries() -> None:
    if postgresql_binaries.server_folder(1) is None:
        pytest.skip("postgresql: no server programs here")


def folders() -> set[str]:
    """The throwaway clusters that this process made."""
    names = {folder.name for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")}
    return {name for name in names if (made := maker_of(name)) and made.pid == os.getpid()}


def test_a_throwaway_cluster_serves_where_no_alias_is_named(pending: str, settings: Any) -> None:
    have_binaries()
    no_alias(settings)
    found = rehearsed(pending, "shop")
    assert found.because == ""
    assert found.where.startswith("a throwaway PostgreSQL ")
    assert [step.outcome for step in found.steps] == [Outcome.WORKS]
    assert folders() == set()


def test_without_alias_and_programs_it_says_what_to_do(
    pending: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_alias(settings)
    monkeypatch.setattr(postgresql_cluster, "server_folder", lambda major: None)
    found = rehearsed(pending, "shop")
    assert "Set rehearsal_databases, or install PostgreSQL's server binaries" in found.because
    assert found.steps == ()
    assert found.findings == ()


def test_a_user_who_may_make_no_database_is_told_of_createdb(
    pending: str, settings: Any, register_alias: Callable[[str, str], str]
) -> None:
    name = f"mbot_{secrets.token_hex(6)}"
    server = os.environ[servers.POSTGRES]
    servers.execute(server, f"CREATE ROLE {name} LOGIN PASSWORD 'x'")
    try:
        parts = urlsplit(server)
        address = f"{name}:x@{parts.hostname}:{parts.port or 5432}"
        register_alias("poor", urlunsplit(parts._replace(netloc=address)))
        aliases = {"target": "poor"}
        settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": aliases}
        found = rehearsed(pending, "shop")
    finally:
        servers.execute(server, f"DROP ROLE {name}")
    assert "permission denied" in found.because
    assert "CREATEDB" in found.because


def test_a_server_that_is_down_is_named(
    pending: str, settings: Any, register_alias: Callable[[str, str], str]
) -> None:
    register_alias("down", f"postgresql://nobody@127.0.0.1:{throwaway.free_port()}/x")
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": {"target": "down"}}
    found = rehearsed(pending, "shop")
    assert "The database down" in found.because
    assert "whether its server runs" in found.because


def test_an_alias_that_is_not_there_or_is_no_postgresql_is_refused(
    pending: str, settings: Any, register_alias: Callable[[str, str], str], tmp_path: Path
) -> None:
    register_alias("file", f"sqlite:///{tmp_path / 'x.sqlite3'}")
    for alias, words in (("nowhere", "not in DATABASES"), ("file", "sqlite and not PostgreSQL")):
        aliases = {"target": alias}
        settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": aliases}
        assert words in rehearsed(pending, "shop").because


def test_nothing_is_left_and_nothing_happens_on_the_target(pending: str) -> None:
    with connections[pending].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_item")
        assert cursor.fetchone() == (0,)
    rehearsed(pending, "shop")
    assert databases("scratch") == set()
    with connections[pending].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop_item")
        assert cursor.fetchone() == (0,)
        columns = connections[pending].introspection.get_table_description(cursor, "shop_item")
    assert "a" not in {column.name for column in columns}


def test_a_second_rehearsal_waits_and_gives_up(pending: str, settings: Any) -> None:
    import fcntl

    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_timeout": 0.3}
    with lock_file().open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        found = rehearsed(pending, "shop")
    assert "Another rehearsal went on here" in found.because


def test_names_tell_who_made_what_and_when(vendor: str) -> None:
    made = maker_of(new_name())
    assert made is not None
    assert (made.pid, made.is_here, made.is_gone) == (os.getpid(), True, False)
    assert maker_of("mbot_rehearsal_of_mine") is None
    assert maker_of("shop") is None
    assert len(new_name()) <= 63


def renamed(name: str, *, hours: float = 0, machine: str = "", pid: int = 0) -> str:
    """A name like that, made so many hours ago, on another machine or by another process."""
    made = maker_of(name)
    assert made is not None
    at = (made.made_at - timedelta(hours=hours)).strftime("%Y%m%dt%H%M%S")
    rest = name.rpartition("_")[2]
    return f"{PREFIX}{at}_{machine or made.machine}_{pid or made.pid}_{made.born}_{rest}"


def test_what_lives_is_never_swept_by_another_project_whose_time_is_shorter(
    pending: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_timeout": 1.0}
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    name = renamed(new_name(), hours=2)
    folders = [tmp_path / name, tmp_path / f"{name}.sqlite"]
    for folder in folders:
        folder.mkdir()
    with connections["scratch"].cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
        try:
            assert not {one for one in sweep() if one.startswith(name)}
            assert all(folder.exists() for folder in folders)
        finally:
            cursor.execute(f'DROP DATABASE "{name}"')


def test_a_process_that_nobody_may_look_into_is_taken_for_the_one_it_may_be(
    vendor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maker_of(new_name())
    assert made is not None

    def unreadable(self: Path, *args: Any, **kwargs: Any) -> str:
        raise FileNotFoundError(self)  # As with the mount option hidepid.

    monkeypatch.setattr(Path, "read_text", unreadable)
    assert not made.is_gone


def test_what_another_machine_has_open_is_not_dropped_whatever_its_clock_says(
    pending: str, settings: Any
) -> None:
    name = renamed(new_name(), hours=2, machine="ffffffff")
    server = os.environ[servers.POSTGRES]
    servers.execute(server, f'CREATE DATABASE "{name}"')
    try:
        theirs = psycopg.connect(urlunsplit(urlsplit(server)._replace(path=f"/{name}")))
        assert name not in sweep()
        theirs.close()
        wait_until(lambda: name in sweep())
    finally:
        servers.execute(server, f'DROP DATABASE IF EXISTS "{name}"')


def test_a_server_that_is_stuck_does_not_keep_whoever_drops_what_was_left(
    pending: str, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(postgresql_alias, "_PATIENCE", 0.5)
    name = renamed(new_name(), hours=2, machine="ffffffff")
    server = os.environ[servers.POSTGRES]
    servers.execute(server, f'CREATE DATABASE "{name}"')
    with psycopg.connect(server) as stuck:
        stuck.execute("LOCK TABLE pg_database IN SHARE MODE")  # Whoever only reads goes on.
        assert name not in sweep()
        stuck.rollback()
    assert f"{name} could not be dropped" in caplog.text
    assert name in sweep()


def test_a_folder_of_another_machine_is_kept_for_a_day(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may stand on a file system that two share, and nobody can be asked."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = tmp_path / renamed(new_name(), hours=20, machine="ffffffff")
    gone = tmp_path / renamed(new_name(), hours=30, machine="ffffffff")
    for folder in (kept, gone):
        folder.mkdir()
    assert gone.name in postgresql_folders.sweep()
    assert kept.exists()


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("place", ["/nonexistent", "/proc"])
def test_where_no_file_can_be_made_the_remedy_is_told(
    pending: str, settings: Any, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    no_alias(settings)
    monkeypatch.setattr(tempfile, "tempdir", place)
    found = rehearsed(pending, "shop")
    assert found.because.startswith(f"No scratch file can be made in {place} (")
    assert "TMPDIR" in found.because


def test_a_folder_that_is_too_deep_for_a_socket_is_passed_over(
    pending: str, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have_binaries()
    no_alias(settings)
    deep = tmp_path / ("x" * 60)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert rehearsed(pending, "shop").worked
    assert not any(made_here(folder) for folder in Path("/tmp").glob(f"{PREFIX}*"))


def made_here(folder: Path) -> bool:
    made = maker_of(folder.name)
    return made is not None and made.pid == os.getpid()


ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE query ~ 'pg_slee[p]' AND state = 'active'"
SLOW = """
migrations.RunSQL("SELECT pg_sleep(60)", migrations.RunSQL.noop),
"""
CREATE = """
migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]),
"""
REHEARSE = """\
    import django
    django.setup()
    from datetime import UTC, datetime
    from bot.database.planner import make_plan
    from bot.database.rehearsal.rehearse import rehearse
    from bot.route.plan import Target
    now = datetime.now(UTC)
    target = Target(app="shop")
    plan = make_plan("default", target, now=now)
    print(rehearse("default", target, plan.basis, now=now))
"""


@pytest.fixture
def slow(project: ProjectFactory, scratch_url: str, new_database: Callable[[str], str]) -> Project:
    """A project whose second migration takes a minute."""
    made = project(
        database_url=scratch_url,
        state_url=new_database("sqlite"),
        apps={
            "shop": {
                "0001_initial": migration(CREATE),
                "0002_slow": migration(SLOW, after=[("shop", "0001_initial")]),
            }
        },
    )
    made.manage("migrate", "shop", "0001")
    made.write("rehearsing.py", REHEARSE)
    return made


def kill_half_way(project: Project, is_under_way: Callable[[int], bool]) -> None:
    """Start a rehearsal in a process of its own and kill it without a warning."""
    import subprocess
    import sys

    process = subprocess.Popen(
        [sys.executable, "rehearsing.py"], cwd=project.folder, env=project.environment
    )
    try:
        end = time.monotonic() + 60
        while not is_under_way(process.pid):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < end, "it never got so far"
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.mark.slow
def test_what_a_killed_rehearsal_left_in_a_folder_is_swept(slow: Project, settings: Any) -> None:
    have_binaries()

    left: list[Path] = []

    def sleeping(pid: int) -> bool:
        found = Path(tempfile.gettempdir()).glob(f"{PREFIX}*")
        left[:] = [one for one in found if (made := maker_of(one.name)) and made.pid == pid]
        if not left or not (left[0] / ".s.PGSQL.5432").exists():
            return False
        url = f"postgresql://migration_bot@/postgres?host={left[0]}"
        try:
            return bool(servers.execute(url, ASLEEP))
        except psycopg.Error:
            return False  # It is not ready yet.

    kill_half_way(slow, sleeping)
    (folder,) = left
    server = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    assert born(server)
    assert folder.name in sweep()
    assert not folder.exists()
    assert not born(server)


@pytest.mark.slow
def test_what_a_killed_rehearsal_left_on_a_server_is_swept(
    slow: Project, settings: Any, register_alias: Callable[[str, str], str]
) -> None:
    server = os.environ[servers.POSTGRES]
    register_alias("scratch", server)
    slow.write(
        "settings.py",
        (slow.folder / "settings.py").read_text()
        + f"\nDATABASES['scratch'] = dj_database_url.parse({server!r})\n"
        + "MIGRATION_BOT['rehearsal_databases'] = {'default': 'scratch'}\n",
    )

    def made_by(pid: int) -> set[str]:
        sql = f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'"
        names = {str(name) for (name,) in servers.execute(server, sql)}
        return {name for name in names if (made := maker_of(name)) and made.pid == pid}

    left: set[str] = set()

    def sleeping(pid: int) -> bool:
        left.update(made_by(pid))
        sql = "SELECT 1 FROM pg_stat_activity WHERE datname = '{}' AND query ~ 'pg_sleep'"
        return any(servers.execute(server, sql.format(name)) for name in left)

    kill_half_way(slow, sleeping)
    settings.MIGRATION_BOT = {"rehearsal_databases": {"default": "scratch"}}
    assert left <= set(sweep())
    sql = f"SELECT datname FROM pg_database WHERE datname IN ('{next(iter(left))}')"
    assert not servers.execute(server, sql)
