"""Sizes from the catalogue: read-only, and what cannot be read is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database import sizes, squawk
from bot.database.planner import look_over
from bot.route.findings import Risk
from bot.route.plan import Plan, Target
from bot.route.risks.facts import Size
from tests.database.migrating import forget_migrations, installed, migrate
from tests.database.planning import ID, NOW, plan, source

MODEL = f"migrations.CreateModel('Order', [{ID}, ('total', models.IntegerField())])"
INDEX = "migrations.AddIndex('Order', models.Index(fields=['total'], name='totals'))"
CHANGE = "migrations.AlterField('Order', 'total', models.CharField(max_length=9))"


@pytest.fixture
def shop(target: str, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Any]:
    monkeypatch.setattr(squawk, "find", lambda: None)
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write(
            {
                "0001_initial": source(MODEL),
                "0002_change": source(CHANGE, after=(("shop", "0001_initial"),)),
            }
        )
        migrate(target, "shop", "0001")
        yield apps["shop"]


def fill(database: str, rows: int) -> None:
    connection = connections[database]
    table = connection.ops.quote_name("shop_order")
    with connection.cursor() as cursor:
        values = ", ".join(["(1)"] * rows)
        cursor.execute(f"INSERT INTO {table} (total) VALUES {values}")


def told(of: Plan) -> str:
    return next(f.because for f in of.steps[-1].findings if f.code == "rewrites_table")


def test_rows_and_bytes_are_those_of_the_catalogue(vendor: str, target: str, shop: Any) -> None:
    fill(target, 300)
    if vendor != "sqlite":
        with connections[target].cursor() as cursor:
            cursor.execute(
                "ANALYZE shop_order" if vendor == "postgresql" else "ANALYZE TABLE shop_order"
            )
    because = told(plan(target, "shop"))
    assert ("(at most 300 rows;" if vendor == "sqlite" else "(300 rows, ") in because


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_table_that_was_never_analysed_is_said_to_be(vendor: str, target: str, shop: Any) -> None:
    fill(target, 300)
    assert "(rows never counted by ANALYZE, " in told(plan(target, "shop"))


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_table_in_parts_is_as_large_as_its_parts(vendor: str, target: str, shop: Any) -> None:
    with connections[target].cursor() as cursor:
        cursor.execute("DROP TABLE shop_order")
        cursor.execute("CREATE TABLE shop_order (id int, total int) PARTITION BY RANGE (id)")
        for start in (0, 100):
            cursor.execute(
                f"CREATE TABLE part{start} PARTITION OF shop_order"
                f" FOR VALUES FROM ({start}) TO ({start + 100})"
            )
        cursor.execute("INSERT INTO shop_order SELECT n, n FROM generate_series(0, 199) n")
        cursor.execute("ANALYZE part0")
        assert "(rows never counted by ANALYZE, 16 kB;" in told(plan(target, "shop"))
        cursor.execute("ANALYZE shop_order")
    assert "(200 rows, 16 kB;" in told(plan(target, "shop"))


def test_a_catalogue_that_does_not_answer_leaves_the_size_unknown_and_the_plan_whole(
    vendor: str, target: str, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_POSTGRESQL", "_SQLITE_TABLES"):
        monkeypatch.setattr(sizes, name, "SELECT no_such_column FROM shop_order WHERE %s IN")
    if vendor == "mysql":
        monkeypatch.setattr(sizes._MySQL, "sizes", sizes._Reader.sizes)
    made = plan(target, "shop")
    assert "(size unknown;" in told(made)
    assert made.risk is Risk.DANGEROUS


def test_a_plan_that_takes_no_longer_for_a_large_table_asks_for_no_size(
    target: str, shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def note(reader: Any, tables: list[str]) -> dict[str, Size]:
        asked.append(tables)
        return {}

    for reader in sizes._READERS.values():
        monkeypatch.setattr(reader, "sizes", note)
    plan(target, "shop")
    assert asked == [["shop_order"]]
    adds = "migrations.AddField('Order', 'note', models.TextField(null=True))"
    shop.write({"0002_change": source(adds, after=(("shop", "0001_initial"),))})
    plan(target, "shop")
    assert len(asked) == 1


def test_who_goes_on_from_a_plan_knows_the_sizes_that_nobody_wanted_yet(
    target: str, shop: Any
) -> None:
    adds = "migrations.AddField('Order', 'note', models.TextField(null=True))"
    shop.write({"0002_change": source(adds, after=(("shop", "0001_initial"),))})
    forget_migrations()
    seen = look_over(target, Target.parse("shop"), now=NOW)
    assert seen.situation is not None
    assert "shop_order" in seen.situation.sizes


@pytest.mark.parametrize("vendor", ["postgresql", "sqlite"], indirect=True)
def test_a_name_that_is_taken_is_found(vendor: str, target: str, shop: Any) -> None:
    with connections[target].cursor() as cursor:
        cursor.execute("CREATE INDEX totals ON shop_order (id)")
    shop.write({"0002_change": source(INDEX, after=(("shop", "0001_initial"),))})
    made = plan(target, "shop")
    assert "name_taken" in {finding.code for finding in made.steps[0].findings}


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_valid_check_spares_the_scan(vendor: str, target: str, shop: Any) -> None:
    nullable = "migrations.AlterField('Order', 'total', models.IntegerField(null=True))"
    back = "migrations.AlterField('Order', 'total', models.IntegerField())"
    shop.write(
        {
            "0002_change": source(nullable, after=(("shop", "0001_initial"),)),
            "0003_back": source(back, after=(("shop", "0002_change"),)),
        }
    )
    migrate(target, "shop", "0002")
    before = {finding.code for finding in plan(target, "shop").steps[0].findings}
    with connections[target].cursor() as cursor:
        cursor.execute(
            'ALTER TABLE shop_order ADD CONSTRAINT there CHECK ("total" IS NOT NULL) NOT VALID'
        )
        unproven = {finding.code for finding in plan(target, "shop").steps[0].findings}
        cursor.execute("ALTER TABLE shop_order VALIDATE CONSTRAINT there")
    after = {finding.code for finding in plan(target, "shop").steps[0].findings}
    assert "scans_under_lock" in before & unproven
    assert "scans_under_lock" not in after
