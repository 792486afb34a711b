"""A plan is rehearsed on MariaDB, beside the databases of others and never inside them."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections

from bot.database.rehearsal import mysql_server
from bot.database.rehearsal.mysql import MySQL
from bot.database.rehearsal.names import PREFIX, maker_of
from bot.database.rehearsal.rehearse import sweep
from bot.database.rehearsal.vendor import Deadline
from bot.route.findings import Evidence, Risk
from bot.route.rehearsal import Outcome
from bot.route.risks.effects import Lock, Work
from tests import servers, throwaway
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.facts import ITEM
from tests.database.rehearsal.shop import rehearsed, write
from tests.database.shop import alter

WIDER = alter("count", "BigIntegerField()")
NOOP = "migrations.RunSQL.noop"


@pytest.fixture
def vendor() -> str:
    return "mysql"


def scratches() -> set[str]:
    """The scratch databases that processes of this test have made."""
    found = servers.execute(os.environ[servers.MYSQL], "SHOW DATABASES")
    names = {str(name) for (name,) in found if str(name).startswith(PREFIX)}
    makers = {name: maker_of(name) for name in names}
    return {n for n, maker in makers.items() if maker and maker.pid in (os.getpid(), *CHILDREN)}


CHILDREN: list[int] = []


def test_locks_and_copies_are_measured_and_nothing_is_left(target: str, shop: MadeUpApp) -> None:
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.because == ""
    assert found.where.startswith("a scratch database on scratch (M")
    assert found.schema_from == "the target's own definitions (SHOW CREATE TABLE)"
    (effect,) = found.steps[0].measured[0].effects
    assert (effect.table, effect.lock, effect.work) == (ITEM, Lock.SHARE, Work.REWRITE)
    assert "(ALGORITHM=COPY, LOCK=SHARED, the most online way accepted)" in effect.words
    (finding,) = [one for one in found.findings[0] if one.code == "rewrites_table"]
    assert finding.evidence is Evidence.MEASURED
    assert "ALGORITHM=COPY, LOCK=SHARED" in finding.because
    assert scratches() == set()


def test_the_target_keeps_its_schema_and_its_rows(target: str, shop: MadeUpApp) -> None:
    write(shop, WIDER, f"migrations.RunSQL('DELETE FROM shop_tag', {NOOP})")
    migrate(target, "shop", "0001")
    with connections[target].cursor() as cursor:
        cursor.execute("INSERT INTO shop_tag (word) VALUES ('kept')")
    before = dump(target)
    assert rehearsed(target, "shop").worked
    assert dump(target) == before


def dump(database: str) -> list[object]:
    with connections[database].cursor() as cursor:
        cursor.execute("SHOW CREATE TABLE shop_item")
        found: list[object] = list(cursor.fetchall())
        cursor.execute("SELECT word FROM shop_tag")
        found += cursor.fetchall()
        cursor.execute("SHOW TABLES")
        return found + list(cursor.fetchall())


def test_without_an_alias_the_remedy_is_told(target: str, shop: MadeUpApp, settings: Any) -> None:
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": {}}
    found = rehearsed(target, "shop")
    assert found.steps == ()
    assert "set rehearsal_databases to" in found.because
    assert "`mbot\\_rehearsal\\_%`.*" in found.because


@pytest.fixture
def somebody(shop: MadeUpApp, register_alias: Callable[[str, str], str]) -> Iterator[str]:
    """A user who may do nothing at all; the alias "scratch" is theirs."""
    server = os.environ[servers.MYSQL]
    name, word = f"mbot_{secrets.token_hex(4)}", secrets.token_hex(8)
    parts = urlsplit(server)
    servers.execute(server, f"CREATE USER {name}@'%' IDENTIFIED BY '{word}'")
    try:
        with_port = f"{parts.hostname}:{parts.port or 3306}"
        url = f"mysql://{name}:{word}@{with_port}/"
        try:
            servers.execute(url, "SELECT 1")
        except Exception as error:  # noqa: BLE001 the driver's own class
            pytest.skip(f"mysql: no user of another name is let in ({error})")
        connections["scratch"].close()
        connections["scratch"].settings_dict.update(NAME="", USER=name, PASSWORD=word)
        yield name
    finally:
        servers.execute(server, f"DROP USER {name}@'%'")


def test_who_may_not_make_one_is_told_which_right_is_missing(
    target: str, shop: MadeUpApp, somebody: str
) -> None:
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.steps == ()
    assert "No scratch database could be made on scratch" in found.because
    assert "`mbot\\_rehearsal\\_%`.*" in found.because


def test_the_rights_that_are_asked_for_are_enough(
    target: str, shop: MadeUpApp, somebody: str
) -> None:
    """Such a user can see no other database at all."""
    server = os.environ[servers.MYSQL]
    servers.execute(server, f"GRANT ALL ON `mbot\\_rehearsal\\_%`.* TO {somebody}@'%'")
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.because == ""
    assert found.worked
    assert scratches() == set()


def test_a_server_that_is_down_is_told(
    target: str, shop: MadeUpApp, register_alias: Callable[[str, str], str], settings: Any
) -> None:
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    register_alias("down", f"mysql://root@127.0.0.1:{throwaway.free_port()}/x")
    settings.MIGRATION_BOT = {
        **settings.MIGRATION_BOT,
        "rehearsal_databases": {"target": "down"},
    }
    found = rehearsed(target, "shop")
    assert found.steps == ()
    assert "does not answer" in found.because
    assert sweep() == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {db}.shop_tag SET word = 1",
        "USE `{db}`",
        "INSERT INTO `{db}`.`shop_tag` (word) VALUES (1)",
        "SET @s = ''DELETE FROM {db}.shop_tag''",
        "CREATE TABLE own AS SELECT * FROM {db} . shop_tag",
        "DROP TABLE {db}/**/.shop_tag",
    ],
)
def test_no_statement_reaches_another_database(
    target: str, shop: MadeUpApp, statement: str
) -> None:
    """The user who rehearses may write to the target here, and does not."""
    name = connections[target].settings_dict["NAME"]
    text = statement.format(db=name).replace("''", "\\'")
    write(shop, f"migrations.RunSQL('{text}', {NOOP})")
    migrate(target, "shop", "0001")
    with connections[target].cursor() as cursor:
        cursor.execute("INSERT INTO shop_tag (word) VALUES ('kept')")
    before = dump(target)
    step = rehearsed(target, "shop").steps[0]
    assert step.outcome is Outcome.UNKNOWN, "it was not tried, so nobody knows"
    assert f"names the database {name}" in step.because
    assert dump(target) == before


@pytest.mark.parametrize(
    "statement",
    [
        "DROP DATABASE {db}",
        "ALTER DATABASE {db} CHARACTER SET latin1",
        "CREATE DATABASE mbot_stray",
        "CREATE USER mbot_stray",
        "GRANT ALL ON *.* TO mbot_stray",
        "SET GLOBAL wait_timeout = 28799",
        "SELECT 1 INTO OUTFILE ''/tmp/mbot_stray''",
    ],
)
def test_no_statement_changes_the_server(target: str, shop: MadeUpApp, statement: str) -> None:
    name = connections[target].settings_dict["NAME"]
    text = statement.format(db=name).replace("''", "\\'")
    write(shop, f"migrations.RunSQL('{text}', {NOOP})")
    migrate(target, "shop", "0001")
    before = dump(target)
    found = rehearsed(target, "shop")
    assert found.steps[0].outcome is Outcome.UNKNOWN
    assert "reaches further than one database" in found.steps[0].because
    assert any("reaches further than one database" in note for note in found.notes)
    assert "rehearsal_fails" not in {one.code for one in found.findings[0]}
    assert dump(target) == before
    server = os.environ[servers.MYSQL]
    assert not servers.execute(server, "SHOW DATABASES LIKE 'mbot_stray'")
    assert servers.execute(server, "SELECT @@GLOBAL.wait_timeout") != ((28799,),)


def test_a_table_may_be_called_as_another_database_is(
    target: str, shop: MadeUpApp, new_database: Callable[[str], str]
) -> None:
    other = urlsplit(new_database("mysql")).path.lstrip("/")
    model = (
        f"migrations.CreateModel('Same', [('id', models.AutoField(primary_key=True))],"
        f" options={{'db_table': '{other}'}}),"
    )
    write(shop, "migrations.AddField('Same', 'a', models.IntegerField(null=True))", before=model)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.worked
    assert all(probe.outcome is Outcome.WORKS for probe in found.steps[0].probes)


def test_what_fails_half_way_is_told_as_half_done(target: str, shop: MadeUpApp) -> None:
    write(
        shop,
        "migrations.AddField('Item', 'a', models.IntegerField(null=True)),"
        " migrations.RunSQL('ALTER TABLE shop_item ADD COLUMN a int', migrations.RunSQL.noop)",
    )
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    (step,) = found.steps
    assert step.outcome is Outcome.FAILS
    assert step.because == (
        "It fails half-way, and 1 statement before it stays: no transaction holds them."
    )
    assert "Duplicate column name" in step.error
    assert [one.sql.split()[0] for one in step.measured] == ["ALTER"]
    levels = {one.code: one.level for one in found.findings[0]}
    assert levels["rehearsal_fails"] is Risk.DANGEROUS
    assert scratches() == set()


def test_triggers_and_views_that_are_left_out_are_told_of(target: str, shop: MadeUpApp) -> None:
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    with connections[target].cursor() as cursor:
        cursor.execute("CREATE VIEW words AS SELECT word FROM shop_tag")
        cursor.execute(
            "CREATE TRIGGER loud BEFORE INSERT ON shop_tag FOR EACH ROW SET NEW.word = 'x'"
        )
    found = rehearsed(target, "shop")
    assert found.worked
    told = " ".join(found.notes)
    assert "The view words was left out" in told
    assert "The trigger loud was left out" in told


def test_a_foreign_key_to_another_database_is_left_out(
    target: str, shop: MadeUpApp, new_database: Callable[[str], str]
) -> None:
    """It would lock rows there."""
    elsewhere = new_database("mysql")
    other = urlsplit(elsewhere).path.lstrip("/")
    servers.execute(elsewhere, "CREATE TABLE far (id int PRIMARY KEY) ENGINE=InnoDB")
    write(shop, WIDER)
    migrate(target, "shop", "0001")
    with connections[target].cursor() as cursor:
        cursor.execute("ALTER TABLE shop_item ADD COLUMN far_id int")
        cursor.execute(
            f"ALTER TABLE shop_item ADD CONSTRAINT far FOREIGN KEY (far_id)"
            f" REFERENCES {other}.far (id)"
        )
    found = rehearsed(target, "shop")
    assert found.worked
    assert "The foreign key far of shop_item was left out" in " ".join(found.notes)
    with connections[target].cursor() as cursor:  # So that both databases can be dropped.
        cursor.execute("ALTER TABLE shop_item DROP FOREIGN KEY far")


CHILD = """
import json, os, sys, time
sys.path.insert(0, {root!r})
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django; django.setup()
import dj_database_url
from django.db import connections
from django.test import override_settings
for alias, url in json.loads({urls!r}).items():
    connections.settings[alias] = dict(dj_database_url.parse(url))
