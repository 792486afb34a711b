"""Constraints and indexes: swapped, loosened, covering, and in a string with something else."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    add,
    alone,
    back,
    case,
    check,
    index,
    index_concurrently,
    rule,
    separate,
    sql,
)
from tests.labelled.heldout import sources as h

NO_OVERLAP = rule(
    "Booking", "pgc.ExclusionConstraint(name='no_overlap', expressions=[('during', '&&')])"
)
OVERLAP = (
    "UPDATE shop_booking SET during = (SELECT during FROM shop_booking WHERE id = 2) WHERE id = 1"
)
NO_NO_OVERLAP = "migrations.RemoveConstraint('Booking', 'no_overlap')"
LOOSE = [
    (
        "ALTER TABLE shop_product ADD CONSTRAINT loose_fk FOREIGN KEY (loose) REFERENCES shop_tag"
        " NOT VALID"
    ),
    "ALTER TABLE shop_product VALIDATE CONSTRAINT loose_fk",
]
NOT_LOOSE = "ALTER TABLE shop_product DROP CONSTRAINT loose_fk"
ORPHAN = "UPDATE shop_product SET loose = 9999 WHERE id = 1"
CONCURRENTLY = "CREATE INDEX CONCURRENTLY by_status ON shop_order (status)"
THIRD = "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+', {})"

SWAPPED = (
    case(
        "held_unique_widened",
        "grows works kept fails dangerous",
        "migrations.RemoveConstraint('Order', 'order_number_once'), "
        + rule(
            "Order",
            "UniqueConstraint(fields=['number', 'customer'], name='order_number_once_each')",
        ),
        "What was unique alone is unique together: no row can stop it, but its index is built.",
        s.squawk("disallowed-unique-constraint"),
        since="UPDATE shop_order SET number = 2 WHERE id = 1",
    ),
    case(
        "held_unique_together_to_constraint",
        "grows works kept works dangerous",
        rule("Line", "UniqueConstraint(fields=['order', 'place'], name='line_place_once')")
        + ", migrations.AlterUniqueTogether('Line', set())",
        "The same rule by another name, as Django advises: the rows keep it already, and the "
        "index is built once more.",
        s.CONSTRAINTS,
    ),
    case(
        "held_check_loosened",
        "grows works kept fails dangerous",
        "migrations.RemoveConstraint('Product', 'stock_ok'), "
        + rule("Product", check("stock__gte=-5", "stock_ok")),
        "A looser rule is a new one, held against all rows, though none can break it.",
        s.squawk("constraint-missing-not-valid"),
        since="UPDATE shop_product SET stock = -3 WHERE id = 1",
    ),
    case(
        "held_constraint_renamed",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_product RENAME CONSTRAINT stock_ok TO stock_right",
            "ALTER TABLE shop_product RENAME CONSTRAINT stock_right TO stock_ok",
        ),
        "The catalogue alone, under ACCESS EXCLUSIVE for an instant.",
        s.ALTER,
    ),
    case(
        "held_constraint_dropped_for_good",
        "brief works kept impossible caution",
        sql("ALTER TABLE shop_product DROP CONSTRAINT stock_ok"),
        "The rule goes, and the migration says no way back.",
        s.ALTER,
    ),
    case(
        "held_exclusion_removed",
        "brief works kept fails caution",
        NO_NO_OVERLAP,
        "Rows written since may overlap.",
        s.ALTER,
        before=NO_OVERLAP,
        since=OVERLAP,
    ),
    back(
        "held_back_exclusion_removed",
        "grows depends may_fail works dangerous",
        [NO_OVERLAP, NO_NO_OVERLAP],
        "Going over both back makes the constraint and drops it: each row is held against the "
        "others under ACCESS EXCLUSIVE.",
        s.STRONG,
        spoil=OVERLAP,
    ),
    case(
        "held_unique_covering",
        "grows depends may_fail works dangerous",
        rule(
            "Customer",
            "UniqueConstraint(fields=['email'], include=['phone'], name='email_once')",
        ),
        "A covering one is a unique index like any other, built over all rows.",
        s.CONSTRAINTS,
        spoil="UPDATE shop_customer SET email = '2@example.org' WHERE id = 1",
    ),
    case(
        "held_unique_concurrently_in_one_plan",
        "brief depends may_fail works caution",
        alone(
            sql("CREATE UNIQUE INDEX CONCURRENTLY email_at ON shop_customer (email)", "noop"),
            separate(
                sql(
                    "ALTER TABLE shop_customer ADD CONSTRAINT email_once UNIQUE USING INDEX"
                    " email_at",
                    "ALTER TABLE shop_customer DROP CONSTRAINT email_once",
                ),
                rule("Customer", "UniqueConstraint(fields=['email'], name='email_once')"),
            ),
        ),
        "The index is built beside readers and writers, and made a constraint in an instant.",
        s.squawk("disallowed-unique-constraint"),
        spoil="UPDATE shop_customer SET email = '2@example.org' WHERE id = 1",
    ),
)

STRINGS = (
    case(
        "held_key_validated_in_one_string",
        "grows depends may_fail works dangerous",
        alone(sql("; ".join(LOOSE), NOT_LOOSE)),
        "atomic=False does not part what is one string: PostgreSQL runs it as one transaction, "
        "and the lock of the first statement is held while the second reads all rows.",
        h.ONE_STRING,
        spoil=ORPHAN,
    ),
    case(
        "held_key_validated_in_a_list",
        "brief depends may_fail works caution",
        alone(sql(LOOSE, NOT_LOOSE)),
        "In a list each statement is sent by itself, and without a transaction the first lock "
        "ends with it.",
        s.squawk("adding-foreign-key-constraint"),
        spoil=ORPHAN,
    ),
    case(
        "held_key_validated_in_a_list_in_transaction",
        "grows depends may_fail works dangerous",
        sql(LOOSE, NOT_LOOSE),
        "Both in one transaction: writers of both tables wait until all rows are compared.",
        s.squawk("adding-foreign-key-constraint"),
        spoil=ORPHAN,
    ),
    case(
        "held_concurrently_in_one_string",
        "none works kept works dangerous",
        alone(sql(f"SET lock_timeout = '2s'; {CONCURRENTLY}", "DROP INDEX by_status")),
        "Two statements in one string are one transaction, in which CONCURRENTLY is refused: it "
        "cannot succeed.",
        h.IN_TRANSACTION,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_concurrently_in_a_list",
        "none works kept works caution",
        alone(sql(["SET lock_timeout = '2s'", CONCURRENTLY], "DROP INDEX CONCURRENTLY by_status")),
        "In a list each is sent by itself.",
        s.INDEX,
    ),
    case(
        "held_concurrently_in_transaction_by_sql",
        "none works kept works dangerous",
        sql(CONCURRENTLY, "DROP INDEX by_status"),
        "CONCURRENTLY is refused inside a transaction: it cannot succeed.",
        h.IN_TRANSACTION,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_index_left_by_a_failed_run",
        "none works kept works dangerous",
        alone(index_concurrently("Order", "status", "by_status")),
        "A run that was broken off left an index of this name: it cannot succeed.",
        h.LEFT_INVALID,
        before=sql("CREATE INDEX by_status ON shop_order (number)"),
        fails=True,
        unmeasured=("data",),
    ),
)

INDEXES = (
    case(
        "held_index_covering",
        "grows works kept works dangerous",
        index("Order", "status", "by_status", include="['total']"),
        "INCLUDE makes an index larger, and its lock is the same.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "held_index_of_expression",
        "grows works kept works dangerous",
        "migrations.AddIndex('Customer', models.Index(Lower('email'), name='by_lower'))",
        "All rows are read and computed while writers wait.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "held_index_of_expression_concurrently",
        "none works kept works caution",
        alone(
            "pg.AddIndexConcurrently('Customer',"
            " models.Index(Lower('email').desc(), 'phone', name='by_lower'))"
        ),
        "Others read and write meanwhile.",
        s.INDEX,
    ),
    case(
        "held_index_dropped_by_sql",
        "brief works kept works caution",
        sql("DROP INDEX product_price", "CREATE INDEX product_price ON shop_product (price)"),
        "ACCESS EXCLUSIVE on the table for an instant.",
        s.squawk("require-concurrent-index-deletion"),
    ),
    case(
        "held_index_named_by_its_fields",
        "none works kept works safe",
        "migrations.RenameIndex('Line', new_name='by_both', old_fields=('product', 'count'))",
        "An index of index_together gets a name of its own: the index alone is locked.",
        s.OPERATIONS,
        before="migrations.AlterIndexTogether('Line', {('product', 'count')})",
    ),
    case(
        "held_foreign_key_in_four_steps",
        "brief works kept works caution",
        [
            add("Product", "third", THIRD.format("db_constraint=False, db_index=False")),
            alone(
                separate(
                    sql(
                        "CREATE INDEX CONCURRENTLY third_at ON shop_product (third_id)",
                        "DROP INDEX CONCURRENTLY third_at",
                    ),
                )
            ),
            sql(
                "ALTER TABLE shop_product ADD CONSTRAINT third_fk FOREIGN KEY (third_id)"
                " REFERENCES shop_maker NOT VALID",
                "ALTER TABLE shop_product DROP CONSTRAINT third_fk",
            ),
            sql("ALTER TABLE shop_product VALIDATE CONSTRAINT third_fk", "noop"),
        ],
        "The careful way: every lock is for an instant, and a new column holds no orphan.",
        s.squawk("adding-foreign-key-constraint"),
    ),
    back(
        "held_back_index_removed_concurrently",
        "none works kept works caution",
        alone("pg.RemoveIndexConcurrently('Product', 'product_price')"),
        "It is built again, concurrently.",
        s.DJANGO_PG,
    ),
)

CASES = (*SWAPPED, *STRINGS, *INDEXES)
