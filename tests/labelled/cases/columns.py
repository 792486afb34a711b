"""Columns that come, go, and get another name."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import add, alter, case, check, remove, rename, rule, separate, sql

ADDED = (
    case(
        "add_nullable",
        "brief works kept works caution",
        add("Product", "width", "IntegerField(null=True)"),
        "A column without a default is a change of the catalogue; ALTER TABLE locks all for it.",
        s.ALTER,
    ),
    case(
        "add_several_nullable",
        "brief works kept works caution",
        ", ".join(add("Product", f"w{i}", "TextField(null=True)") for i in range(4)),
        "Four changes of the catalogue in one transaction are still no work over the rows.",
        s.ALTER,
    ),
    case(
        "add_nullable_with_default",
        "brief works kept works caution",
        add("Product", "width", "IntegerField(null=True, default=5)"),
        "Django fills old rows by a default that it drops again: a constant is kept in the "
        "catalogue, and the old release's INSERT gives NULL.",
        s.ALTER,
    ),
    case(
        "add_python_default",
        "brief breaks kept works dangerous",
        add("Product", "width", "IntegerField(default=0)"),
        "The constant is kept in the catalogue, but Django drops it from the column: the old "
        "release's INSERT leaves NOT NULL without a value.",
        s.LINTER,
    ),
    case(
        "add_blank_text",
        "brief breaks kept works dangerous",
        add("Customer", "city", "CharField(max_length=40, blank=True, default='')"),
        "The empty string is a default of Django's alone, like any other.",
        s.LINTER,
    ),
    case(
        "add_callable_default",
        "brief breaks kept works dangerous",
        add("Order", "data", "JSONField(default=dict)"),
        "Django calls the default once and sends a constant: no rewrite, and no default stays.",
        s.FIELDS,
    ),
    case(
        "add_uuid_default",
        "brief breaks kept works dangerous",
        add("Order", "token", "UUIDField(default=uuid.uuid4)"),
        "uuid4 is called once, so there is no rewrite; the old release sends nothing.",
        s.WRITING,
    ),
    case(
        "add_now_by_python",
        "brief breaks kept works dangerous",
        add("Order", "seen", "DateTimeField(auto_now=True)"),
        "auto_now is Django's affair: the column has no default in the database.",
        s.FIELDS,
    ),
    case(
        "add_db_default",
        "brief works kept works caution",
        add("Product", "width", "IntegerField(db_default=0)"),
        "A constant default stays in the database: no rewrite, and the old INSERT gets it.",
        s.ALTER,
    ),
    case(
        "add_db_default_and_default",
        "brief works kept works caution",
        add("Product", "width", "IntegerField(default=1, db_default=0)"),
        "The database keeps its own default beside Django's.",
        s.FIELDS,
    ),
    case(
        "add_db_default_text",
        "brief works kept works caution",
        add("Customer", "city", "CharField(max_length=40, db_default='')"),
        "A constant default, kept in the catalogue.",
        s.squawk("adding-field-with-default"),
    ),
    case(
        "add_db_default_now",
        "brief works kept works caution",
        add("Order", "seen", "DateTimeField(db_default=Now())"),
        "statement_timestamp() is stable, so it is evaluated once and no row is rewritten.",
        s.ALTER,
    ),
    case(
        "add_db_default_immutable_call",
        "brief works kept works caution",
        add("Order", "kind", "CharField(max_length=9, db_default=Lower(Value('ABC')))"),
        "lower() is immutable: evaluated once.",
        s.ALTER,
    ),
    case(
        "add_db_default_random",
        "grows works kept works dangerous",
        add("Product", "dice", "FloatField(db_default=functions.Random())"),
        "random() is volatile: every row is written with its own value.",
        s.ALTER,
    ),
    case(
        "add_db_default_uuid",
        "grows works kept works dangerous",
        add(
            "Product",
            "token",
            "UUIDField(db_default=models.Func(function='gen_random_uuid',"
            " output_field=models.UUIDField()))",
        ),
        "gen_random_uuid() is volatile: the table is rewritten.",
        s.squawk("adding-field-with-default"),
    ),
    case(
        "add_db_default_clock",
        "grows works kept works dangerous",
        add(
            "Product",
            "at",
            "DateTimeField(db_default=models.Func(function='clock_timestamp',"
            " output_field=models.DateTimeField()))",
        ),
        "clock_timestamp() is volatile, though it looks like now().",
        s.ALTER,
    ),
    case(
        "add_generated",
        "grows works kept works dangerous",
        add(
            "Product",
            "worth",
            "GeneratedField(expression=F('stock') * F('weight'),"
            " output_field=models.FloatField(), db_persist=True)",
        ),
        "A stored generated column is computed for every row: a rewrite.",
        s.STRONG,
    ),
    case(
        "add_unique_nullable",
        "grows works kept works dangerous",
        add("Product", "ean", "CharField(max_length=13, null=True, unique=True)"),
        "The unique index is built while ALTER TABLE holds everybody out; NULLs are not equal.",
        s.squawk("disallowed-unique-constraint"),
    ),
    case(
        "add_unique_constant",
        "grows breaks may_fail works dangerous",
        add("Product", "ean", "CharField(max_length=13, default='x', unique=True)"),
        "Every row gets the same value, which must be unique.",
        s.WRITING,
        fails=True,
    ),
    case(
        "add_unique_uuid",
        "grows breaks may_fail works dangerous",
        add("Product", "token", "UUIDField(default=uuid.uuid4, unique=True)"),
        "The default is called once, so every row gets the same value.",
        s.WRITING,
        fails=True,
    ),
    case(
        "add_not_null_without_value",
        "brief breaks may_fail works dangerous",
        add("Product", "width", "IntegerField()"),
        "NOT NULL without any default stops at the first row.",
        s.squawk("adding-required-field"),
        fails=True,
    ),
    case(
        "add_indexed",
        "grows works kept works dangerous",
        add("Product", "width", "IntegerField(null=True, db_index=True)"),
        "CREATE INDEX follows in the same transaction, under ALTER TABLE's lock.",
        s.LINTER,
    ),
    case(
        "add_foreign_key",
        "grows works kept works dangerous",
        add("Product", "third", "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+')"),
        "A foreign key brings an index, built over all rows under ALTER TABLE's lock.",
        s.STRONG,
    ),
    case(
        "add_foreign_key_with_default",
        "grows breaks kept works dangerous",
        add("Product", "third", "ForeignKey('shop.Maker', CASCADE, default=1, related_name='+')"),
        "The index, the check of all rows against the parent, and NOT NULL for the old release.",
        s.squawk("adding-foreign-key-constraint"),
    ),
    case(
        "add_foreign_key_without_index",
        "brief works kept works caution",
        add(
            "Product",
            "third",
            "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+',"
            " db_constraint=False, db_index=False)",
        ),
        "Without constraint and index it is an integer column that may be NULL.",
        s.FIELDS,
    ),
    case(
        "add_foreign_key_unindexed",
        "brief works kept works caution",
        add(
            "Product",
            "third",
            "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+', db_index=False)",
        ),
        "A foreign key on a new column that holds NULL alone has no rows to compare: PostgreSQL "
        "skips the check when the column is made in the same command.",
        s.ALTER,
    ),
    case(
        "add_one_to_one",
        "grows works kept works dangerous",
        add("Order", "twin", "OneToOneField('shop.Order', CASCADE, null=True)"),
        "A unique index over all rows, under ALTER TABLE's lock.",
        s.squawk("disallowed-unique-constraint"),
    ),
    case(
        "add_many_to_many",
        "brief works kept works caution",
        add("Order", "tags", "ManyToManyField('shop.Tag')"),
        "A new table; its foreign keys take SHARE ROW EXCLUSIVE on both sides for an instant.",
        s.LOCKS,
    ),
    case(
        "add_positive",
        "grows works kept works dangerous",
        add("Product", "width", "PositiveIntegerField(null=True)"),
        "The column brings a CHECK, and a CHECK is held against all rows.",
        s.ALTER,
    ),
    case(
        "add_positive_db_default",
        "grows works kept works dangerous",
        add("Product", "width", "PositiveIntegerField(db_default=1)"),
        "The same with a value to check.",
        s.ALTER,
    ),
    case(
        "add_by_separate",
        "brief breaks kept works dangerous",
        separate(add("Product", "width", "IntegerField(default=0)"), ""),
        "What is done inside SeparateDatabaseAndState is done all the same.",
        s.OPERATIONS,
    ),
    case(
        "add_state_only",
        "none works kept works safe",
        separate("", add("Product", "width", "IntegerField(null=True)")),
        "State operations send nothing.",
        s.OPERATIONS,
    ),
    case(
        "add_order_with_respect_to",
        "brief breaks kept works dangerous",
        "migrations.AlterOrderWithRespectTo('Line', 'order')",
        "Django adds a column _order, NOT NULL, whose default it drops.",
        s.OPERATIONS,
    ),
    case(
        "add_and_check",
        "grows depends kept works dangerous",
        f"{add('Product', 'width', 'IntegerField(null=True)')}, "
        f"{rule('Product', check('width__gte=0', 'width_ok'))}",
        "The check of a column that is new is held against all rows none the less.",
        s.squawk("constraint-missing-not-valid"),
    ),
)  # fmt: skip

REMOVED = (
    case(
        "remove_nullable",
        "brief breaks lost works dangerous",
        remove("Product", "note"),
        "DROP COLUMN is quick, but Django's old code names every column, and the values are gone.",
        s.squawk("ban-drop-column"),
    ),
    case(
        "remove_not_null",
        "brief breaks lost fails dangerous",
        remove("Product", "weight"),
        "Going back adds a NOT NULL column and has no value for the rows.",
        s.OPERATIONS,
    ),
    case(
        "remove_foreign_key",
        "brief breaks lost fails dangerous",
        remove("Product", "maker"),
        "The foreign key goes too, which locks the table that it points to.",
        s.LOCKS,
    ),
    case(
        "remove_nullable_foreign_key",
        "brief breaks lost works dangerous",
        remove("Product", "second"),
        "It can be added again without values.",
        s.ATLAS,
    ),
    case(
        "remove_many_to_many",
        "brief breaks lost works dangerous",
        remove("Product", "tags"),
        "Removing the field drops the table in between.",
        s.squawk("ban-drop-table"),
    ),
    case(
        "remove_from_state",
        "none works kept works safe",
        separate("", remove("Product", "note")),
        "The column stays: the first half of removing it carefully.",
        s.POSTHOG,
    ),
    case(
        "remove_after_state",
        "brief works lost works dangerous",
        sql(
            'ALTER TABLE "shop_product" DROP COLUMN "note"',
            'ALTER TABLE "shop_product" ADD COLUMN "note" varchar(50)',
        ),
        "The release that runs does not know the column any more; its values go all the same.",
        s.POSTHOG,
        before=separate("", remove("Product", "note")),
    ),
    case(
        "remove_indexed",
        "brief breaks lost fails dangerous",
        remove("Product", "code"),
        "Its indexes go with it, in the catalogue alone.",
        s.ALTER,
    ),
    case(
        "add_and_remove_in_one_plan",
        "brief works kept works caution",
        [add("Product", "width", "IntegerField(null=True)"), remove("Product", "width")],
        "Nobody has used a column that comes and goes in one plan; it holds nothing.",
        s.ALTER,
    ),
)

RENAMED = (
    case(
        "rename_field",
        "brief breaks kept works dangerous",
        rename("Product", "note", "remark"),
        "The old code asks for the old name.",
        s.squawk("renaming-column"),
    ),
    case(
        "rename_foreign_key",
        "grows breaks kept works dangerous",
        rename("Product", "maker", "brand"),
        "maker_id becomes brand_id; Django drops the foreign key and adds it again, which compares "
        "all rows under the rename's lock.",
        s.LINTER,
    ),
    case(
        "rename_with_column_kept",
        "none works kept works safe",
        alter("Product", "note", "CharField(max_length=50, null=True, db_column='note')")
        + ", "
        + rename("Product", "note", "remark"),
        "With db_column the name stays in the database, and nothing is sent.",
        s.FIELDS,
    ),
    case(
        "rename_by_db_column",
        "brief breaks kept works dangerous",
        alter("Product", "note", "CharField(max_length=50, null=True, db_column='remark')"),
        "The field keeps its name and the column gets another.",
        s.FIELDS,
    ),
    case(
        "rename_many_to_many",
        "brief breaks kept works dangerous",
        rename("Product", "tags", "labels"),
        "The table in between is named after the field.",
        s.OPERATIONS,
    ),
    case(
        "rename_what_the_plan_added",
        "brief works kept works caution",
        [add("Product", "width", "IntegerField(null=True)"), rename("Product", "width", "breadth")],
        "The running release has never heard of either name.",
        s.ALTER,
    ),
)  # fmt: skip

CASES = (*ADDED, *REMOVED, *RENAMED)
