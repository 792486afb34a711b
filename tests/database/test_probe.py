"""The situations in which people find a database after a run was killed, one by one.

What is cut off here runs without a transaction around it: on MariaDB always, on PostgreSQL and
SQLite by ``atomic = False``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database.probe import Probed, probe
from bot.route.plan import Plan
from bot.route.telling import left
from bot.route.traces import Left, Shown
from tests.database.cutting import cut_off
from tests.database.migrating import MadeUpApp, forget_migrations, installed, migrate
from tests.database.planning import ID, plan, source

DONE, NOT, HALF, UNTOLD, IDLE = (
    Shown.DONE,
    Shown.NOT_DONE,
    Shown.HALF,
    Shown.UNTOLD,
    Shown.NOTHING,
)
ALL = ("sqlite", "postgresql", "mysql")
SERVERS = ("postgresql", "mysql")

TAG = f"migrations.CreateModel('Tag', [{ID}, ('word', models.CharField(max_length=9))])"
ITEM = (
    f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length=40)),"
    " ('size', models.IntegerField(null=True)), ('tags', models.ManyToManyField('shop.Tag'))])"
)
HEAD = """
def rows(apps, schema_editor):
    alias = schema_editor.connection.alias
    apps.get_model('shop', 'Item').objects.using(alias).create(name='one more')
class Own(migrations.operations.base.Operation):
    reversible = True
    def state_forwards(self, app_label, state): pass
    def database_forwards(self, *args): pass
    def database_backwards(self, *args): pass
"""
PRICE = "migrations.AddField('item', 'price', models.IntegerField(null=True))"
COST = "migrations.AddField('item', 'cost', models.IntegerField(null=True))"
RATE = "migrations.AddField('item', 'rate', models.IntegerField(default=3))"
INDEX = "migrations.AddIndex('item', models.Index(fields=['name'], name='by_name'))"
PYTHON = "migrations.RunPython(rows, migrations.RunPython.noop)"
CHECK = (
    "migrations.AddConstraint('item',"
    " models.CheckConstraint(condition=Q(size__gt=0), name='size_positive'))"
)
ONCE = (
    "migrations.AddConstraint('item', models.UniqueConstraint(fields=['name'], name='name_once'))"
)
BOX = (
    f"migrations.CreateModel('Box', [{ID}, ('item', models.ForeignKey('shop.Item', CASCADE)),"
    " ('tags', models.ManyToManyField('shop.Tag'))])"
)
LONG = "migrations.AlterField('item', 'name', models.CharField(max_length=80))"
BIG = "migrations.AlterField('item', 'size', models.BigIntegerField(null=True))"
FILLED = "migrations.AlterField('item', 'size', models.IntegerField(default=4))"
APART = f"migrations.SeparateDatabaseAndState([{PRICE}, {COST}], [{PRICE}, {COST}])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A step of ``operations`` that was cut off before the statement with the text ``before``.

    None: before its record. ``shows`` is what is told of each operation, in the order of running,
    ``words`` must be among it.
    """

    operations: tuple[str, ...]
    before: str | None
    shows: tuple[Shown, ...]
    is_left: Left
    words: tuple[str, ...] = ()
    backward: bool = False
    vendors: tuple[str, ...] = ALL