connections.configure_settings(connections.settings)
override_settings(MIGRATION_BOT={{"rehearsal_databases": {{"target": "scratch"}}}}).enable()
from bot.database.rehearsal.mysql import MySQL
from bot.database.rehearsal.vendor import Deadline
with MySQL().scratch(connections["target"], Deadline(60)) as scratch:
    with scratch.connection.cursor() as cursor:
        cursor.execute("CREATE TABLE half (a int)")
        print("ready", flush=True)
        cursor.execute("INSERT INTO half SELECT SLEEP(30)")
"""


def test_what_a_killed_rehearsal_left_is_dropped_though_its_statement_runs_on(
    target: str, shop: MadeUpApp, scratch_url: str
) -> None:
    root = str(Path(__file__).parents[3])
    urls = json.dumps({"target": scratch_url, "scratch": os.environ[servers.MYSQL]})
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(root=root, urls=urls)],
        stdout=subprocess.PIPE,
        text=True,
    )
    CHILDREN.append(child.pid)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    (left,) = scratches()
    assert left not in sweep()  # Its maker lives.
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert scratches() == {left}
    assert left in sweep()
    assert scratches() == set()


def test_what_another_machine_uses_is_not_dropped_whatever_its_clock_says(
    target: str, shop: MadeUpApp
) -> None:
    """Nor by a user who cannot see the sessions of others."""
    server = mysql_server._server("scratch")
    name = f"{PREFIX}20260101t000000_ffffffff_1_00000000_{secrets.token_hex(3)}"
    now = datetime.now(UTC) - timedelta(hours=2)
    name = name.replace("20260101t000000", now.strftime("%Y%m%dt%H%M%S"))
    servers.execute(os.environ[servers.MYSQL], f"CREATE DATABASE {name}")
    try:
        mysql_server._hold(server, name)
        assert name not in sweep()
        server.close()
        assert name in sweep()
    finally:
        servers.execute(os.environ[servers.MYSQL], f"DROP DATABASE IF EXISTS {name}")


def test_nothing_but_a_scratch_database_is_ever_dropped(target: str, shop: MadeUpApp) -> None:
    server = mysql_server._server("scratch")
    with pytest.raises(AssertionError, match="is no scratch database"):
        mysql_server._drop(server, connections[target].settings_dict["NAME"])
    server.close()


def test_a_session_is_like_the_targets(target: str, shop: MadeUpApp, settings: Any) -> None:
    options = connections[target].settings_dict["OPTIONS"]
    options["init_command"] = "SET sql_mode = 'ANSI_QUOTES', time_zone = '+02:00'"
    connections[target].close()
    asked = "SELECT @@sql_mode, @@time_zone, @@collation_database"
    with connections[target].cursor() as cursor:
        cursor.execute(asked)
        wanted = cursor.fetchone()
    with MySQL().scratch(connections[target], Deadline(30)) as scratch:
        with scratch.connection.cursor() as cursor:
            cursor.execute(asked)
            assert cursor.fetchone() == wanted
        scratch.connection.close()
        with scratch.connection.cursor() as cursor:  # A migration may close it.
            cursor.execute(asked)
            assert cursor.fetchone() == wanted


def test_a_statement_is_broken_off_when_the_time_is_up(
    target: str, shop: MadeUpApp, settings: Any
) -> None:
    write(shop, f"migrations.RunSQL('INSERT INTO shop_tag (word) SELECT SLEEP(60)', {NOOP})")
    migrate(target, "shop", "0001")
    connections[target].ensure_connection()
    if not connections[target].mysql_is_mariadb:  # type: ignore[attr-defined]
        pytest.skip("MySQL has no time limit for such a statement")
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_timeout": 12.0}
    found = rehearsed(target, "shop")
    assert all(step.outcome is Outcome.UNKNOWN for step in found.steps)
    assert "given up after 12 s" in " ".join(found.notes)
    assert scratches() == set()
