"""Several migrations in one plan, plans without a transaction, and plans that go back."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    add,
    alone,
    alter,
    back,
    case,
    check,
    create,
    python,
    remove,
    rows,
    rule,
    rule_not_valid,
    separate,
    sql,
)
from tests.labelled.case import Move
from tests.labelled.heldout import sources as h
from tests.labelled.heldout.objects import VIEW

PAID = add("Order", "paid", "BooleanField(null=True)")
BATCHES = [
    f"UPDATE shop_order SET paid = false WHERE id BETWEEN {first} AND {first + 9}"
    for first in range(1, 121, 10)
]

FORWARDS = (
    case(
        "held_unique_uuid_in_three_steps",
        "grows breaks kept works dangerous",
        [
            add("Maker", "token", "UUIDField(default=uuid.uuid4, null=True)"),
            python(
                f"for row in {rows('Maker')}.all():\n"
                "    row.token = uuid.uuid4()\n    row.save(update_fields=['token'])"
            ),
            alter("Maker", "token", "UUIDField(default=uuid.uuid4, unique=True)"),
        ],
        "Django's guide: every row gets a value of its own, so nothing stops it; all rows are "
        "locked, then indexed, and the running release leaves NULL.",
        s.WRITING,
    ),
    case(
        "held_column_and_sql_batches",
        "brief works kept works caution",
        alone(PAID, sql(BATCHES, "noop")),
        "Each batch is sent and committed by itself.",
        s.STRONG,
    ),
    case(
        "held_sql_batches_in_transaction",
        "none works kept works safe",
        sql(BATCHES, "noop"),
        "Batches in one transaction are one batch, but these name 120 rows by their keys, whatever "
        "the table's size.",
        s.STRONG,
        before=PAID,
        unmeasured=("lock",),
    ),
    case(
        "held_half_done_without_transaction",
        "grows depends may_fail works dangerous",
        alone(PAID, rule("Customer", "UniqueConstraint(fields=['email'], name='email_once')")),
        "Equal rows stop the second operation, and the first stays.",
        s.MIGRATIONS,
        spoil="UPDATE shop_customer SET email = '2@example.org' WHERE id = 1",
    ),
    case(
        "held_removed_in_two_steps_of_one_plan",
        "brief breaks lost works dangerous",
        [
            separate("", remove("Product", "note")),
            sql(
                "ALTER TABLE shop_product DROP COLUMN note",
                "ALTER TABLE shop_product ADD COLUMN note varchar(50)",
            ),
        ],
        "The careful way needs a release in between; here the one that runs knows the column.",
        s.POSTHOG,
    ),
    case(
        "held_field_moved_to_another_model",
        "grows breaks lost fails dangerous",
        [
            add("Customer", "last", "CharField(max_length=20, null=True)"),
            sql(
                "UPDATE shop_customer c SET last = o.status FROM shop_order o"
                " WHERE o.customer_id = c.id",
                "noop",
            ),
            remove("Order", "status"),
        ],
        "A column, a copy of every row, and the removal that the running release trips over; "
        "NOT NULL has no value on the way back.",
        s.STRONG,
    ),
    case(
        "held_state_alters_only",
        "none works kept works safe",
        separate("", alter("Product", "name", "CharField(max_length=200)")),
        "What only the state is told, the database never hears.",
        s.OPERATIONS,
    ),
    case(
        "held_added_by_hand_with_a_default",
        "brief works kept works caution",
        separate(
            sql(
                "ALTER TABLE shop_product ADD COLUMN width integer NOT NULL DEFAULT 0",
                "ALTER TABLE shop_product DROP COLUMN width",
            ),
            add("Product", "width", "IntegerField(default=0)"),
        ),
        "By hand the default stays in the database, where Django would have dropped it: the "
        "running release need not know the column.",
        s.POSTHOG,
    ),
    case(
        "held_python_then_column",
        "brief works kept works dangerous",
        Move(
            operations="migrations.RunPython(work, migrations.RunPython.noop), "
            + add("Line", "gift", "BooleanField(null=True)"),
            head=f"def work(apps, editor):\n    {rows('Line')}.filter(id=1).update(product_id=2)\n",
        ),
        "The foreign key is checked at COMMIT, and ALTER TABLE refuses while it is pending: it "
        "cannot succeed.",
        h.PENDING,
        fails=True,
        unmeasured=("data",),
    ),
)

BACKWARDS = (
    back(
        "held_back_rule_in_two_steps",
        "brief works kept works caution",
        [
            rule_not_valid("Line", check("count__gt=0", "count_positive")),
            "pg.ValidateConstraint('Line', 'count_positive')",
        ],
        "A validation has nothing to undo; the constraint is dropped.",
        s.DJANGO_PG,
    ),
    back(
        "held_back_many_to_many_removed",
        "brief works kept works caution",
        remove("Product", "tags"),
        "The table in between is made anew, and empty; its keys lock both sides for an instant.",
        s.OPERATIONS,
    ),
    back(
        "held_back_index_renamed",
        "none works kept works safe",
        "migrations.RenameIndex('Product', 'by_price', old_name='product_price')",
        "The index alone, in both directions.",
        s.OPERATIONS,
    ),
    back(
        "held_back_table_renamed",
        "brief breaks kept works dangerous",
        "migrations.AlterModelTable('Old', 'shop_ancient')",
        "A rename is one in both directions.",
        s.LINTER,
    ),
    back(
        "held_back_extension",
        "none works kept works safe",
        "pg.TrigramExtension()",
        "Nothing uses it: DROP EXTENSION takes nothing else with it.",
        h.EXTENSION,
    ),
    back(
        "held_back_view",
        "none breaks kept works dangerous",
        VIEW,
        "The view that an unmanaged model reads is dropped.",
        h.VIEW_IN_PLACE,
        writes={"Brief": {}},
    ),
    back(
        "held_back_foreign_key_to_integer",
        "grows depends may_fail works dangerous",
        alter("Product", "second", "IntegerField(null=True, db_column='second_id')"),
        "Index and foreign key come back, and both read all rows.",
        s.FIELDS,
        spoil="UPDATE shop_product SET second_id = 9999 WHERE id = 1",
    ),
    back(
        "held_back_sql_drops_a_table",
        "brief works lost works dangerous",
        sql("CREATE TABLE shop_extra AS SELECT id, word FROM shop_old", "DROP TABLE shop_extra"),
        "reverse_sql drops a table with rows, of which Django's models know nothing.",
        s.squawk("ban-drop-table"),
    ),
    back(
        "held_back_added_by_hand",
        "brief breaks lost works dangerous",
        separate(
            sql(
                "ALTER TABLE shop_product ADD COLUMN width integer NOT NULL DEFAULT 0",
                "ALTER TABLE shop_product DROP COLUMN width",
            ),
            add("Product", "width", "IntegerField(default=0)"),
        ),
        "reverse_sql drops the column that the release writes.",
        s.squawk("ban-drop-column"),
    ),
    back(
        "held_back_create_and_relation",
        "brief breaks lost works dangerous",
        [
            create("Coupon", "code: CharField(max_length=9)"),
            add("Order", "coupons", "ManyToManyField('shop.Coupon')"),
        ],
        "Two tables go, and the keys of the second lock what it points to.",
        s.OPERATIONS,
        writes={"Coupon": {"code": "c" * 9}},
        spoil="INSERT INTO shop_coupon (code) VALUES ('a')",
    ),
)

CASES = (*FORWARDS, *BACKWARDS)
