"""Constraints, keys and indexes."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    add,
    alone,
    alter,
    case,
    check,
    index,
    index_concurrently,
    rule,
    rule_not_valid,
    separate,
    sql,
)

UNIQUE_EMAIL = "UniqueConstraint(fields=['email'], name='email_once')"
TWICE = "UPDATE shop_customer SET email = '2@example.org' WHERE id = 1"
POSITIVE = check("count__gt=0", "count_positive")
NEGATIVE = "UPDATE shop_line SET count = -1 WHERE id = 1"
ORPHAN_KEY = (
    "ALTER TABLE shop_product ADD CONSTRAINT loose_fk FOREIGN KEY (loose) REFERENCES shop_tag"
)
UNCONSTRAINED = alter(
    "Product", "second", "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+',"
    " db_constraint=False)",
)  # fmt: skip
CONSTRAINED = alter(
    "Product", "second", "ForeignKey('shop.Maker', CASCADE, null=True, related_name='+')"
)
ORPHAN = "UPDATE shop_product SET second_id = 9999 WHERE id = 1"

CHECKS = (
    case(
        "check",
        "grows depends may_fail works dangerous",
        rule("Line", POSITIVE),
        "All rows are read under ACCESS EXCLUSIVE.",
        s.squawk("constraint-missing-not-valid"),
        spoil=NEGATIVE,
    ),
    case(
        "check_not_valid",
        "brief depends kept works caution",
        rule_not_valid("Line", POSITIVE),
        "NOT VALID is for rows to come: old ones are not read.",
        s.DJANGO_PG,
    ),
    case(
        "check_validated",
        "none works may_fail works caution",
        "pg.ValidateConstraint('Line', 'count_positive')",
        "VALIDATE reads all rows under SHARE UPDATE EXCLUSIVE.",
        s.ALTER,
        before=rule_not_valid("Line", POSITIVE),
        unmeasured=("data",),
    ),
    case(
        "check_in_two_migrations",
        "brief depends may_fail works caution",
        [rule_not_valid("Line", POSITIVE), "pg.ValidateConstraint('Line', 'count_positive')"],
        "The lock of the first ends with it.",
        s.DJANGO_PG,
        spoil=NEGATIVE,
    ),
    case(
        "check_not_valid_and_validated_at_once",
        "grows depends may_fail works dangerous",
        rule_not_valid("Line", POSITIVE) + ", pg.ValidateConstraint('Line', 'count_positive')",
        "In one transaction the scan goes on under the lock that ADD CONSTRAINT took.",
        s.squawk("constraint-missing-not-valid"),
        spoil=NEGATIVE,
    ),
    case(
        "check_removed",
        "brief works kept fails caution",
        "migrations.RemoveConstraint('Product', 'stock_ok')",
        "The catalogue alone; what was written since may break the rule.",
        s.ALTER,
        since="UPDATE shop_product SET stock = -1 WHERE id = 1",
    ),
    case(
        "check_renamed",
        "grows works kept works dangerous",
        "migrations.RemoveConstraint('Product', 'stock_ok'), "
        + rule("Product", check("stock__gte=0", "stock_right")),
        "Another name is another constraint, held against all rows again.",
        s.OPERATIONS,
    ),
    case(
        "check_message",
        "none works kept works safe",
        "migrations.AlterConstraint('Product', 'stock_ok', models.CheckConstraint("
        "condition=Q(stock__gte=0), name='stock_ok', violation_error_message='no'))",
        "A message is Django's affair.",
        s.OPERATIONS,
    ),
)

UNIQUE = (
    case(
        "unique",
        "grows depends may_fail works dangerous",
        rule("Customer", UNIQUE_EMAIL),
        "The index is built under ACCESS EXCLUSIVE.",
        s.squawk("disallowed-unique-constraint"),
        spoil=TWICE,
    ),
    case(
        "unique_field",
        "grows depends may_fail works dangerous",
        alter("Customer", "email", "CharField(max_length=100, unique=True)"),
        "The same by the field.",
        s.LINTER,
        spoil=TWICE,
    ),
    case(
        "unique_conditional",
        "grows depends may_fail works dangerous",
        rule(
            "Customer",
            "UniqueConstraint(fields=['email'], condition=Q(phone__isnull=True), name='email_if')",
        ),
        "With a condition it is CREATE UNIQUE INDEX: writers wait while it is built.",
        s.CONSTRAINTS,
        spoil="UPDATE shop_customer SET email = '3@example.org' WHERE id = 1",
    ),
    case(
        "unique_expression",
        "grows depends may_fail works dangerous",
        rule("Customer", "UniqueConstraint(Lower('email'), name='email_lower')"),
        "An expression makes it CREATE UNIQUE INDEX too.",
        s.CONSTRAINTS,
        spoil="UPDATE shop_customer SET email = '2@EXAMPLE.org' WHERE id = 1",
    ),
    case(
        "unique_deferrable",
        "grows depends may_fail works dangerous",
        rule(
            "Customer",
            "UniqueConstraint(fields=['email'], name='email_later',"
            " deferrable=models.Deferrable.DEFERRED)",
        ),
        "Deferrable is when it is checked, not how it is built.",
        s.CONSTRAINTS,
        spoil=TWICE,
    ),
    case(
        "unique_nulls",
        "grows depends may_fail works dangerous",
        rule(
            "Customer",
            "UniqueConstraint(fields=['phone'], name='phone_once', nulls_distinct=False)",
        ),
        "Two customers without a phone break it.",
        s.CONSTRAINTS,
        fails=True,
    ),
    case(
        "unique_together",
        "grows depends may_fail works dangerous",
        "migrations.AlterUniqueTogether('Line', {('order', 'place'), ('order', 'product')})",
        "One more constraint, built like any other.",
        s.OPERATIONS,
        spoil="UPDATE shop_line SET order_id = 1, product_id = 2, place = id WHERE id IN (1, 2)",
    ),
    case(
        "unique_together_removed",
        "brief works kept fails caution",
        "migrations.AlterUniqueTogether('Line', set())",
        "The index goes; rows written since may be equal.",
        s.OPERATIONS,
        since="INSERT INTO shop_line (order_id, product_id, place, count) VALUES (1, 2, 1, 1)",
    ),
    case(
        "unique_removed",
        "brief works kept fails caution",
        "migrations.RemoveConstraint('Order', 'order_number_once')",
        "The same for a constraint.",
        s.ALTER,
        since="UPDATE shop_order SET number = 2 WHERE id = 1",
    ),
    case(
        "unique_field_removed",
        "brief works kept fails caution",
        alter("Product", "sku", "CharField(max_length=20)"),
        "The same for a field.",
        s.ALTER,
        since="UPDATE shop_product SET sku = 'sku2' WHERE id = 1",
    ),
    case(
        "unique_using_index",
        "brief works kept works caution",
        separate(
            sql(
                "ALTER TABLE shop_customer ADD CONSTRAINT email_once UNIQUE USING INDEX email_at",
                "ALTER TABLE shop_customer DROP CONSTRAINT email_once",
            ),
            rule("Customer", UNIQUE_EMAIL),
        ),
        "The index is there, and unique already: the catalogue alone changes.",
        s.squawk("disallowed-unique-constraint"),
        before=alone(sql("CREATE UNIQUE INDEX CONCURRENTLY email_at ON shop_customer (email)")),
    ),
    case(
        "unique_index_concurrently",
        "none depends may_fail works caution",
        alone(
            sql(
                "CREATE UNIQUE INDEX CONCURRENTLY email_at ON shop_customer (email)",
                "DROP INDEX CONCURRENTLY email_at",
            )
        ),
        "Built beside readers and writers; equal rows stop it.",
        s.INDEX,
        spoil=TWICE,
    ),
    case(
        "exclusion",
        "grows depends may_fail works dangerous",
        rule(
            "Booking",
            "pgc.ExclusionConstraint(name='no_overlap', expressions=[('during', '&&')])",
        ),
        "A GiST index is built, and each row is held against the others, under ACCESS EXCLUSIVE.",
        s.STRONG,
        spoil="UPDATE shop_booking SET during = (SELECT during FROM shop_booking WHERE id = 2)"
        " WHERE id = 1",
    ),
)

KEYS = (
    case(
        "foreign_key_not_valid",
        "brief depends kept works caution",
        sql(f"{ORPHAN_KEY} NOT VALID", "ALTER TABLE shop_product DROP CONSTRAINT loose_fk"),
        "SHARE ROW EXCLUSIVE on both tables for an instant; rows are not compared.",
        s.squawk("adding-foreign-key-constraint"),
    ),
    case(
        "foreign_key_by_sql",
        "grows depends may_fail works dangerous",
        sql(ORPHAN_KEY, "ALTER TABLE shop_product DROP CONSTRAINT loose_fk"),
        "All rows are compared while writers of both tables wait.",
        s.squawk("adding-foreign-key-constraint"),
        spoil="UPDATE shop_product SET loose = 9999 WHERE id = 1",
    ),
    case(
        "foreign_key_validated",
        "none works may_fail works caution",
        sql("ALTER TABLE shop_product VALIDATE CONSTRAINT loose_fk", "noop"),
        "SHARE UPDATE EXCLUSIVE on the child and ROW SHARE on the parent.",
        s.ALTER,
        before=sql(f"{ORPHAN_KEY} NOT VALID"),
        unmeasured=("data",),
    ),
    case(
        "foreign_key_loosened",
        "brief works kept fails caution",
        UNCONSTRAINED,
        "The constraint goes; a value without a parent does not fit back.",
        s.FIELDS,
        since=ORPHAN,
    ),
    case(
        "foreign_key_enforced",
        "grows depends may_fail works dangerous",
        CONSTRAINED,
        "All rows are compared with the parent while writers of both wait.",
        s.STRONG,
        before=UNCONSTRAINED,
        spoil=ORPHAN,
    ),
    case(
        "foreign_key_to_another_table",
        "grows depends may_fail fails dangerous",
        alter("Product", "second", "ForeignKey('shop.Tag', CASCADE, null=True, related_name='+')"),
        "The old constraint goes and the new one is held against all rows, in both directions.",
        s.FIELDS,
        since="INSERT INTO shop_tag (id, word) VALUES (9999, 'x');"
        " UPDATE shop_product SET second_id = 9999 WHERE id = 1",
        spoil="INSERT INTO shop_maker (id, name) VALUES (9999, 'x');"
        " UPDATE shop_product SET second_id = 9999 WHERE id = 1",
    ),
    case(
        "foreign_key_becomes_unique",
        "grows depends may_fail works dangerous",
        alter("Line", "product", "OneToOneField('shop.Product', CASCADE)"),
        "A unique index over all rows under ACCESS EXCLUSIVE.",
        s.FIELDS,
        spoil="UPDATE shop_line SET product_id = 2 WHERE id = 1",
    ),
)

INDEXES = (
    case(
        "index",
        "grows works kept works dangerous",
        index("Order", "status", "by_status"),
        "CREATE INDEX lets nobody write until it is done.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "index_by_field",
        "grows works kept works dangerous",
        alter("Order", "status", "CharField(max_length=20, db_index=True)"),
        "The same by the field, and a second index for LIKE.",
        s.FIELDS,
    ),
    case(
        "index_partial",
        "grows works kept works dangerous",
        index("Order", "status", "by_open", condition="Q(status='open')"),
        "All rows are read, though few are in it.",
        s.INDEX,
    ),
    case(
        "index_brin",
        "grows works kept works dangerous",
        index("Order", "placed", "by_placed", kind="pgi.BrinIndex"),
        "A small index of a whole table.",
        s.INDEX,
    ),
    case(
        "index_by_sql",
        "grows works kept works dangerous",
        sql(
            "CREATE INDEX IF NOT EXISTS by_status ON shop_order USING btree (status)",
            "DROP INDEX by_status",
        ),
        "IF NOT EXISTS changes nothing about the lock.",
        s.INDEX,
    ),
    case(
        "index_concurrently",
        "none works kept works caution",
        alone(index_concurrently("Order", "status", "by_status")),
        "SHARE UPDATE EXCLUSIVE: others read and write; it reads the table twice.",
        s.INDEX,
    ),
    case(
        "index_concurrently_by_sql",
        "none works kept works caution",
        alone(
            separate(
                sql(
                    "CREATE INDEX CONCURRENTLY by_status ON shop_order (status)",
                    "DROP INDEX CONCURRENTLY by_status",
                ),
                index("Order", "status", "by_status"),
            )
        ),
        "The same by hand, with the index in Django's state.",
        s.POSTHOG,
    ),
    case(
        "index_concurrently_in_transaction",
        "none works kept works dangerous",
        index_concurrently("Order", "status", "by_status"),
        "CONCURRENTLY is refused inside a transaction: it cannot succeed.",
        s.DJANGO_PG,
        fails=True,
    ),
    case(
        "index_removed",
        "brief works kept works caution",
        "migrations.RemoveIndex('Product', 'product_price')",
        "DROP INDEX takes ACCESS EXCLUSIVE on the table for an instant.",
        s.DROP_INDEX,
    ),
    case(
        "index_of_field_removed",
        "brief works kept works caution",
        alter("Product", "code", "CharField(max_length=50)"),
        "The same by the field.",
        s.DROP_INDEX,
    ),
    case(
        "index_removed_concurrently",
        "none works kept works safe",
        alone("pg.RemoveIndexConcurrently('Product', 'product_price')"),
        "SHARE UPDATE EXCLUSIVE, and no work.",
        s.DROP_INDEX,
    ),
    case(
        "index_renamed",
        "none works kept works safe",
        "migrations.RenameIndex('Product', 'by_price', old_name='product_price')",
        "ALTER INDEX locks the index alone, and little.",
        s.OPERATIONS,
    ),
    case(
        "index_replaced",
        "grows works kept works dangerous",
        "migrations.RemoveIndex('Product', 'product_price'), "
        + index("Product", "price name", "product_price_name"),
        "The new one is built under the lock that DROP INDEX took.",
        s.LINTER,
    ),
    case(
        "index_after_column",
        "grows works kept works dangerous",
        add("Product", "width", "IntegerField(null=True)")
        + ", "
        + index("Product", "price name", "price_name"),
        "An index of an old column, built under ALTER TABLE's lock.",
        s.LINTER,
    ),
    case(
        "reindex",
        "grows works kept works dangerous",
        sql("REINDEX TABLE shop_old", "noop"),
        "Writers wait until all indexes are built again.",
        s.REINDEX,
    ),
    case(
        "reindex_concurrently",
        "none works kept works caution",
        alone(sql("REINDEX TABLE CONCURRENTLY shop_old", "noop")),
        "SHARE UPDATE EXCLUSIVE.",
        s.REINDEX,
    ),
)  # fmt: skip

CASES = (*CHECKS, *UNIQUE, *KEYS, *INDEXES)
