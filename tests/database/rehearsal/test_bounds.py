"""A rehearsal takes nobody's approval, so nothing of it reaches further than its own database."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections

from bot.database.rehearsal import postgresql_binaries
from bot.database.rehearsal.bounds import Bounds
from bot.database.rehearsal.postgresql import PostgreSQL
from bot.database.rehearsal.vendor import Deadline
from bot.route.rehearsal import Outcome
from tests import servers
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.shop import rehearsed, write

REACHES = {
    "postgresql": {
        "DROP DATABASE shop": "DROP DATABASE",
        "drop /* a */ database shop": "drop database",
        "SELECT 1; -- and\nDROP DATABASE shop": "DROP DATABASE",
        "SELECT E'\\''; DROP DATABASE shop; --'": "DROP DATABASE",
        "DO $x$ BEGIN EXECUTE 'DROP DATABASE shop'; END $x$": "DROP DATABASE",
        "ALTER SYSTEM SET fsync = off": "ALTER SYSTEM",
        "CREATE USER MAPPING FOR me SERVER x": "CREATE USER",
        "COPY shop_item TO PROGRAM 'sh'": "COPY shop_item TO PROGRAM",
        "COPY (SELECT 1) TO '/tmp/x'": "COPY (SELECT 1) TO",
        "COPY shop_item FROM '/etc/passwd'": "COPY shop_item FROM",
        "GRANT CONNECT ON DATABASE shop TO x": "GRANT CONNECT ON DATABASE",
        "GRANT admin TO x": "GRANT",
        "REASSIGN OWNED BY a TO b": "REASSIGN OWNED",
        "SET SESSION AUTHORIZATION postgres": "SESSION AUTHORIZATION",
        "SELECT dblink_exec('dbname=shop', 'x')": "dblink_exec",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity": "pg_terminate_backend",
        "SELECT pg_read_file('/etc/passwd')": "pg_read_file",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS ''": "LANGUAGE plpython3u",
    },
    "mysql": {
        "DROP SCHEMA shop": "DROP SCHEMA",
        "CREATE OR REPLACE DATABASE shop": "CREATE OR REPLACE DATABASE",
        "/*!50000 DROP DATABASE shop */": "DROP DATABASE",
        "PREPARE s FROM 'DROP DATABASE shop'": "DROP DATABASE",
        "SET @s = 'DROP DATABASE shop'": "DROP DATABASE",
        "SET SESSION a = 1, GLOBAL b = 2": "SET SESSION a = 1, GLOBAL",
        "SET @@GLOBAL.wait_timeout = 1": "SET @@GLOBAL",
        "GRANT SELECT ON shop.* TO x": "GRANT",
        "SELECT 1 INTO OUTFILE '/tmp/x'": "INTO OUTFILE",
        "LOAD DATA INFILE '/etc/passwd' INTO TABLE t": "LOAD DATA",
        "KILL 12": "KILL",
        "SELECT 1; FLUSH TABLES": "FLUSH",
    },
}
STAYS = {
    "postgresql": [
        'ALTER TABLE "shop_item" DROP COLUMN "user"',
        "INSERT INTO auth_permission (name) VALUES ('Can create user')",
        'ALTER TABLE "create user" ADD COLUMN a integer',
        "GRANT SELECT ON shop_item TO reader",
        "REVOKE ALL ON TABLE shop_item FROM PUBLIC",
        "COPY shop_item FROM STDIN",
        "COPY (SELECT a FROM shop_item) TO STDOUT",
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "CREATE EXTENSION IF NOT EXISTS pg_trgm",
        "SET ROLE owner",
        "UPDATE shop_item SET name = 'x' FROM shop_maker WHERE maker_id = shop_maker.id",
    ],
    "mysql": [
        "ALTER TABLE `shop_item` DROP COLUMN `user`",
        "INSERT INTO auth_permission (name) VALUES ('Can create user')",
        "UPDATE t SET `global` = 1",
        "SET SESSION sql_mode = 'ANSI_QUOTES'",
        "INSERT INTO t SELECT * FROM u",
        "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1",
    ],
}


@pytest.mark.parametrize(
    ("vendor", "sql", "words"),
    [(vendor, sql, words) for vendor, all_ in REACHES.items() for sql, words in all_.items()],
)
def test_what_reaches_further_is_known_by_its_words(vendor: str, sql: str, words: str) -> None:
    assert Bounds(vendor).beyond(sql) == words


@pytest.mark.parametrize(
    ("vendor", "sql"), [(vendor, sql) for vendor, all_ in STAYS.items() for sql in all_]
)
def test_what_stays_inside_is_run(vendor: str, sql: str) -> None:
    assert Bounds(vendor).beyond(sql) == ""


def with_sql(shop: MadeUpApp, target: str, *statements: str) -> None:
    steps = [f"migrations.RunSQL(SQL[{place}], '')" for place in range(len(statements))]
    write(shop, *steps, head=f"SQL = {statements!r}\n")
    migrate(target, "shop", "0001")


def in_a_cluster(settings: Any) -> None:
    if postgresql_binaries.server_folder(1) is None:
        pytest.skip("postgresql: no server programs here")
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_databases": {}}


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_targets_database_is_not_dropped_where_it_stands_beside_the_scratch_one(
    target: str, shop: MadeUpApp, new_database: Callable[[str], str]
) -> None:
    other = urlsplit(new_database("postgresql")).path.lstrip("/")
    with_sql(shop, target, f"DROP DATABASE {other}")
    found = rehearsed(target, "shop")
    assert found.steps[0].outcome is Outcome.UNKNOWN
    assert found.steps[0].because == (
        "A rehearsal does not run DROP DATABASE: it reaches further than one database."
    )
    assert "rehearsal_fails" not in {one.code for one in found.findings[0]}
    server = os.environ[servers.POSTGRES]
    assert servers.execute(server, f"SELECT 1 FROM pg_database WHERE datname = '{other}'")


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_no_sql_runs_a_program_by_way_of_a_throwaway_cluster(
    target: str, shop: MadeUpApp, settings: Any, tmp_path: Path
) -> None:
    """Not even SQL whose words are put together as it runs: its user is no superuser."""
    in_a_cluster(settings)
    trace = Path("/tmp") / f"mbot_trace_{secrets.token_hex(6)}"
    program = f"COPY (SELECT 1) TO PROGRAM ''touch {trace}''"
    text = f"DO $x$ BEGIN EXECUTE 'CO' || '{program[2:]}'; END $x$"
    with_sql(shop, target, text)
    found = rehearsed(target, "shop")
    assert not trace.exists()
    assert found.steps[0].outcome is Outcome.UNKNOWN
    assert "asks for rights that a rehearsal does not have" in found.steps[0].because


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_extensions_that_a_databases_owner_may_make_can_be_made_in_a_cluster(
    target: str, shop: MadeUpApp, settings: Any
) -> None:
    in_a_cluster(settings)
    with_sql(shop, target, "CREATE EXTENSION pg_trgm", "CREATE SCHEMA IF NOT EXISTS more")
    assert [step.outcome for step in rehearsed(target, "shop").steps] == [Outcome.WORKS] * 2


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_targets_roles_are_there_in_a_cluster_by_name(
    target: str, shop: MadeUpApp, settings: Any
) -> None:
    in_a_cluster(settings)
    role = f"mbot_{secrets.token_hex(4)} Reader"
    server = os.environ[servers.POSTGRES]
    servers.execute(server, f'CREATE ROLE "{role}"')
    try:
        with_sql(shop, target, f'GRANT SELECT ON shop_item TO "{role}"')
        with connections[target].cursor() as cursor:
            cursor.execute(f'CREATE POLICY p ON shop_tag TO "{role}" USING (true)')
        found = rehearsed(target, "shop")
        with connections[target].cursor() as cursor:
            cursor.execute("DROP POLICY p ON shop_tag")
    finally:
        servers.execute(server, f'DROP ROLE "{role}"')
    assert found.schema_from == "pg_dump", found.notes
    assert found.steps[0].outcome is Outcome.WORKS


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_role_that_is_not_there_says_nothing_of_the_migration(
    target: str, shop: MadeUpApp
) -> None:
    with_sql(shop, target, "GRANT SELECT ON shop_item TO mbot_nobody_at_all")
    (step,) = rehearsed(target, "shop").steps
    assert step.outcome is Outcome.UNKNOWN
    assert "names a role that is not there in a rehearsal" in step.because


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_the_user_of_a_cluster_is_no_superuser_once_the_schema_is_there(
    target: str, shop: MadeUpApp, settings: Any
) -> None:
    in_a_cluster(settings)
    migrate_base(shop, target)
    asked = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
    with PostgreSQL().scratch(connections[target], Deadline(60)) as scratch:
        scratch.shut()
        with scratch.connection.cursor() as cursor:
            cursor.execute(asked)
            assert cursor.fetchone() == (False,)


def migrate_base(shop: MadeUpApp, target: str) -> None:
    write(shop)
    migrate(target, "shop")
