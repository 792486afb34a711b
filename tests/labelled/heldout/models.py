"""Models and relations: tables in between, keys that come and go, and what is state alone."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    add,
    alter,
    back,
    case,
    create,
    index,
    remove,
    separate,
    sql,
)
from tests.labelled.heldout import sources as h

TAGGING = create(
    "Tagging",
    "product: ForeignKey('shop.Product', CASCADE)",
    "tag: ForeignKey('shop.Tag', CASCADE)",
)
UNMANAGED = create("Seen", "word: CharField(max_length=30)", options="{'managed': False}")
SEEN = separate(sql("CREATE TABLE shop_seen AS SELECT id, word FROM shop_old"), UNMANAGED)
ORDERED = "migrations.AlterOrderWithRespectTo('Line', 'order')"
ELDER = (
    "migrations.CreateModel('Elder', [('id', models.AutoField(primary_key=True)),"
    " ('word', models.CharField(max_length=30))], options={'db_table': 'shop_old'})"
)

THROUGH = (
    case(
        "held_through_by_dropping",
        "brief breaks lost works dangerous",
        ", ".join(
            [
                TAGGING,
                remove("Product", "tags"),
                add("Product", "tags", "ManyToManyField('shop.Tag', through='shop.Tagging')"),
            ]
        ),
        "The table in between is dropped with what it holds, and an empty one takes its place.",
        s.WRITING,
    ),
    case(
        "held_through_renamed_by_hand",
        "brief breaks kept works dangerous",
        separate(
            sql(
                "ALTER TABLE shop_product_tags RENAME TO shop_tagging",
                "ALTER TABLE shop_tagging RENAME TO shop_product_tags",
            ),
            TAGGING + ", " + alter(
                "Product", "tags", "ManyToManyField('shop.Tag', through='shop.Tagging')"
            ),
        ),
        "Django's guide keeps the rows by a rename; the running release asks for the old name.",
        s.WRITING,
    ),
    case(
        "held_many_to_many_table_named",
        "brief breaks kept works dangerous",
        alter("Product", "tags", "ManyToManyField('shop.Tag', db_table='shop_words')"),
        "db_table of the relation renames the table in between.",
        s.FIELDS,
    ),
    case(
        "held_many_to_many_blank",
        "none works kept works safe",
        alter("Product", "tags", "ManyToManyField('shop.Tag', blank=True, related_name='on')"),
        "blank and related_name are Django's affair.",
        s.FIELDS,
    ),
    case(
        "held_many_to_many_elsewhere",
        "grows breaks may_fail fails dangerous",
        alter("Product", "tags", "ManyToManyField('shop.Maker', related_name='+')"),
        "The column in between gets another name, and its foreign key is held against another "
        "table: a tag that is no maker stops it.",
        s.FIELDS,
        spoil="INSERT INTO shop_tag (id, word) VALUES (9999, 'x');"
        " INSERT INTO shop_product_tags (product_id, tag_id) VALUES (1, 9999)",
        since="INSERT INTO shop_maker (id, name) VALUES (9999, 'x');"
        " INSERT INTO shop_product_tags (product_id, maker_id) VALUES (1, 9999)",
    ),
)  # fmt: skip

KEYS = (
    case(
        "held_integer_to_foreign_key",
        "grows depends may_fail works dangerous",
        alter("Product", "loose", "ForeignKey('shop.Maker', CASCADE, null=True,"
        " db_column='loose', related_name='+')"),
        "The same column gets an index and a foreign key: both read all rows.",
        s.STRONG,
        spoil="UPDATE shop_product SET loose = 9999 WHERE id = 1",
    ),
    case(
        "held_foreign_key_to_integer",
        "brief works kept fails caution",
        alter("Product", "second", "IntegerField(null=True, db_column='second_id')"),
        "Index and foreign key go; a number without a parent does not fit back.",
        s.FIELDS,
        since="UPDATE shop_product SET second_id = 9999 WHERE id = 1",
    ),
    case(
        "held_foreign_key_by_another_column",
        "grows breaks may_fail fails dangerous",
        alter("Line", "product", "ForeignKey('shop.Product', CASCADE, to_field='sku')"),
        "The column takes the type of what it points to, and numbers are no names of products; no "
        "name of a product is a number on the way back.",
        s.FIELDS,
        fails=True,
    ),
    case(
        "held_foreign_key_deferred_by_sql",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_product ALTER CONSTRAINT loose_fk DEFERRABLE INITIALLY DEFERRED",
            "ALTER TABLE shop_product ALTER CONSTRAINT loose_fk NOT DEFERRABLE",
        ),
        "When a foreign key is checked is in the catalogue alone.",
        s.ALTER,
        before=sql(
            "ALTER TABLE shop_product ADD CONSTRAINT loose_fk FOREIGN KEY (loose)"
            " REFERENCES shop_tag"
        ),
    ),
    case(
        "held_create_with_unconstrained_key",
        "none works kept works safe",
        create(
            "Coupon",
            "maker: ForeignKey('shop.Maker', CASCADE, db_constraint=False, related_name='+')",
        ),
        "Without the constraint nothing touches the table that it points to.",
        s.FIELDS,
    ),
    case(
        "held_create_in_a_circle",
        "none works kept works safe",
        ", ".join(
            [
                create("Shelf", "name: CharField(max_length=9)"),
                create("Box", "shelf: ForeignKey('shop.Shelf', CASCADE)"),
                add("Shelf", "first", "ForeignKey('shop.Box', CASCADE, null=True,"
                " related_name='+')"),
            ]
        ),
        "Tables that point to each other are all new, the column that closes the circle too.",
        s.OPERATIONS,
    ),
    case(
        "held_create_with_composite_key",
        "none works kept works safe",
        "migrations.CreateModel('Stocktake', [('pk', models.CompositePrimaryKey('room', 'day',"
        " blank=True, editable=False, primary_key=True, serialize=False)),"
        " ('room', models.IntegerField()), ('day', models.DateField()),"
        " ('twice', models.GeneratedField(expression=F('room') * 2,"
        " output_field=models.IntegerField(), db_persist=True))],"
        " options={'db_table_comment': 'what was there'})",
        "A key of two columns, a generated one and a comment: of a table that was not there.",
        s.OPERATIONS,
    ),
)  # fmt: skip

STATE = (
    case(
        "held_unmanaged_then_deleted",
        "none works kept works safe",
        "migrations.AlterModelOptions('Old', {'managed': False}), migrations.DeleteModel('Old')",
        "Django drops no table of a model that it does not manage: the table stays.",
        s.OPERATIONS,
    ),
    case(
        "held_unmanaged_loses_a_field",
        "none works kept works safe",
        remove("Seen", "word"),
        "Nothing is sent for a model that Django does not manage.",
        s.OPERATIONS,
        before=SEEN,
    ),
    case(
        "held_unmanaged_becomes_managed",
        "none works kept works safe",
        "migrations.AlterModelOptions('Seen', {'managed': True})",
        "Who manages a table is an option, and options send nothing.",
        s.WRITING,
        before=SEEN,
    ),
    case(
        "held_proxy_renamed_and_deleted",
        "none works kept works safe",
        "migrations.RenameModel('Cheap', 'Dear'), migrations.DeleteModel('Dear')",
        "A proxy has no table to rename or drop.",
        s.OPERATIONS,
        before="migrations.CreateModel('Cheap', [], options={'proxy': True},"
        " bases=('shop.product',))",
    ),
    case(
        "held_table_adopted_by_another_model",
        "none works kept works safe",
        separate("", f"{ELDER}, migrations.DeleteModel('Old')"),
        "A model takes over the table of another in Django's state: nothing is sent.",
        s.OPERATIONS,
    ),
    case(
        "held_table_made_twice",
        "none works kept works dangerous",
        ELDER,
        "The table is there already: CREATE TABLE fails whatever the rows.",
        s.OPERATIONS,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_order_forgotten",
        "brief breaks lost works dangerous",
        "migrations.AlterOrderWithRespectTo('Line', None)",
        "The column _order goes with the order that it held; the old code sorts by it.",
        s.OPERATIONS,
        before=ORDERED,
        writes={"Line": {"_order": 0}},
    ),
    back(
        "held_back_order",
        "brief breaks lost works dangerous",
        ORDERED,
        "Undoing it drops the column.",
        s.OPERATIONS,
        writes={"Line": {"_order": 0}},
    ),
    case(
        "held_table_of_relations_renamed",
        "brief breaks kept works dangerous",
        "migrations.AlterModelTable('Product', 'goods')",
        "Django renames the tables in between with it.",
        s.OPERATIONS,
    ),
    case(
        "held_index_by_field_to_meta",
        "grows works kept works dangerous",
        alter("Product", "code", "CharField(max_length=50)")
        + ", "
        + index("Product", "code", "product_code"),
        "db_index becomes an index of Meta: one is dropped, one is built over all rows.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "held_table_swapped",
        "brief breaks kept works dangerous",
        sql(
            [
                "CREATE TABLE shop_new (LIKE shop_old INCLUDING ALL)",
                "INSERT INTO shop_new SELECT * FROM shop_old",
                "ALTER TABLE shop_old RENAME TO shop_gone",
                "ALTER TABLE shop_new RENAME TO shop_old",
            ],
            [
                "ALTER TABLE shop_old RENAME TO shop_new",
                "ALTER TABLE shop_gone RENAME TO shop_old",
                "DROP TABLE shop_new",
            ],
        ),
        "The copy has an identity of its own that starts at 1: the first INSERT of the running "
        "release takes a key that is taken.",
        h.HOT_SWAP,
    ),
)  # fmt: skip

CASES = (*THROUGH, *KEYS, *STATE)