SITUATIONS = {
    "nothing was sent": Situation(
        operations=(PRICE, INDEX), before="price", shows=(NOT, NOT), is_left=Left.NOTHING
    ),
    "everything was sent": Situation(
        operations=(PRICE, INDEX, BOX), before=None, shows=(DONE,) * 3, is_left=Left.ALL
    ),
    "one operation of two": Situation(
        operations=(PRICE, COST), before="cost", shows=(DONE, NOT), is_left=Left.PART
    ),
    "a table without its foreign key": Situation(
        operations=(BOX,),
        before="add constraint",
        shows=(HALF,),
        is_left=Left.PART,
        words=("table shop_box is there", "the foreign key of item_id in shop_box is not there"),
        vendors=("mysql",),
    ),
    "a table without its index": Situation(
        operations=(BOX,),
        before="create index",
        shows=(HALF,),
        is_left=Left.PART,
        words=("an index on item_id of shop_box is not there",),
        vendors=("sqlite", "postgresql"),
    ),
    "a table without that of its many-to-many field": Situation(
        operations=(BOX,),
        before="shop_box_tags",
        shows=(HALF,),
        is_left=Left.PART,
        words=("table shop_box is there", "table shop_box_tags is not there"),
    ),
    "a column that still has the default that filled it": Situation(
        operations=(RATE,),
        before="drop default",
        shows=(HALF,),
        is_left=Left.PART,
        words=("column rate of shop_item is there, but with a default in the database",),
        vendors=SERVERS,
    ),
    "a type that has changed and one that has not": Situation(
        operations=(LONG, BIG), before="bigint", shows=(DONE, NOT), is_left=Left.PART
    ),
    "a column that is filled and may still be null": Situation(
        operations=(FILLED,),
        before="update",
        shows=(HALF,),
        is_left=Left.PART,
        words=("column size of shop_item is nullable", "with a default in the database"),
        vendors=SERVERS,
    ),
    "a field that was renamed": Situation(
        operations=("migrations.RenameField('item', 'name', 'title')", PRICE),
        before="price",
        shows=(DONE, NOT),
        is_left=Left.PART,
    ),
    "a model that was renamed in part": Situation(
        operations=("migrations.RenameModel('Item', 'Thing')",),
        before="shop_thing_tags",
        shows=(HALF,),
        is_left=Left.PART,
        words=("table shop_thing is there", "table shop_thing_tags is not there"),
    ),
    "a model that was deleted": Situation(
        operations=("migrations.DeleteModel('Item')", "migrations.DeleteModel('Tag')"),
        before="drop table `shop_tag`",
        shows=(DONE, NOT),
        is_left=Left.PART,
        vendors=("mysql",),
    ),
    "constraints": Situation(
        operations=(CHECK, ONCE), before="name_once", shows=(DONE, NOT), is_left=Left.PART
    ),
    "a column that went": Situation(
        operations=("migrations.RemoveField('item', 'size')", INDEX),
        before="by_name",
        shows=(DONE, NOT),
        is_left=Left.PART,
    ),
    "python that may have run": Situation(
        operations=(PYTHON, PRICE),
        before="price",
        shows=(UNTOLD, NOT),
        is_left=Left.UNTOLD,
        words=("what Python does leaves no trace in the catalogue: rows in ",),
    ),
    "python that may have run to its end": Situation(
        operations=(PRICE, PYTHON),
        before="insert into",
        shows=(DONE, UNTOLD),
        is_left=Left.UNTOLD,
    ),
    "python that cannot have begun": Situation(
        operations=(PRICE, PYTHON), before="price", shows=(NOT, NOT), is_left=Left.NOTHING
    ),
    "python with something done after it": Situation(
        operations=(PYTHON, PRICE),
        before=None,
        shows=(UNTOLD, DONE),
        is_left=Left.UNTOLD,
        words=("what comes after it is done, so it seems to have ended",),
    ),
    "sql of its own": Situation(
        operations=("migrations.RunSQL('UPDATE shop_item SET size = 1', '')",),
        before=None,
        shows=(UNTOLD,),
        is_left=Left.UNTOLD,
    ),
    "an operation of its own": Situation(
        operations=("Own()", PRICE), before="price", shows=(UNTOLD, NOT), is_left=Left.UNTOLD
    ),
    "the state alone": Situation(
        operations=("migrations.AlterModelOptions('item', {'ordering': ['name']})",),
        before=None,
        shows=(IDLE,),
        is_left=Left.NOTHING,
    ),
    "operations apart from the state": Situation(
        operations=(APART,), before="cost", shows=(DONE, NOT), is_left=Left.PART
    ),
    "a comment": Situation(
        operations=("migrations.AlterModelTableComment('item', 'sold')", PRICE),
        before="price",
        shows=(DONE, NOT),
        is_left=Left.PART,
        vendors=SERVERS,
    ),
    "a column made and renamed in one step": Situation(
        operations=(PRICE, "migrations.RenameField('item', 'price', 'cost')", INDEX),
        before="by_name",
        shows=(DONE, DONE, NOT),
        is_left=Left.PART,
    ),
    "a table that SQLite has dropped and not yet named anew": Situation(
        operations=(FILLED,),
        before="rename to",
        shows=(HALF,),
        is_left=Left.PART,
        words=("table new__shop_item", "table shop_item is gone"),
        vendors=("sqlite",),
    ),
    "undone, nothing": Situation(
        operations=(PRICE, INDEX),
        before="by_name",
        shows=(NOT, NOT),
        is_left=Left.NOTHING,
        backward=True,
    ),
    "undone, one of two": Situation(
        operations=(INDEX, PRICE, CHECK),
        before="by_name",
        shows=(DONE, DONE, NOT),
        is_left=Left.PART,
        backward=True,
        vendors=SERVERS,
    ),
    "undone, everything": Situation(
        operations=(PRICE, BOX, APART.replace("price", "more").replace("cost", "less")),
        before=None,
        shows=(DONE,) * 4,
        is_left=Left.ALL,
        backward=True,
    ),
    "undone, python last": Situation(
        operations=("migrations.RunPython(migrations.RunPython.noop, rows)", PRICE),
        before="insert into",
        shows=(DONE, UNTOLD),
        is_left=Left.UNTOLD,
        backward=True,
    ),
}


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Iterator[MadeUpApp]:
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write({"0001_first": source(TAG, ITEM)})
        yield apps["shop"]


