"""Tables that come, go and get another name, and models that are Django's affair alone."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import add, alter, case, create, index, rename, rule, separate, sql

MAKER = "ForeignKey('shop.Maker', CASCADE, related_name='+')"
THROUGH = (
    "migrations.CreateModel('Tagging', [('id', models.BigAutoField(primary_key=True)),"
    " ('product', models.ForeignKey('shop.Product', CASCADE)),"
    " ('tag', models.ForeignKey('shop.Tag', CASCADE))],"
    " options={'db_table': 'shop_product_tags'}), "
) + alter("Product", "tags", "ManyToManyField('shop.Tag', through='shop.Tagging')")
LOG = (
    "CREATE TABLE shop_log (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);"
    "CREATE TABLE shop_log_2025 (id bigint NOT NULL, at date NOT NULL);"
    "INSERT INTO shop_log_2025 SELECT i, '2025-06-01' FROM generate_series(1, 120) i"
)
ATTACH = (
    "ALTER TABLE shop_log ATTACH PARTITION shop_log_2025"
    " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
)

MADE = (
    case(
        "create",
        "none works kept works safe",
        create("Coupon", "code: CharField(max_length=9, unique=True, db_index=True)"),
        "Nobody uses a table that was not there.",
        s.OPERATIONS,
    ),
    case(
        "create_with_foreign_key",
        "brief works kept works caution",
        create("Coupon", "maker: " + MAKER),
        "The foreign key takes SHARE ROW EXCLUSIVE on the parent for an instant.",
        s.LOCKS,
    ),
    case(
        "create_with_many_to_many",
        "brief works kept works caution",
        create("Coupon", "products: ManyToManyField('shop.Product')"),
        "The table in between refers to both.",
        s.LOCKS,
    ),
    case(
        "create_child",
        "brief works kept works caution",
        "migrations.CreateModel('Book', [('product_ptr', models.OneToOneField('shop.Product',"
        " CASCADE, auto_created=True, parent_link=True, primary_key=True, serialize=False)),"
        " ('pages', models.IntegerField())], bases=('shop.product',))",
        "Multi-table inheritance is a table with a foreign key to its parent.",
        s.LOCKS,
    ),
    case(
        "create_proxy",
        "none works kept works safe",
        "migrations.CreateModel('Cheap', [], options={'proxy': True}, bases=('shop.product',))",
        "A proxy has no table.",
        s.OPERATIONS,
    ),
    case(
        "create_unmanaged",
        "none works kept works safe",
        create("Seen", "word: CharField(max_length=9)", options="{'managed': False}"),
        "Django makes no table for it.",
        s.OPERATIONS,
    ),
    case(
        "create_and_change_in_one_plan",
        "none works kept works safe",
        [
            create("Coupon", "code: CharField(max_length=9)"),
            ", ".join(
                [
                    add("Coupon", "worth", "IntegerField(default=0, db_index=True)"),
                    alter("Coupon", "code", "TextField(unique=True)"),
                    rule(
                        "Coupon", "CheckConstraint(condition=Q(worth__gte=0), name='worth_ok')"
                    ),
                ]
            ),
            index("Coupon", "code worth", "coupon_both"),
        ],
        "A table of an earlier migration of the plan is empty, and nobody uses it.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "create_and_rename_in_one_plan",
        "none works kept works safe",
        [
            create("Coupon", "code: CharField(max_length=9)"),
            "migrations.RenameModel('Coupon', 'Voucher'), " + rename("Voucher", "code", "word"),
        ],
        "Nobody knows the name that the plan itself gave.",
        s.OPERATIONS,
    ),
    case(
        "create_and_delete_in_one_plan",
        "none works kept works safe",
        [create("Coupon", "code: CharField(max_length=9)"), "migrations.DeleteModel('Coupon')"],
        "What comes and goes in one plan held nothing.",
        s.OPERATIONS,
    ),
    case(
        "create_and_fill",
        "none works kept works safe",
        [
            create("Coupon", "code: CharField(max_length=9)"),
            sql("INSERT INTO shop_coupon (code) VALUES ('a'), ('b')", "DELETE FROM shop_coupon"),
        ],
        "A few rows in a new table.",
        s.OPERATIONS,
    ),
    case(
        "create_and_fill_from_another",
        "none works kept works caution",
        [
            create("Coupon", "code: CharField(max_length=30)"),
            sql("INSERT INTO shop_coupon (code) SELECT word FROM shop_old", "noop"),
        ],
        "Reading locks nobody out, but takes longer the more rows there are.",
        s.LOCKS,
    ),
    case(
        "create_as_select",
        "none works kept works caution",
        sql("CREATE TABLE shop_copy AS SELECT * FROM shop_order", "DROP TABLE shop_copy"),
        "The same in one statement.",
        s.LOCKS,
    ),
    case(
        "create_and_refer",
        "grows works kept works dangerous",
        [
            create("Shelf", "name: CharField(max_length=9)"),
            add("Product", "shelf", "ForeignKey('shop.Shelf', CASCADE, null=True)"),
        ],
        "The parent is new, but the index of the foreign key is built over the old table.",
        s.STRONG,
    ),
    case(
        "create_partitioned",
        "none works kept works safe",
        sql(
            "CREATE TABLE shop_log (at date NOT NULL) PARTITION BY RANGE (at);"
            "CREATE TABLE shop_log_2025 PARTITION OF shop_log"
            " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
            "DROP TABLE shop_log",
        ),
        "New tables, though of a kind that Django does not know.",
        s.PARTITIONS,
    ),
    case(
        "attach_partition",
        "grows works may_fail works dangerous",
        sql(ATTACH, "ALTER TABLE shop_log DETACH PARTITION shop_log_2025"),
        "The rows of the table are held against the bounds under ACCESS EXCLUSIVE on it.",
        s.PARTITIONS,
        before=sql(LOG),
        spoil="INSERT INTO shop_log_2025 VALUES (0, '2024-01-01')",
    ),
    case(
        "create_materialized_view",
        "none works kept works caution",
        sql(
            "CREATE MATERIALIZED VIEW shop_totals AS SELECT sum(total) FROM shop_order",
            "DROP MATERIALIZED VIEW shop_totals",
        ),
        "It reads the table, which keeps nobody out.",
        s.VIEW,
    ),
)  # fmt: skip

GONE = (
    case(
        "delete",
        "brief breaks lost works dangerous",
        "migrations.DeleteModel('Old')",
        "DROP TABLE is quick, and everything in it is gone.",
        s.squawk("ban-drop-table"),
    ),
    case(
        "delete_with_foreign_keys",
        "brief breaks lost works dangerous",
        "migrations.DeleteModel('Line')",
        "Its foreign keys go too, which locks the tables that they point to.",
        s.LOCKS,
    ),
    case(
        "delete_from_state",
        "none works kept works safe",
        separate("", "migrations.DeleteModel('Old')"),
        "The table stays: the first half of removing it carefully.",
        s.POSTHOG,
    ),
    case(
        "delete_after_state",
        "brief works lost works dangerous",
        sql(
            'DROP TABLE "shop_old"',
            'CREATE TABLE "shop_old" (id serial PRIMARY KEY, word varchar(30) NOT NULL)',
        ),
        "The running release does not know it any more; what it holds goes all the same.",
        s.POSTHOG,
        before=separate("", "migrations.DeleteModel('Old')"),
    ),
)

RENAMED = (
    case(
        "rename_model",
        "brief breaks kept works dangerous",
        "migrations.RenameModel('Old', 'Older')",
        "The table is named after the model.",
        s.squawk("renaming-table"),
    ),
    case(
        "rename_model_with_many_to_many",
        "grows breaks kept works dangerous",
        "migrations.RenameModel('Product', 'Item')",
        "The column of the table in between is altered too, and its foreign key made and "
        "validated again; sqlmigrate does not show it.",
        s.OPERATIONS,
    ),
    case(
        "rename_model_with_table_kept",
        "none works kept works safe",
        "migrations.RenameModel('Old', 'Older')",
        "With db_table the name stays in the database.",
        s.OPERATIONS,
        before="migrations.AlterModelTable('Old', 'shop_old')",
    ),
    case(
        "rename_model_that_is_referred_to",
        "grows breaks kept works dangerous",
        "migrations.RenameModel('Customer', 'Client')",
        "Django alters the fields that refer to it: their foreign keys are made again.",
        s.OPERATIONS,
    ),
    case(
        "rename_table",
        "brief breaks kept works dangerous",
        "migrations.AlterModelTable('Old', 'shop_ancient')",
        "The old code asks for the old name.",
        s.LINTER,
    ),
    case(
        "rename_table_to_itself",
        "none works kept works safe",
        "migrations.AlterModelTable('Old', 'shop_old')",
        "Nothing changes.",
        s.OPERATIONS,
    ),
)

STATE = (
    case(
        "table_comment",
        "none works kept works safe",
        "migrations.AlterModelTableComment('Product', 'what we sell')",
        "COMMENT takes SHARE UPDATE EXCLUSIVE.",
        s.COMMENT,
    ),
    case(
        "model_options",
        "none works kept works safe",
        "migrations.AlterModelOptions('Product', {'ordering': ['name'], 'verbose_name': 'thing'})",
        "Options are Django's affair.",
        s.OPERATIONS,
    ),
    case(
        "model_managers",
        "none works kept works safe",
        "migrations.AlterModelManagers('Product', [('things', models.Manager())])",
        "So are managers.",
        s.OPERATIONS,
    ),
    case(
        "through_by_state",
        "none works kept works safe",
        separate("", THROUGH),
        "The table in between becomes a model and stays what it is.",
        s.WRITING,
    ),
)

CASES = (*MADE, *GONE, *RENAMED, *STATE)
