"""What only PostgreSQL has: indexes built alongside, constraints not yet valid, extensions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction

from bot.route.plan import Belief
from tests.database.migrating import MadeUpApp, disagreements, installed, migrate
from tests.database.planning import ID, hidden, only, plan, source, step

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])

HEAD = """
from django.contrib.postgres.operations import (
    AddConstraintNotValid, AddIndexConcurrently, BtreeGistExtension, CreateCollation,
    HStoreExtension, RemoveCollation, RemoveIndexConcurrently, ValidateConstraint)
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.constraints import ExclusionConstraint
"""
MAKE = (
    f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length=9)),"
    " ('size', models.IntegerField(default=1, db_index=True))])"
)
INDEX = "models.Index(fields=['name', 'size'], name='shop_item_name_size')"
POSITIVE = "models.CheckConstraint(condition=Q(size__gt=0), name='shop_item_positive')"
STEPS = {
    "0002_index": f"AddIndexConcurrently('Item', {INDEX})",
    "0003_no_index": "RemoveIndexConcurrently('Item', 'shop_item_name_size')",
    "0004_not_valid": f"AddConstraintNotValid('Item', {POSITIVE})",
    "0005_valid": "ValidateConstraint('Item', 'shop_item_positive')",
    "0006_extensions": "BtreeGistExtension(), HStoreExtension()",
    "0007_collation": "CreateCollation('shop_german', 'de-x-icu', provider='icu')",
    "0008_exclusion": (
        "migrations.AddConstraint('Item', ExclusionConstraint(name='shop_item_apart',"
        " expressions=[('size', '='), ('name', '<>')]))"
    ),
    "0009_no_collation": "RemoveCollation('shop_german', 'de-x-icu', provider='icu')",
}
CONCURRENT = ("0002_index", "0003_no_index")


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Iterator[MadeUpApp]:
    with installed(tmp_path, settings, "shop", others=("django.contrib.postgres",)) as made:
        sources, after = {"0001_one": source(MAKE)}, "0001_one"
        for name, operations in STEPS.items():
            extra = "atomic = False" if name in CONCURRENT else ""
            sources[name] = source(operations, after=(("shop", after),), extra=extra, head=HEAD)
            after = name
        made["shop"].write(sources)
        yield made["shop"]


def test_a_plan_of_them_is_what_django_sends(target: str, shop: MadeUpApp) -> None:
    made = plan(target, "shop")
    assert hidden(made) == []
    assert not disagreements(made, migrate(target, "shop"))
    back = plan(target, "shop", "zero")
    assert hidden(back) == []
    assert not disagreements(back, migrate(target, "shop", "zero"))


def test_each_alone_is_what_django_sends(target: str, shop: MadeUpApp) -> None:
    for name in ("0001_one", *STEPS):
        made = plan(target, "shop", name)
        assert [*hidden(made), *disagreements(made, migrate(target, "shop", name))] == []
    names = ["0001_one", *STEPS]
    for before in reversed(names[:-1]):
        made = plan(target, "shop", before)
        assert [*hidden(made), *disagreements(made, migrate(target, "shop", before))] == []


def test_an_index_built_alongside_is_planned_inside_the_callers_transaction(
    target: str, shop: MadeUpApp
) -> None:
    with transaction.atomic(using=target):
        made = plan(target, "shop", "0002")
    concurrent = step(made, "0002_index")
    assert only(concurrent.statements).sql.startswith("CREATE INDEX CONCURRENTLY")
    assert only(concurrent.statements).belief is Belief.EXACT
    assert not concurrent.atomic
    assert step(made, "0001_one").atomic


def test_a_concurrent_index_in_an_atomic_migration_is_shown_all_the_same(
    target: str, shop: MadeUpApp
) -> None:
    """It is for the findings to say that it will fail; the plan shows what it would send."""
    shop.write(
        {"0002_index": source(STEPS["0002_index"], after=(("shop", "0001_one"),), head=HEAD)}
    )
    concurrent = step(plan(target, "shop", "0002"), "0002_index")
    assert concurrent.atomic
    assert only(concurrent.statements).sql.startswith("CREATE INDEX CONCURRENTLY")


def test_an_extension_that_is_there_already_needs_no_statement(
    target: str, shop: MadeUpApp
) -> None:
    with connections[target].cursor() as cursor:
        cursor.execute("CREATE EXTENSION hstore")
    made = plan(target, "shop", "0006")
    shown = [s.sql for s in step(made, "0006_extensions").statements]
    assert shown == ['CREATE EXTENSION IF NOT EXISTS "btree_gist"']
