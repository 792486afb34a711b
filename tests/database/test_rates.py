"""A plan says a range in seconds from what runs here recorded, and is made without it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database import squawk
from bot.models import RecordedWork
from bot.route.plan import Plan
from tests.database.migrating import installed, migrate
from tests.database.planning import ID, plan, source
from tests.plans import NOW

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True),
]

MODEL = f"migrations.CreateModel('Order', [{ID}, ('total', models.IntegerField())])"
INDEX = "migrations.AddIndex('Order', models.Index(fields=['total'], name='totals'))"


@pytest.fixture
def shop(target: str, tmp_path: Path, settings: Any, monkeypatch: Any) -> Iterator[Any]:
    """A shop with 2,000 orders that are counted, and an index pending."""
    monkeypatch.setattr(squawk, "find", lambda: None)
    with installed(tmp_path, settings, "shop") as apps:
        first = ("shop", "0001_initial")
        apps["shop"].write({first[1]: source(MODEL), "0002_more": source(INDEX, after=(first,))})
        migrate(target, "shop", "0001")
        with connections[target].cursor() as cursor:
            values = ", ".join(["(1)"] * 2_000)
            cursor.execute(f"INSERT INTO shop_order (total) VALUES {values}")
            word = "TABLE" if connections[target].vendor == "mysql" else ""
            cursor.execute(f"ANALYZE {word} shop_order")
        yield apps["shop"]


def record(vendor: str, *, kind: str = "index", rows: int = 10_000, times: int = 3) -> None:
    for number in range(times):
        RecordedWork.objects.create(
            vendor=vendor,
            database="target",
            kind=kind,
            table="elsewhere",
            rows=rows,
            milliseconds=20_000 + 10_000 * number,
            run=number,
            step=f"shop.{kind}_{rows}",
            at=NOW,
        )


def told(made: Plan) -> str:
    (step,) = made.steps
    return " ".join(finding.because for finding in step.findings)


def test_three_recorded_runs_of_the_same_kind_give_a_range(
    vendor: str, target: str, shop: Any
) -> None:
    record(vendor)
    # 2 to 4 ms a row; a range for about 2,000 rows: 1.6 to 11.4 s.
    made = plan(target, "shop")
    assert "1 to 12 s, by 3 recorded runs here" in told(made)
    (work,) = made.steps[0].works
    assert (work.kind, work.table) == ("index", "shop_order")
    assert work.rows is not None
    assert abs(work.rows - 2_000) < 100


def test_other_vendors_kinds_and_small_tables_give_none(
    vendor: str, target: str, shop: Any
) -> None:
    record("sqlite")
    record(vendor, kind="scan")
    record(vendor, rows=999)
    assert "recorded" not in told(plan(target, "shop"))


def test_a_state_database_that_is_not_set_up_leaves_a_plan_without_a_range(
    vendor: str,
    target: str,
    shop: Any,
    settings: Any,
    new_database: Callable[[str], str],
    register_alias: Callable[[str, str], str],
) -> None:
    settings.MIGRATION_BOT = {"state_database": register_alias("state", new_database(vendor))}
    made = plan(target, "shop")
    assert made.steps[0].works
    assert "recorded" not in told(made)


def test_own_tables_in_the_planned_database_that_are_missing_do_not_spoil_what_comes_after(
    vendor: str, target: str, shop: Any, settings: Any
) -> None:
    settings.MIGRATION_BOT = {"state_database": target, "databases": [target]}
    made = plan(target, "shop")
    assert made.steps[0].works
    assert "recorded" not in told(made)


def test_a_state_database_that_is_down_leaves_a_plan_without_a_range(
    vendor: str,
    target: str,
    shop: Any,
    settings: Any,
    register_alias: Callable[[str, str], str],
) -> None:
    nobody = {"postgresql": "postgres://x@127.0.0.1:1/x", "mysql": "mysql://x@127.0.0.1:1/x"}
    settings.MIGRATION_BOT = {"state_database": register_alias("state", nobody[vendor])}
    made = plan(target, "shop")
    assert made.steps[0].works
    assert "recorded" not in told(made)