def second(
    shop: MadeUpApp, *operations: str, extra: str = "atomic = False", head: str = ""
) -> None:
    """Write the step that is cut off."""
    after = (("shop", "0001_first"),)
    made = source(*operations, after=after, extra=extra, head=f"{head}{HEAD}")
    shop.write({"0002_second": made})


def cut(target: str, before: str | None, *, backward: bool = False) -> tuple[Plan, Probed]:
    """Plan the second step, cut it off, and look."""
    migrate(target, "shop", "0002" if backward else "0001")
    to = "0001" if backward else "0002"
    made = plan(target, "shop", to)
    assert [step.name for step in made.steps] == ["0002_second"]
    cut_off(target, "shop", to, before=before)
    return made, probe(target, made, made.steps[0])


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_is_there_is_told(target: str, vendor: str, shop: MadeUpApp, name: str) -> None:
    situation = SITUATIONS[name]
    if vendor not in situation.vendors:
        return
    second(shop, *situation.operations)
    _, probed = cut(target, situation.before, backward=situation.backward)
    lines = "\n".join(one.line for one in probed.told)
    assert tuple(one.shown for one in probed.told) == situation.shows, lines
    assert left(probed.told) is situation.is_left
    for words in situation.words:
        assert words in lines


# PostgreSQL's indexes, made and dropped concurrently

CONCURRENTLY = (
    "django.contrib.postgres.operations.AddIndexConcurrently('item',"
    " models.Index(fields=['name'], name='by_name'))"
)
DROPPED = "django.contrib.postgres.operations.RemoveIndexConcurrently('item', 'by_name')"
POSTGRES = "import django.contrib.postgres.operations\n"


