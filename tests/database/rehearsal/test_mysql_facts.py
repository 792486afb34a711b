"""What each of Django's operations does on MariaDB, row by row: the most online way that the server
accepts, the work that grows, whether the running release goes on, and whether it can be undone.

The table is in docs/rehearsing.md; this reproduces it by rehearsals.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from bot.route.findings import Evidence
from bot.route.rehearsal import Deed
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.facts import (
    BOX,
    CHECKED,
    DEPENDS,
    INDEXED,
    ITEM,
    ITEMS_OF_BOX,
    MAKER,
    OLD,
    QUERIES,
    TAG,
    WORKS,
    Row,
    assert_measured,
    on,
    works,
)
from tests.database.rehearsal.shop import rehearsed, write
from tests.database.shop import add, alter

pytestmark = pytest.mark.parametrize("vendor", ["mysql"])

INDEX, REWRITE, ROWS = Work.INDEX, Work.REWRITE, Work.ROWS
INSTANT = "ALGORITHM=INSTANT"
NOCOPY = "ALGORITHM=NOCOPY, LOCK=NONE"
INPLACE = "ALGORITHM=INPLACE, LOCK=NONE"
COPY = "ALGORITHM=COPY, LOCK=SHARED"
AT_ONCE = {ITEM: Lock.ALL}
ONLINE = {ITEM: Lock.ONLINE}
SHARED = {ITEM: Lock.SHARE}
INDEXES, REWRITES = works((ITEM, INDEX)), works((ITEM, REWRITE))


def row(
    operation: str,
    locks: dict[str, Lock],
    ways: tuple[str, ...] = (),
    works: frozenset[tuple[str, Work]] = frozenset(),
    breaks: frozenset[tuple[str, Deed]] = frozenset(),
    **more: Any,
) -> Row:
    """A row with the ways right after the locks, which follow from them."""
    return Row(operation, locks, works, breaks, ways=ways, **more)


NEW = "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True)), {}])"
RENAMED = on(BOX, Deed.SELECT, Deed.FILTER, Deed.INSERT, Deed.DELETE) | on(ITEMS_OF_BOX)
WRITES = on(ITEM, Deed.INSERT, Deed.UPDATE)

ROWS_OF_TABLE = {
    # The foreign key copies the new table, which is empty.
    "CreateModel with a foreign key": row(
        NEW.format("('maker', models.ForeignKey('shop.Maker', CASCADE, related_name='+'))"), {}
    ),
    "DeleteModel": row(
        "migrations.DeleteModel('Old')",
        {OLD: Lock.ALL},
        breaks=on(OLD) | on(MAKER, Deed.DELETE),
    ),
    "RenameModel with many to many": row(
        "migrations.RenameModel('Box', 'Crate')",
        {BOX: Lock.ALL, ITEMS_OF_BOX: Lock.ALL},
        (INSTANT, INSTANT, COPY),
        works((ITEMS_OF_BOX, REWRITE)),
        RENAMED,
    ),
    "AddField null": row(add("a", "IntegerField(null=True)"), AT_ONCE, (INSTANT,)),
    "AddField constant db_default": row(
        add("a", "IntegerField(db_default=3)"), AT_ONCE, (INSTANT,)
    ),
    "AddField db_default=Now()": row(
        add("a", "DateTimeField(db_default=Now())"), AT_ONCE, (INSTANT,)
    ),
    "AddField NOT NULL, Python default": row(
        add("a", "IntegerField(default=1)"), AT_ONCE, (INSTANT, INSTANT),
        breaks=on(ITEM, Deed.INSERT),
    ),
    "AddField stored generated": row(
        add("a", "GeneratedField(expression=F('count') + 1, db_persist=True,"
            " output_field=models.IntegerField())"),
        SHARED, (COPY,), REWRITES,
    ),
    "AddField unique": row(
        add("a", "IntegerField(null=True, unique=True)"), ONLINE, (INPLACE,), REWRITES
    ),
    "AddField foreign key": row(
        add("a", "ForeignKey('shop.Tag', CASCADE, null=True, related_name='+')"),
        SHARED, (COPY,), REWRITES,
    ),
    "AddField db_index": row(
        add("a", "IntegerField(null=True, db_index=True)"), AT_ONCE, (INSTANT, NOCOPY), INDEXES
    ),
    # Back, old rows get what MariaDB makes of nothing: 0.
    "RemoveField": row(
        "migrations.RemoveField('Item', 'must')", AT_ONCE, (INSTANT,), breaks=on(ITEM, *QUERIES)
    ),
    # And 0 is no maker; without rows it works.
    "RemoveField foreign key": row(
        "migrations.RemoveField('Item', 'maker')", AT_ONCE, (INSTANT, NOCOPY),
        breaks=on(ITEM, *QUERIES) | on(MAKER, Deed.DELETE), undo=DEPENDS,
    ),
    "RenameField": row(
        "migrations.RenameField('Item', 'must', 'will')", AT_ONCE, (INSTANT,),
        breaks=on(ITEM, *QUERIES),
    ),
    "AlterField varchar(50) to (60)": row(
        alter("name", "CharField(max_length=60)"), AT_ONCE, (INSTANT,), undo=DEPENDS
    ),
    "AlterField varchar(50) to (80)": row(
        alter("name", "CharField(max_length=80)"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField varchar to text": row(
        alter("name", "TextField()"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField numeric(8,2) to (10,2)": row(
        alter("price", "DecimalField(max_digits=10, decimal_places=2)"),
        SHARED, (COPY,), REWRITES, undo=DEPENDS,
    ),
    "AlterField varchar narrower": row(
        alter("name", "CharField(max_length=20)"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AlterField int to bigint": row(
        alter("count", "BigIntegerField()"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField bigint to int": row(
        alter("large", "IntegerField()"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AlterField text to varchar": row(
        alter("blurb", "CharField(max_length=200)"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AutoField to BigAutoField": row(
        "migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True))",
        {MAKER: Lock.SHARE, ITEM: Lock.ALL, OLD: Lock.ALL},
        (INSTANT, INSTANT, COPY, COPY, COPY, COPY, COPY),
        works((MAKER, REWRITE), (ITEM, REWRITE), (OLD, REWRITE)),
    ),
    "NULL to NOT NULL": row(
        alter("may", "IntegerField()"), ONLINE, (INPLACE,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "NULL to NOT NULL with a default": row(
        alter("may", "IntegerField(default=1)"), AT_ONCE, (INSTANT, INPLACE, INSTANT),
        REWRITES | works((ITEM, ROWS)),
        breaks=WRITES,
    ),
    "AddConstraint check": row(CHECKED, SHARED, (COPY,), REWRITES),
    "AddConstraint unique": row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['count'], name='once'))",
        ONLINE, (NOCOPY,), INDEXES,
    ),
    "AddIndex": row(INDEXED, ONLINE, (NOCOPY,), INDEXES),
    "RemoveIndex": row(
        "migrations.RemoveIndex('Item', 'counted')", AT_ONCE, (NOCOPY,), before=f"{INDEXED},"
    ),
    "RemoveConstraint": row(
        "migrations.RemoveConstraint('Item', 'positive')", AT_ONCE, (INSTANT,),
        before=f"{CHECKED},",
    ),
    "dropping a foreign key": row(
        alter("maker", "ForeignKey('shop.Maker', CASCADE, db_constraint=False, related_name='+')"),
        AT_ONCE, (INSTANT,),
    ),
    "UPDATE of every row": row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7', migrations.RunSQL.noop)",
        {ITEM: Lock.ROWS}, works=works((ITEM, ROWS)),
    ),
    "UPDATE by key": row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7 WHERE id = 1', migrations.RunSQL.noop)",
        {ITEM: Lock.ROWS},
    ),
    "TRUNCATE": row(
        "migrations.RunSQL('TRUNCATE shop_old', migrations.RunSQL.noop)", {OLD: Lock.ALL}
    ),
    "rows of one table for another": row(
        "migrations.RunSQL('INSERT INTO shop_tag (word) SELECT name FROM shop_maker',"
        " migrations.RunSQL.noop)",
        {TAG: Lock.ROWS}, works=works((TAG, ROWS)),
    ),
    "default only": row(alter("count", "IntegerField(default=7)"), {}),
    "db_comment": row(
        alter("count", "IntegerField(db_comment='how many')"), AT_ONCE, (INSTANT,)
    ),
}  # fmt: skip


def is_mariadb(database: str) -> bool:
    connection = connections[database]
    connection.ensure_connection()
    return bool(connection.mysql_is_mariadb)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(ROWS_OF_TABLE))
def test_a_rehearsal_measures_what_the_table_says(target: str, shop: MadeUpApp, name: str) -> None:
    if not is_mariadb(target):
        pytest.skip("the table was measured on MariaDB")
    assert_measured(target, shop, ROWS_OF_TABLE[name])


def test_a_conditional_unique_constraint_is_seen_to_make_nothing(
    target: str, shop: MadeUpApp
) -> None:
    write(
        shop,
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['large'],"
        " condition=Q(count__gt=0), name='sometimes'))",
    )
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    (step,) = found.steps
    assert step.outcome is WORKS
    assert step.measured == ()
    (finding,) = [one for one in found.findings[0] if one.code == "not_enforced"]
    assert finding.evidence is Evidence.MEASURED
