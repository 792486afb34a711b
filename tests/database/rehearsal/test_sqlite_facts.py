"""What each of Django's operations does on SQLite, row by row: whether the table is made anew, the
work that grows with it, whether the running release goes on, and whether it can be undone.

The table is in docs/rehearsing.md; this reproduces it by rehearsals.
"""

from __future__ import annotations

import pytest

from bot.route.rehearsal import Deed
from bot.route.risks.effects import Lock, Work
from tests.database.migrating import MadeUpApp
from tests.database.rehearsal.facts import (
    BOX,
    CHECKED,
    DEPENDS,
    FAILS,
    INDEXED,
    ITEM,
    ITEMS_OF_BOX,
    MAKER,
    OLD,
    QUERIES,
    TAG,
    Row,
    assert_measured,
    on,
    works,
)
from tests.database.shop import add, alter

pytestmark = pytest.mark.parametrize("vendor", ["sqlite"])

FILE, WRITERS = Lock.ALL, Lock.SHARE_ROW
"""A moment for the file's whole self; other writers wait, readers do not."""
SCAN, INDEX, REWRITE, ROWS = Work.SCAN, Work.INDEX, Work.REWRITE, Work.ROWS
REMADE = {ITEM: WRITERS}
ANEW = works((ITEM, REWRITE))

