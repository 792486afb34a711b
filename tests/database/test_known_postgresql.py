"""What PostgreSQL's catalogue tells of the things that a plan's own SQL names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database import known_postgresql, squawk
from tests.database.migrating import installed, migrate
from tests.database.planning import ID, plan, source

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
MODEL = (
    f"migrations.CreateModel('Order', [{ID}, ('total', models.IntegerField()),"
    " ('name', models.CharField(max_length=20))])"
)
HAND = """
CREATE DOMAIN shop_plain AS integer;
CREATE DOMAIN shop_checked AS integer CHECK (VALUE > 0);
CREATE DOMAIN shop_nested AS shop_checked;
CREATE TYPE shop_kind AS ENUM ('a', 'b');
CREATE FUNCTION shop_steady() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION shop_dice() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE INDEX shop_total ON shop_order (total);
ALTER TABLE shop_order ADD COLUMN kind shop_kind, ADD COLUMN many shop_plain,
    ADD COLUMN seen timestamp;
CREATE SCHEMA archive; CREATE TABLE archive.sale (id int);
CREATE TABLE shop_log (at date) PARTITION BY RANGE (at);
CREATE TABLE shop_rest PARTITION OF shop_log DEFAULT;
"""


@pytest.fixture
def codes(target: str, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Any]:
    """The codes of the findings of a migration of these statements."""
    monkeypatch.setattr(squawk, "find", lambda: None)
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write({"0001_initial": source(MODEL)})
        migrate(target, "shop", "0001")
        with connections[target].cursor() as cursor:
            cursor.execute(HAND)

        def found(*statements: str) -> set[str]:
            sql = f"migrations.RunSQL({list(statements)!r}, migrations.RunSQL.noop)"
            apps["shop"].write({"0002_sql": source(sql, after=(("shop", "0001_initial"),))})
            return {finding.code for finding in plan(target, "shop").steps[-1].findings}

        yield found


@pytest.mark.parametrize(
    ("sql", "code", "is_found"),
    [
        ("ALTER TABLE shop_order ADD COLUMN a shop_plain", "rewrites_table", False),
        ("ALTER TABLE shop_order ADD COLUMN a shop_checked", "rewrites_table", True),
        ("ALTER TABLE shop_order ADD COLUMN a shop_nested", "rewrites_table", True),
        ("ALTER TABLE shop_order ADD COLUMN a int DEFAULT shop_steady()", "rewrites_table", False),
        ("ALTER TABLE shop_order ADD COLUMN a int DEFAULT shop_dice()", "rewrites_table", True),
        ("ALTER TABLE shop_order ALTER name TYPE varchar(50)", "rewrites_table", False),
        ("ALTER TABLE shop_order ALTER name TYPE varchar(10)", "rewrites_table", True),
        ("ALTER TABLE shop_order ALTER seen TYPE timestamptz", "rewrites_table", False),
        ("ALTER TABLE shop_order ALTER total TYPE integer", "rewrites_table", False),
        ("ALTER TABLE shop_order ALTER id DROP IDENTITY", "insert_breaks", True),
        ("ALTER TABLE shop_order ALTER seen DROP DEFAULT", "insert_breaks", False),
        ("ALTER DOMAIN shop_plain ADD CHECK (VALUE > 0)", "scans_under_lock", True),
        ("ALTER DOMAIN shop_checked ADD CHECK (VALUE > 1)", "scans_under_lock", False),
        ("DROP TYPE shop_kind CASCADE", "loses_data", True),
        ("DROP SCHEMA archive CASCADE", "loses_data", True),
        ("DROP INDEX shop_total", "brief_lock", True),
        ("CREATE TABLE a PARTITION OF shop_log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
         "scans_under_lock", True),
        ("CREATE TABLE shop_order (id int)", "name_taken", True),
    ],
)  # fmt: skip
def test_a_plan_of_sql_knows_what_the_catalogue_knows(
    codes: Any, sql: str, code: str, is_found: bool
) -> None:
    assert (code in codes(sql)) is is_found


def test_a_plan_that_names_none_of_it_asks_for_none_of_it(
    codes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    original = known_postgresql.known

    def watched(ask: Any, steps: Any, zone: str) -> Any:
        def told(sql: str, given: Any) -> Any:
            asked.append(sql)
            return ask(sql, given)

        return original(told, steps, zone)

    monkeypatch.setattr("bot.database.sizes.known", watched)
    codes("ALTER TABLE shop_order ADD COLUMN a integer DEFAULT 1")
    assert asked == []