def left_invalid(target: str) -> None:
    """Mark the index as CREATE INDEX CONCURRENTLY leaves it when it is cancelled."""
    with connections[target].cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'by_name'::regclass"
        )


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_an_invalid_index_is_told_by_its_name_and_what_is_left_without_it(
    target: str, shop: MadeUpApp
) -> None:
    second(shop, PRICE, CONCURRENTLY, head=POSTGRES)
    made, probed = cut(target, None)
    assert left(probed.told) is Left.ALL, "after kill -9 the server finishes a valid index"
    left_invalid(target)
    price, index = probe(target, made, made.steps[0]).told
    assert price.shown is DONE
    assert (index.shown, index.invalid, index.once_dropped) == (HALF, ("by_name",), NOT)
    assert index.because == "index by_name is there, but invalid"


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_an_invalid_index_that_was_to_go_is_all_that_is_left_of_it(
    target: str, shop: MadeUpApp
) -> None:
    shop.write({"0001_first": source(TAG, ITEM, INDEX)})
    second(shop, DROPPED, head=POSTGRES)
    made, _ = cut(target, "drop index")
    left_invalid(target)
    (index,) = probe(target, made, made.steps[0]).told
    assert (index.shown, index.invalid, index.once_dropped) == (HALF, ("by_name",), DONE)


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_constraint_that_nobody_has_validated_is_not_valid(target: str, shop: MadeUpApp) -> None:
    added = CHECK.replace("migrations.Add", "django.contrib.postgres.operations.Add")
    validated = "django.contrib.postgres.operations.ValidateConstraint('item', 'size_positive')"
    second(shop, added.replace("Constraint(", "ConstraintNotValid(", 1), validated, head=POSTGRES)
    _, probed = cut(target, "validate")
    assert [one.shown for one in probed.told] == [DONE, NOT]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_an_extension_is_looked_for(target: str, shop: MadeUpApp) -> None:
    second(shop, "django.contrib.postgres.operations.HStoreExtension()", PRICE, head=POSTGRES)
    _, probed = cut(target, "price")
    assert [one.shown for one in probed.told] == [DONE, NOT]


# What is compared, and what makes the record agree


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_code_that_was_edited_since_is_not_compared(target: str, shop: MadeUpApp) -> None:
    second(shop, PRICE)
    made, _ = cut(target, None)
    second(shop, COST)
    forget_migrations()
    probed = probe(target, made, made.steps[0])
    assert probed.told == ()
    assert probed.not_compared == "shop.0002_second was edited since, or a file it uses"


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_a_migration_that_is_gone_from_the_code_is_not_compared(
    target: str, shop: MadeUpApp
) -> None:
    second(shop, PRICE)
    made, _ = cut(target, None)
    (shop.migrations / "0002_second.py").unlink()
    forget_migrations()
    probed = probe(target, made, made.steps[0])
    assert probed.not_compared == "there is no shop.0002_second in the code"


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_a_migration_with_a_way_of_its_own_is_not_told(target: str, shop: MadeUpApp) -> None:
    own = "def apply(self, *args, **kwargs): return super().apply(*args, **kwargs)"
    second(shop, PRICE, extra=own)
    _, probed = cut(target, None)
    assert [one.shown for one in probed.told] == [UNTOLD]
    assert "apply() of its own" in probed.told[0].because


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("backward", "command"),
    [
        (False, "python manage.py migrate shop 0002_second --fake --database target"),
        (True, "python manage.py migrate shop 0001_first --fake --database target"),
    ],
)
def test_the_command_that_is_named_makes_the_record_agree(
    target: str, shop: MadeUpApp, backward: bool, command: str
) -> None:
    second(shop, PRICE)
    made, probed = cut(target, None, backward=backward)
    assert probed.record == command
    migrate(target, *command.split()[3:6])
    done = plan(target, "shop", "0001" if backward else "0002")
    assert done.steps == ()
    assert left(probe(target, made, made.steps[0]).told) is Left.ALL


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_where_no_command_moves_the_record_by_this_step_alone_none_is_named(
    target: str, shop: MadeUpApp
) -> None:
    second(shop, PRICE)
    third = source(COST, after=(("shop", "0001_first"),), extra="atomic = False")
    both = source(after=(("shop", "0002_second"), ("shop", "0002_third")))
    shop.write({"0002_third": third, "0003_both": both})
    migrate(target, "shop", "0002_third")
    made = plan(target, "shop", "0002_second")
    cut_off(target, "shop", "0002_second", before=None)
    assert probe(target, made, made.steps[0]).record.startswith("python manage.py migrate shop")
    migrate(target, "shop", "0002_second", "--fake")
    made = plan(target, "shop", "0001_first")
    assert len(made.steps) == 2
    assert probe(target, made, made.steps[0]).record == ""