ROWS_OF_TABLE = {
    "CreateModel": Row(
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True))])", {}
    ),
    "CreateModel with a foreign key": Row(
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True)),"
        " ('maker', models.ForeignKey('shop.Maker', CASCADE, related_name='+'))])",
        {},
    ),
    "DeleteModel": Row(
        "migrations.DeleteModel('Old')", {OLD: FILE}, breaks=on(OLD) | on(MAKER, Deed.DELETE)
    ),
    # Its indexes have other names from then on, and are no part of the copying.
    "RenameModel with many to many": Row(
        "migrations.RenameModel('Box', 'Crate')",
        {BOX: FILE, ITEMS_OF_BOX: WRITERS},
        works((ITEMS_OF_BOX, REWRITE), (ITEMS_OF_BOX, INDEX)),
        breaks=on(BOX, Deed.SELECT, Deed.FILTER, Deed.INSERT, Deed.DELETE) | on(ITEMS_OF_BOX),
    ),
    "AddField null": Row(add("a", "IntegerField(null=True)"), {ITEM: FILE}),
    # The CHECK of its type is asked of every row, and of everything else in the table.
    "AddField null with a check": Row(
        add("a", "PositiveIntegerField(null=True)"), {ITEM: WRITERS}, works((ITEM, SCAN))
    ),
    "AddField constant db_default": Row(add("a", "IntegerField(db_default=3)"), REMADE, ANEW),
    "AddField NOT NULL, Python default": Row(
        add("a", "IntegerField(default=1)"), REMADE, ANEW, breaks=on(ITEM, Deed.INSERT)
    ),
    "AddField NOT NULL, uuid4": Row(
        add("a", "UUIDField(default=uuid.uuid4)"), REMADE, ANEW, breaks=on(ITEM, Deed.INSERT)
    ),
    "AddField stored generated": Row(
        add("a", "GeneratedField(expression=F('count') + 1, db_persist=True,"
            " output_field=models.IntegerField())"),
        REMADE, ANEW,
    ),
    "AddField unique": Row(add("a", "IntegerField(null=True, unique=True)"), REMADE, ANEW),
    "AddField foreign key": Row(
        add("a", "ForeignKey('shop.Tag', CASCADE, null=True, related_name='+')"),
        {ITEM: FILE}, works((ITEM, INDEX)),
    ),
    "AddField db_index": Row(
        add("a", "IntegerField(null=True, db_index=True)"), {ITEM: FILE}, works((ITEM, INDEX))
    ),
    # ALTER TABLE DROP COLUMN purges the column from every row.
    "RemoveField": Row(
        "migrations.RemoveField('Item', 'must')", REMADE, ANEW, breaks=on(ITEM, *QUERIES),
        undo=FAILS,
    ),
    "RemoveField null": Row(
        "migrations.RemoveField('Item', 'may')", REMADE, ANEW, breaks=on(ITEM, *QUERIES)
    ),
    "RemoveField foreign key": Row(
        "migrations.RemoveField('Item', 'maker')", REMADE, ANEW,
        breaks=on(ITEM, *QUERIES) | on(MAKER, Deed.DELETE), undo=FAILS,
    ),
    "RenameField": Row(
        "migrations.RenameField('Item', 'must', 'will')", {ITEM: FILE}, breaks=on(ITEM, *QUERIES)
    ),
    "AlterField varchar wider": Row(alter("name", "CharField(max_length=60)"), REMADE, ANEW),
    "AlterField varchar to text": Row(alter("name", "TextField()"), REMADE, ANEW),
    "AlterField numeric(8,2) to (10,2)": Row(
        alter("price", "DecimalField(max_digits=10, decimal_places=2)"), REMADE, ANEW
    ),
    # Lengths bind nothing.
    "AlterField varchar narrower": Row(alter("name", "CharField(max_length=20)"), REMADE, ANEW),
    "AlterField int to bigint": Row(alter("count", "BigIntegerField()"), REMADE, ANEW),
    "AlterField bigint to int": Row(alter("large", "IntegerField()"), REMADE, ANEW),
    # Both are integers there: the tables that refer to it stay as they are.
    "AutoField to BigAutoField": Row(
        "migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True))",
        {MAKER: WRITERS}, works((MAKER, REWRITE)),
    ),
    "NULL to NOT NULL": Row(
        alter("may", "IntegerField()"), REMADE, ANEW,
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE), outcome=DEPENDS,
    ),
    "NULL to NOT NULL with a default": Row(
        alter("may", "IntegerField(default=1)"), REMADE, ANEW,
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE),
    ),
    "AddConstraint check": Row(CHECKED, REMADE, ANEW),
    "AddConstraint unique": Row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['count'], name='once'))",
        REMADE, ANEW,
    ),
    "conditional unique": Row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['large'],"
        " condition=Q(count__gt=0), name='sometimes'))",
        {ITEM: WRITERS}, works((ITEM, INDEX)),
    ),
    "AddIndex": Row(INDEXED, {ITEM: WRITERS}, works((ITEM, INDEX))),
    "RemoveIndex": Row(
        "migrations.RemoveIndex('Item', 'counted')", {ITEM: FILE}, before=f"{INDEXED},"
    ),
    "RemoveConstraint": Row(
        "migrations.RemoveConstraint('Item', 'positive')", REMADE, ANEW, before=f"{CHECKED},"
    ),
    "dropping a foreign key": Row(
        alter("maker", "ForeignKey('shop.Maker', CASCADE, db_constraint=False, related_name='+')"),
        REMADE, ANEW,
    ),
    "UPDATE of every row": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7', migrations.RunSQL.noop)",
        {ITEM: WRITERS}, works((ITEM, ROWS)),
    ),
    "UPDATE by key": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7 WHERE id = 1', migrations.RunSQL.noop)",
        {ITEM: Lock.ROWS},
    ),
    "UPDATE that looks through the table": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7 WHERE ratio < 0',"
        " migrations.RunSQL.noop)",
        {ITEM: WRITERS}, works((ITEM, SCAN)),
    ),
    "DELETE of every row": Row(
        "migrations.RunSQL('DELETE FROM shop_old', migrations.RunSQL.noop)",
        {OLD: WRITERS}, works((OLD, ROWS)),
    ),
    "rows of one table for another": Row(
        "migrations.RunSQL('INSERT INTO shop_tag (word) SELECT name FROM shop_maker',"
        " migrations.RunSQL.noop)",
        {TAG: WRITERS, MAKER: WRITERS}, works((TAG, ROWS), (MAKER, SCAN)),
    ),
    "default only": Row(alter("count", "IntegerField(default=7)"), REMADE, ANEW),
    "db_comment": Row(alter("count", "IntegerField(db_comment='how many')"), REMADE, ANEW),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ROWS_OF_TABLE))
def test_a_rehearsal_measures_what_the_table_says(target: str, shop: MadeUpApp, name: str) -> None:
    assert_measured(target, shop, ROWS_OF_TABLE[name])
