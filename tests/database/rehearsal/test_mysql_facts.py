"""What each of Django's operations does on MariaDB, row by row: the most online way that the server
accepts, the work that grows, whether the running release goes on, and whether it can be undone.

The table is in docs/rehearsing.md; this reproduces it by rehearsals.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.db import connections

from bot.route.findings import Evidence
from bot.route.rehearsal import Deed, Outcome, RehearsedStep
from bot.route.risks.facts import Lock, Work
from tests.database.migrating import MadeUpApp, migrate
from tests.database.rehearsal.shop import rehearsed, write
from tests.database.rehearsal.test_postgresql_facts import (
    BOX,
    CHECKED,
    INDEXED,
    ITEM,
    ITEMS_OF_BOX,
    MAKER,
    OLD,
    QUERIES,
    TAG,
    locks_of,
    on,
    works,
    works_of,
)
from tests.database.shop import add, alter

pytestmark = pytest.mark.parametrize("vendor", ["mysql"])

INDEX, REWRITE, ROWS = Work.INDEX, Work.REWRITE, Work.ROWS
WORKS, DEPENDS = Outcome.WORKS, Outcome.UNKNOWN
INSTANT = "ALGORITHM=INSTANT"
NOCOPY = "ALGORITHM=NOCOPY, LOCK=NONE"
INPLACE = "ALGORITHM=INPLACE, LOCK=NONE"
COPY = "ALGORITHM=COPY, LOCK=SHARED"
AT_ONCE = {ITEM: Lock.ALL}
ONLINE = {ITEM: Lock.ONLINE}
SHARED = {ITEM: Lock.SHARE}
INDEXES, REWRITES = works((ITEM, INDEX)), works((ITEM, REWRITE))


@dataclass(frozen=True)
class Row:
    """``ways`` are those that the server accepted, in order; the rest as for PostgreSQL."""

    operation: str
    locks: dict[str, Lock]
    ways: tuple[str, ...] = ()
    works: frozenset[tuple[str, Work]] = frozenset()
    breaks: frozenset[tuple[str, Deed]] = frozenset()
    undo: Outcome = WORKS
    outcome: Outcome = WORKS
    before: str = ""


NEW = "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True)), {}])"
RENAMED = on(BOX, Deed.SELECT, Deed.FILTER, Deed.INSERT, Deed.DELETE) | on(ITEMS_OF_BOX)
WRITES = on(ITEM, Deed.INSERT, Deed.UPDATE)

ROWS_OF_TABLE = {
    # The foreign key copies the new table, which is empty.
    "CreateModel with a foreign key": Row(
        NEW.format("('maker', models.ForeignKey('shop.Maker', CASCADE, related_name='+'))"), {}
    ),
    "DeleteModel": Row(
        "migrations.DeleteModel('Old')",
        {OLD: Lock.ALL},
        breaks=on(OLD) | on(MAKER, Deed.DELETE),
    ),
    "RenameModel with many to many": Row(
        "migrations.RenameModel('Box', 'Crate')",
        {BOX: Lock.ALL, ITEMS_OF_BOX: Lock.ALL},
        (INSTANT, INSTANT, COPY),
        works((ITEMS_OF_BOX, REWRITE)),
        RENAMED,
    ),
    "AddField null": Row(add("a", "IntegerField(null=True)"), AT_ONCE, (INSTANT,)),
    "AddField constant db_default": Row(
        add("a", "IntegerField(db_default=3)"), AT_ONCE, (INSTANT,)
    ),
    "AddField db_default=Now()": Row(
        add("a", "DateTimeField(db_default=Now())"), AT_ONCE, (INSTANT,)
    ),
    "AddField NOT NULL, Python default": Row(
        add("a", "IntegerField(default=1)"), AT_ONCE, (INSTANT, INSTANT),
        breaks=on(ITEM, Deed.INSERT),
    ),
    "AddField stored generated": Row(
        add("a", "GeneratedField(expression=F('count') + 1, db_persist=True,"
            " output_field=models.IntegerField())"),
        SHARED, (COPY,), REWRITES,
    ),
    "AddField unique": Row(
        add("a", "IntegerField(null=True, unique=True)"), ONLINE, (INPLACE,), REWRITES
    ),
    "AddField foreign key": Row(
        add("a", "ForeignKey('shop.Tag', CASCADE, null=True, related_name='+')"),
        SHARED, (COPY,), REWRITES,
    ),
    "AddField db_index": Row(
        add("a", "IntegerField(null=True, db_index=True)"), AT_ONCE, (INSTANT, NOCOPY), INDEXES
    ),
    # Back, old rows get what MariaDB makes of nothing: 0.
    "RemoveField": Row(
        "migrations.RemoveField('Item', 'must')", AT_ONCE, (INSTANT,), breaks=on(ITEM, *QUERIES)
    ),
    # And 0 is no maker; without rows it works.
    "RemoveField foreign key": Row(
        "migrations.RemoveField('Item', 'maker')", AT_ONCE, (INSTANT, NOCOPY),
        breaks=on(ITEM, *QUERIES) | on(MAKER, Deed.DELETE), undo=DEPENDS,
    ),
    "RenameField": Row(
        "migrations.RenameField('Item', 'must', 'will')", AT_ONCE, (INSTANT,),
        breaks=on(ITEM, *QUERIES),
    ),
    "AlterField varchar(50) to (60)": Row(
        alter("name", "CharField(max_length=60)"), AT_ONCE, (INSTANT,), undo=DEPENDS
    ),
    "AlterField varchar(50) to (80)": Row(
        alter("name", "CharField(max_length=80)"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField varchar to text": Row(
        alter("name", "TextField()"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField numeric(8,2) to (10,2)": Row(
        alter("price", "DecimalField(max_digits=10, decimal_places=2)"),
        SHARED, (COPY,), REWRITES, undo=DEPENDS,
    ),
    "AlterField varchar narrower": Row(
        alter("name", "CharField(max_length=20)"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AlterField int to bigint": Row(
        alter("count", "BigIntegerField()"), SHARED, (COPY,), REWRITES, undo=DEPENDS
    ),
    "AlterField bigint to int": Row(
        alter("large", "IntegerField()"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AlterField text to varchar": Row(
        alter("blurb", "CharField(max_length=200)"), SHARED, (COPY,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "AutoField to BigAutoField": Row(
        "migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True))",
        {MAKER: Lock.SHARE, ITEM: Lock.ALL, OLD: Lock.ALL},
        (INSTANT, INSTANT, COPY, COPY, COPY, COPY, COPY),
        works((MAKER, REWRITE), (ITEM, REWRITE), (OLD, REWRITE)),
    ),
    "NULL to NOT NULL": Row(
        alter("may", "IntegerField()"), ONLINE, (INPLACE,), REWRITES,
        breaks=WRITES, outcome=DEPENDS,
    ),
    "NULL to NOT NULL with a default": Row(
        alter("may", "IntegerField(default=1)"), AT_ONCE, (INSTANT, INPLACE, INSTANT),
        REWRITES | works((ITEM, ROWS)),
        breaks=WRITES,
    ),
    "AddConstraint check": Row(CHECKED, SHARED, (COPY,), REWRITES),
    "AddConstraint unique": Row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['count'], name='once'))",
        ONLINE, (NOCOPY,), INDEXES,
    ),
    "AddIndex": Row(INDEXED, ONLINE, (NOCOPY,), INDEXES),
    "RemoveIndex": Row(
        "migrations.RemoveIndex('Item', 'counted')", AT_ONCE, (NOCOPY,), before=f"{INDEXED},"
    ),
    "RemoveConstraint": Row(
        "migrations.RemoveConstraint('Item', 'positive')", AT_ONCE, (INSTANT,),
        before=f"{CHECKED},",
    ),
    "dropping a foreign key": Row(
        alter("maker", "ForeignKey('shop.Maker', CASCADE, db_constraint=False, related_name='+')"),
        AT_ONCE, (INSTANT,),
    ),
    "UPDATE of every row": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7', migrations.RunSQL.noop)",
        {ITEM: Lock.ROWS}, works=works((ITEM, ROWS)),
    ),
    "UPDATE by key": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7 WHERE id = 1', migrations.RunSQL.noop)",
        {ITEM: Lock.ROWS},
    ),
    "TRUNCATE": Row(
        "migrations.RunSQL('TRUNCATE shop_old', migrations.RunSQL.noop)", {OLD: Lock.ALL}
    ),
    "rows of one table for another": Row(
        "migrations.RunSQL('INSERT INTO shop_tag (word) SELECT name FROM shop_maker',"
        " migrations.RunSQL.noop)",
        {TAG: Lock.ROWS}, works=works((TAG, ROWS)),
    ),
    "default only": Row(alter("count", "IntegerField(default=7)"), {}),
    "db_comment": Row(
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
    row = ROWS_OF_TABLE[name]
    write(shop, row.operation, before=row.before)
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.because == ""
    (step,) = found.steps
    assert (step.outcome, step.error) == (row.outcome, step.error if row.outcome != WORKS else "")
    assert ways_of(step) == row.ways
    assert locks_of(step) == row.locks
    assert works_of(step) == row.works
    assert not step.blind
    assert {(one.table, one.deed) for one in step.breaks()} == row.breaks
    assert (step.undo, step.undo_because) == (row.undo, step.undo_because)
    assert found.same_after_undo is WORKS, found.notes
    assert found.same_again is WORKS, found.notes


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


def ways_of(step: RehearsedStep) -> tuple[str, ...]:
    """What stands in brackets after the words of each effect."""
    return tuple(
        effect.words.partition(" (")[2].partition(", the most online")[0]
        for one in step.measured
        for effect in one.effects
        if "ALGORITHM" in effect.words
    )
