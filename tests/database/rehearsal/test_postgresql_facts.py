"""What each of Django's operations does on PostgreSQL, row by row: its lock, the work that grows
with the table, whether the running release goes on, and whether it can be undone.

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

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])

HEAD = """
import django.contrib.postgres.operations as pg
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import IntegerRangeField
from django.contrib.postgres.functions import RandomUUID
"""
AX, SRX, S, SUX, RX = Lock.ALL, Lock.SHARE_ROW, Lock.SHARE, Lock.ONLINE, Lock.ROWS
SCAN, INDEX, REWRITE, ROWS = Work.SCAN, Work.INDEX, Work.REWRITE, Work.ROWS
NOT_VALID = """pg.AddConstraintNotValid('Item', models.CheckConstraint(condition=Q(count__gt=0),
    name='later'))"""

ROWS_OF_TABLE = {
    "CreateModel": Row(
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True))])", {}
    ),
    "CreateModel with a foreign key": Row(
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True)),"
        " ('maker', models.ForeignKey('shop.Maker', CASCADE, related_name='+'))])",
        {MAKER: SRX},
    ),
    "CreateModel with many to many": Row(
        "migrations.CreateModel('New', [('id', models.AutoField(primary_key=True)),"
        " ('tags', models.ManyToManyField('shop.Tag', related_name='+'))])",
        {TAG: SRX},
    ),
    # A DELETE of a maker asks for the rows that refer to it.
    "DeleteModel": Row(
        "migrations.DeleteModel('Old')",
        {OLD: AX, MAKER: AX},
        breaks=on(OLD) | on(MAKER, Deed.DELETE),
    ),
    "RenameModel with many to many": Row(
        "migrations.RenameModel('Box', 'Crate')",
        {BOX: AX, ITEMS_OF_BOX: AX},
        works((ITEMS_OF_BOX, SCAN), (BOX, SCAN)),
        breaks=on(BOX, Deed.SELECT, Deed.FILTER, Deed.INSERT, Deed.DELETE) | on(ITEMS_OF_BOX),
    ),
    "AddField null": Row(add("a", "IntegerField(null=True)"), {ITEM: AX}),
    "AddField constant db_default": Row(add("a", "IntegerField(db_default=3)"), {ITEM: AX}),
    "AddField db_default=Now()": Row(add("a", "DateTimeField(db_default=Now())"), {ITEM: AX}),
    "AddField NOT NULL, Python default": Row(
        add("a", "IntegerField(default=1)"), {ITEM: AX}, breaks=on(ITEM, Deed.INSERT)
    ),
    "AddField NOT NULL, uuid4": Row(
        add("a", "UUIDField(default=uuid.uuid4)"), {ITEM: AX}, breaks=on(ITEM, Deed.INSERT)
    ),
    "AddField db_default=RandomUUID()": Row(
        add("a", "UUIDField(db_default=RandomUUID())"), {ITEM: AX}, works((ITEM, REWRITE))
    ),
    "AddField stored generated": Row(
        add("a", "GeneratedField(expression=F('count') + 1, db_persist=True,"
            " output_field=models.IntegerField())"),
        {ITEM: AX}, works((ITEM, REWRITE)),
    ),
    "AddField unique": Row(
        add("a", "IntegerField(null=True, unique=True)"), {ITEM: AX}, works((ITEM, INDEX))
    ),
    "AddField foreign key": Row(
        add("a", "ForeignKey('shop.Tag', CASCADE, null=True, related_name='+')"),
        {ITEM: AX, TAG: SRX}, works((ITEM, INDEX)),
    ),
    "AddField db_index": Row(
        add("a", "IntegerField(null=True, db_index=True)"), {ITEM: AX}, works((ITEM, INDEX))
    ),
    "RemoveField": Row(
        "migrations.RemoveField('Item', 'must')", {ITEM: AX}, breaks=on(ITEM, *QUERIES), undo=FAILS
    ),
    "RemoveField null": Row(
        "migrations.RemoveField('Item', 'may')", {ITEM: AX}, breaks=on(ITEM, *QUERIES)
    ),
    "RemoveField foreign key": Row(
        "migrations.RemoveField('Item', 'maker')",
        {ITEM: AX, MAKER: AX},
        breaks=on(ITEM, *QUERIES) | on(MAKER, Deed.DELETE),
        undo=FAILS,
    ),
    "RenameField": Row(
        "migrations.RenameField('Item', 'must', 'will')", {ITEM: AX}, breaks=on(ITEM, *QUERIES)
    ),
    # Going back is a narrowing: it fails once the new release has written longer values.
    "AlterField varchar wider": Row(
        alter("name", "CharField(max_length=60)"), {ITEM: AX}, undo=DEPENDS
    ),
    # Back from text Django casts, and the cast cuts what is too long.
    "AlterField varchar to text": Row(alter("name", "TextField()"), {ITEM: AX}),
    "AlterField numeric(8,2) to (10,2)": Row(
        alter("price", "DecimalField(max_digits=10, decimal_places=2)"), {ITEM: AX}, undo=DEPENDS
    ),
    # The index keeps its file; Django makes the one for LIKE anew.
    "AlterField indexed varchar to text": Row(
        alter("code", "TextField(db_index=True)"), {ITEM: AX}, works((ITEM, INDEX))
    ),
    "AlterField varchar narrower": Row(
        alter("name", "CharField(max_length=20)"), {ITEM: AX}, works((ITEM, REWRITE)),
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE), outcome=DEPENDS,
    ),
    "AlterField int to bigint": Row(
        alter("count", "BigIntegerField()"), {ITEM: AX}, works((ITEM, REWRITE)), undo=DEPENDS
    ),
    "AlterField bigint to int": Row(
        alter("large", "IntegerField()"), {ITEM: AX}, works((ITEM, REWRITE)),
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE), outcome=DEPENDS,
    ),
    "AlterField text to varchar": Row(
        alter("blurb", "CharField(max_length=200)"), {ITEM: AX}, works((ITEM, REWRITE)),
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE),
    ),
    "AlterField numeric scale": Row(
        alter("price", "DecimalField(max_digits=8, decimal_places=1)"), {ITEM: AX},
        works((ITEM, REWRITE)), undo=DEPENDS,
    ),
    "AutoField to BigAutoField": Row(
        "migrations.AlterField('Maker', 'id', models.BigAutoField(primary_key=True))",
        {MAKER: AX, ITEM: AX, OLD: AX},
        works((MAKER, REWRITE), (ITEM, REWRITE), (OLD, REWRITE),
            (ITEM, SCAN), (OLD, SCAN), (MAKER, SCAN)),
    ),
    "NULL to NOT NULL": Row(
        alter("may", "IntegerField()"), {ITEM: AX}, works((ITEM, SCAN)),
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE), outcome=DEPENDS,
    ),
    "NULL to NOT NULL with a default": Row(
        alter("may", "IntegerField(default=1)"), {ITEM: AX}, works((ITEM, SCAN), (ITEM, ROWS)),
        breaks=on(ITEM, Deed.INSERT, Deed.UPDATE),
    ),
    "NULL to NOT NULL under a valid CHECK": Row(
        alter("may", "IntegerField()"), {ITEM: AX},
        before="migrations.AddConstraint('Item', models.CheckConstraint("
        "condition=Q(may__isnull=False), name='there')),",
    ),
    "AddConstraint check": Row(CHECKED, {ITEM: AX}, works((ITEM, SCAN))),
    "AddConstraint unique": Row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['count'], name='once'))",
        {ITEM: AX}, works((ITEM, INDEX)),
    ),
    # The index is filled, and then every row compared with it.
    "AddConstraint exclude": Row(
        "migrations.AddConstraint('Item', ExclusionConstraint(name='apart',"
        " expressions=[('span', '&&')]))",
        {ITEM: AX}, works((ITEM, INDEX), (ITEM, SCAN)),
        before="migrations.AddField('Item', 'span', IntegerRangeField(null=True)),",
    ),
    "conditional unique": Row(
        "migrations.AddConstraint('Item', models.UniqueConstraint(fields=['large'],"
        " condition=Q(count__gt=0), name='sometimes'))",
        {ITEM: S}, works((ITEM, INDEX)),
    ),
    "AddIndex": Row(INDEXED, {ITEM: S}, works((ITEM, INDEX))),
    "AddIndexConcurrently": Row(
        "pg.AddIndexConcurrently('Item', models.Index(fields=['count'], name='counted'))",
        {ITEM: SUX}, works((ITEM, INDEX)), extra="atomic = False",
    ),
    "RemoveIndex": Row(
        "migrations.RemoveIndex('Item', 'counted')", {ITEM: AX}, before=f"{INDEXED},"
    ),
    "RemoveIndexConcurrently": Row(
        "pg.RemoveIndexConcurrently('Item', 'counted')", {ITEM: SUX}, extra="atomic = False",
        before=f"{INDEXED},",
    ),
    "RemoveConstraint": Row(
        "migrations.RemoveConstraint('Item', 'positive')", {ITEM: AX}, before=f"{CHECKED},"
    ),
    "dropping a foreign key": Row(
        alter("maker", "ForeignKey('shop.Maker', CASCADE, db_constraint=False, related_name='+')"),
        {ITEM: AX, MAKER: AX},
    ),
    "AddConstraintNotValid": Row(NOT_VALID, {ITEM: AX}),
    # Undoing it does nothing: the constraint stays valid.
    "ValidateConstraint": Row(
        "pg.ValidateConstraint('Item', 'later')", {ITEM: SUX}, works((ITEM, SCAN)),
        before=f"{NOT_VALID},", same_after_undo=FAILS,
    ),
    "UPDATE of every row": Row(
        "migrations.RunSQL('UPDATE shop_item SET count = 7', migrations.RunSQL.noop)",
        {ITEM: RX}, works((ITEM, ROWS)),
    ),
    "TRUNCATE": Row(
        "migrations.RunSQL('TRUNCATE shop_old', migrations.RunSQL.noop)", {OLD: AX}
    ),
    "default only": Row(alter("count", "IntegerField(default=7)"), {}),
    "db_comment": Row(
        alter("count", "IntegerField(db_comment='how many')"), {ITEM: AX}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", list(ROWS_OF_TABLE))
def test_a_rehearsal_measures_what_the_table_says(target: str, shop: MadeUpApp, name: str) -> None:
    assert_measured(target, shop, ROWS_OF_TABLE[name], head=HEAD)
