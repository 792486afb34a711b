"""Plans of graphs that are no straight line: squashes, other orders, other models, routers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder

from bot.route.plan import Belief
from tests.database.migrating import MadeUpApp, disagreements, installed, migrate
from tests.database.planning import ID, hidden, only, plan, source, step, steps

on_one = pytest.mark.parametrize("vendor", ["sqlite"])
"""For what no vendor does in its own way."""

MAKE = f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length=9))])"
SIZE = "migrations.AddField('Item', 'size', models.IntegerField(null=True))"
UNIQUE = "migrations.AlterField('Item', 'size', models.IntegerField(null=True, unique=True))"
PLAIN = "migrations.AlterField('Item', 'size', models.IntegerField(null=True))"
ONE, TWO, THREE = (("shop", name) for name in ("0001_one", "0002_two", "0003_three"))


@pytest.fixture
def apps(tmp_path: Path, settings: Any) -> Iterator[dict[str, MadeUpApp]]:
    with installed(tmp_path, settings, "shop", "till") as made:
        yield made


def write_squashed(shop: MadeUpApp) -> None:
    shop.write(
        {
            "0001_one": source(MAKE),
            "0002_two": source(SIZE, after=(ONE,)),
            "0001_squashed_0002": source(MAKE, SIZE, extra=f"replaces = {[ONE, TWO]!r}"),
            "0003_three": source(UNIQUE, after=(TWO,)),
        }
    )


def test_a_squash_is_one_step_that_names_what_it_replaces(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    write_squashed(apps["shop"])
    made = plan(target, "shop")
    assert steps(made) == ["shop.0001_squashed_0002 forward", "shop.0003_three forward"]
    assert made.steps[0].replaces == ("shop.0001_one", "shop.0002_two")
    assert made.steps[1].replaces == ()
    assert not disagreements(made, migrate(target, "shop"))
    back = plan(target, "shop", "zero")
    assert steps(back) == ["shop.0003_three backward", "shop.0001_squashed_0002 backward"]
    assert not disagreements(back, migrate(target, "shop", "zero"))


def test_a_squash_that_is_applied_in_part_goes_on_with_what_it_replaces(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    apps["shop"].write({"0001_one": source(MAKE)})
    migrate(target, "shop")
    write_squashed(apps["shop"])
    made = plan(target, "shop")
    assert steps(made) == ["shop.0002_two forward", "shop.0003_three forward"]
    assert hidden(made) == []
    assert steps(plan(target, "shop", "0001_squashed_0002")) == ["shop.0002_two forward"]
    assert not disagreements(made, migrate(target, "shop"))


def test_a_squash_whose_parts_are_all_applied_is_done(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    shop = apps["shop"]
    shop.write({"0001_one": source(MAKE), "0002_two": source(SIZE, after=(ONE,))})
    migrate(target, "shop")
    write_squashed(shop)
    made = plan(target, "shop")
    assert steps(made) == ["shop.0003_three forward"]
    assert not disagreements(made, migrate(target, "shop"))


def test_undoing_to_a_replaced_migration_undoes_the_parts(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    write_squashed(apps["shop"])
    migrate(target, "shop")
    back = plan(target, "shop", "0001_one")
    assert steps(back) == ["shop.0003_three backward", "shop.0002_two backward"]
    assert hidden(back) == []
    assert not disagreements(back, migrate(target, "shop", "0001_one"))


def test_run_before_decides_the_order(target: str, apps: dict[str, MadeUpApp]) -> None:
    apps["shop"].write({"0001_one": source(MAKE), "0002_two": source(SIZE, after=(ONE,))})
    first = source("migrations.RunSQL('SELECT 1', 'SELECT 2')", extra=f"run_before = [{ONE!r}]")
    apps["till"].write({"0001_before": first})
    made = plan(target, "shop")
    assert steps(made) == [
        "till.0001_before forward",
        "shop.0001_one forward",
        "shop.0002_two forward",
    ]
    assert not disagreements(made, migrate(target, "shop"))


def write_swappable(apps: dict[str, MadeUpApp]) -> None:
    head = "from django.conf import settings"
    number = f"[{ID}, ('number', models.IntegerField())]"
    customer = f"migrations.CreateModel('Customer', {number}, options={{'swappable': 'CUSTOMER'}})"
    order = (
        f"migrations.CreateModel('Order', [{ID},"
        " ('customer', models.ForeignKey(settings.CUSTOMER, models.CASCADE))])"
    )
    apps["till"].write({"0001_person": source(f"migrations.CreateModel('Person', {number})")})
    depends = "dependencies += [migrations.swappable_dependency(settings.CUSTOMER)]"
    apps["shop"].write(
        {
            "0001_one": source(customer),
            "0002_two": source(order, after=(ONE,), extra=depends, head=head),
        }
    )


@pytest.mark.parametrize(
    ("customer", "table"), [("shop.Customer", "shop_customer"), ("till.Person", "till_person")]
)
def test_a_swapped_model_has_no_table_and_what_refers_to_it_refers_to_the_other(
    target: str, apps: dict[str, MadeUpApp], settings: Any, customer: str, table: str
) -> None:
    settings.CUSTOMER = customer
    write_swappable(apps)
    made = plan(target, "shop")
    assert hidden(made) == []
    assert bool(step(made, "0001_one").statements) is (table == "shop_customer")
    assert any(table in s.sql for s in step(made, "0002_two").statements)
    assert not disagreements(made, migrate(target, "shop"))


class Router:
    """Lets the model Archive, and what is hinted so, only onto the alias "archive"."""

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool | None:
        if hints.get("broken"):
            raise LookupError("no such region")
        if model_name == "archive" or "archive" in hints:
            return db == "archive"
        return None


@pytest.fixture
def routed(
    vendor: str,
    target: str,
    new_database: Callable[[str], str],
    register_alias: Callable[[str, str], str],
    apps: dict[str, MadeUpApp],
    settings: Any,
) -> str:
    """A second database, and a router between both; its alias."""
    settings.DATABASE_ROUTERS = [Router()]
    archive = register_alias("archive", new_database(vendor))
    hints = "hints={'archive': True}"
    apps["shop"].write(
        {
            "0001_one": source(
                MAKE,
                f"migrations.CreateModel('Archive', [{ID}])",
                "migrations.AddField('Archive', 'at', models.DateField(null=True))",
                f"migrations.RunSQL('SELECT 5', 'SELECT 6', {hints})",
                f"migrations.RunPython(later, later, {hints})",
            )
        }
    )
    return archive


def test_operations_that_a_router_skips_have_no_statements(target: str, routed: str) -> None:
    here, there = plan(target, "shop"), plan(routed, "shop")
    assert [bool(one.statements) for one in here.steps[0].operations] == [True] + [False] * 4
    assert all(one.statements for one in there.steps[0].operations)
    assert here.fingerprint != there.fingerprint
    assert not disagreements(here, migrate(target, "shop"))
    back = plan(target, "shop", "zero")
    assert not disagreements(back, migrate(target, "shop", "zero"))


@on_one
def test_a_router_that_fails_is_told_and_stops_no_plan(
    target: str, apps: dict[str, MadeUpApp], settings: Any
) -> None:
    settings.DATABASE_ROUTERS = [Router()]
    hints = "hints={'broken': True}"
    operations = (
        f"migrations.RunPython(later, {hints})",
        f"migrations.RunSQL('SELECT 1', {hints})",
    )
    apps["shop"].write({"0001_one": source(*operations, MAKE)})
    *failed, make = plan(target, "shop").steps[0].operations
    for operation in failed:
        told = only(operation.statements)
        assert told.belief is Belief.HIDDEN
        assert "no such region" in told.note
    assert make.statements[0].sql.startswith("CREATE TABLE")


def test_a_model_is_as_all_that_is_applied_has_made_it_not_only_what_a_step_depends_on(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    wide = "migrations.AlterField('Person', 'id', models.BigAutoField(primary_key=True))"
    table = "migrations.AlterModelTable('Person', 'people')"
    apps["till"].write(
        {
            "0001_person": source(f"migrations.CreateModel('Person', [{ID}])"),
            "0002_wide": source(wide, table, after=(("till", "0001_person"),)),
        }
    )
    apps["shop"].write({"0001_one": source(MAKE)})
    migrate(target)
    link = "migrations.AddField('Item', 'by', models.ForeignKey('till.Person', models.CASCADE, "
    depends = (ONE, ("till", "0001_person"))
    apps["shop"].write({"0002_two": source(f"{link}null=True))", after=depends)})
    made = plan(target, "shop")
    assert any("people" in s.sql for s in made.steps[0].statements)
    assert not disagreements(made, migrate(target, "shop"))


def test_a_column_may_rest_on_other_columns_and_on_a_parents_key(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    child = (
        "migrations.CreateModel('Child', [('item_ptr', models.OneToOneField('shop.Item',"
        " models.CASCADE, auto_created=True, parent_link=True, primary_key=True,"
        " serialize=False))], bases=('shop.item',))"
    )
    twice = (
        "migrations.AddField('Item', 'twice', models.GeneratedField(expression=F('size') * 2,"
        " output_field=models.IntegerField(), db_persist=True))"
    )
    link = (
        "migrations.AddField('Other', 'by',"
        " models.ForeignKey('shop.Child', models.CASCADE, null=True))"
    )
    other = f"migrations.CreateModel('Other', [{ID}])"
    gone = ("migrations.RemoveField('Item', 'twice')", "migrations.RemoveField('Other', 'by')")
    apps["shop"].write(
        {
            "0001_one": source(MAKE, SIZE, child, other),
            "0002_two": source(twice, link, after=(ONE,)),
            "0003_three": source(*gone, after=(TWO,)),
        }
    )
    for name in ("0001_one", "0002_two", "0003_three", "0001_one"):
        made = plan(target, "shop", name)
        assert [*hidden(made), *disagreements(made, migrate(target, "shop", name))] == []


@on_one
def test_progress_is_told_after_each_step_and_never_goes_back(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    # The second step looks at a model it does not depend on, so all is gone through again.
    apps["till"].write({"0001_other": source(f"migrations.CreateModel('Other', [{ID}])")})
    migrate(target, "till")
    link = "migrations.AddField('Item', 'o', models.ForeignKey('till.Other', models.CASCADE))"
    apps["shop"].write({"0001_one": source(MAKE), "0002_two": source(link, after=(ONE,))})
    told: list[tuple[int, int, str]] = []
    made = plan(target, "shop", progress=lambda *words: told.append(words))
    assert told == [(1, 2, "shop.0001_one"), (2, 2, "shop.0002_two")]
    assert hidden(made) == []


@on_one
def test_a_recorded_migration_that_is_gone_from_disk_disturbs_nothing(
    target: str, apps: dict[str, MadeUpApp]
) -> None:
    apps["shop"].write({"0001_one": source(MAKE)})
    recorder = MigrationRecorder(connections[target])
    recorder.record_applied("shop", "0000_gone")
    assert steps(plan(target, "shop")) == ["shop.0001_one forward"]
