"""Several operations in one migration, several migrations in one plan."""

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
    python,
    rows,
    rule_not_valid,
    sql,
)

PAID = add("Order", "paid", "BooleanField(null=True)")
WIDTH = add("Old", "width", "IntegerField(null=True)")
FILL = sql("UPDATE shop_order SET paid = false", "noop")
COPY = sql("INSERT INTO shop_tag (word) SELECT word FROM shop_old", "noop")
VALID = "pg.ValidateConstraint('Line', 'count_positive')"
NOT_VALID = rule_not_valid("Line", check("count__gt=0", "count_positive"))

CASES = (
    case(
        "column_and_fill",
        "grows works kept works dangerous",
        f"{PAID}, {FILL}",
        "Everybody waits for the whole UPDATE: ALTER TABLE's lock ends with the transaction.",
        s.STRONG,
    ),
    case(
        "column_then_fill",
        "grows works kept works dangerous",
        [PAID, FILL],
        "In two migrations readers need not wait, but each row stays locked.",
        s.STRONG,
    ),
    case(
        "column_then_batches",
        "brief works kept works caution",
        [
            PAID,
            python(
                f"orders = {rows('Order')}\n"
                "for first in range(1, 130, 10):\n"
                "    orders.filter(id__range=(first, first + 9)).update(paid=False)",
                atomic=False,
            ),
        ],
        "The careful way.",
        s.POSTHOG,
    ),
    case(
        "column_and_copy_of_another",
        "grows works kept works dangerous",
        f"{WIDTH}, {COPY}",
        "ACCESS EXCLUSIVE on one table is held while rows of another are copied.",
        s.LOCKS,
    ),
    case(
        "column_and_copy_without_transaction",
        "brief works kept works caution",
        alone(WIDTH, COPY),
        "Without a transaction the lock ends with its statement.",
        s.MIGRATIONS,
    ),
    case(
        "column_then_copy",
        "brief works kept works caution",
        [WIDTH, COPY],
        "In two migrations the lock ends with the first.",
        s.MIGRATIONS,
    ),
    case(
        "column_and_validation_of_another",
        "grows works may_fail works dangerous",
        f"{WIDTH}, {VALID}",
        "VALIDATE is gentle, but ALTER TABLE's lock on the other table waits for it.",
        s.LOCKS,
        before=NOT_VALID,
        unmeasured=("data",),
    ),
    case(
        "column_and_index_of_another",
        "grows works kept works dangerous",
        f"{WIDTH}, {index('Order', 'status', 'by_status')}",
        "Two tables wait for one index.",
        s.LINTER,
    ),
    case(
        "columns_of_two_tables",
        "brief works kept works caution",
        f"{WIDTH}, {PAID}",
        "Two locks for an instant.",
        s.ALTER,
    ),
    case(
        "column_and_index_concurrently",
        "brief works kept works caution",
        alone(WIDTH, index_concurrently("Old", "width", "old_width")),
        "Without a transaction neither waits for the other.",
        s.DJANGO_PG,
    ),
    case(
        "nullable_then_not_null_without_value",
        "grows breaks may_fail works dangerous",
        [PAID, alter("Order", "paid", "BooleanField()")],
        "Nobody has filled the column in between: every row stops it.",
        s.WRITING,
        fails=True,
    ),
    case(
        "nullable_filled_not_null",
        "grows breaks kept works dangerous",
        [PAID, FILL, alter("Order", "paid", "BooleanField()")],
        "The three steps of Django's guide: it works, and it blocks twice.",
        s.WRITING,
    ),
    case(
        "validation_and_fill_in_one",
        "grows works may_fail works dangerous",
        f"{VALID}, {sql('UPDATE shop_line SET count = count', 'noop')}",
        "Each line stays locked until the end.",
        s.UPDATE,
        before=NOT_VALID,
        unmeasured=("data",),
    ),
    case(
        "one_of_three_has_no_way_back",
        "brief works kept impossible caution",
        [WIDTH, sql("UPDATE shop_old SET word = word WHERE id = 1"), PAID],
        "Going back stops in the middle, at the migration without reverse_sql.",
        s.OPERATIONS,
    ),
    case(
        "one_operation_has_no_way_back",
        "brief works kept impossible caution",
        f"{WIDTH}, {sql('UPDATE shop_old SET word = word WHERE id = 1')}",
        "One operation without its reverse makes the whole migration irreversible.",
        s.OPERATIONS,
    ),
    case(
        "index_of_two_tables",
        "grows works kept works dangerous",
        f"{index('Order', 'status', 'by_status')}, {index('Old', 'word', 'by_word')}",
        "Writers of the first wait for the second too.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "fill_then_index_concurrently",
        "grows works kept works dangerous",
        [FILL, alone(index_concurrently("Order", "paid", "by_paid"))],
        "The index is gentle, the UPDATE is not.",
        s.STRONG,
        before=PAID,
    ),
)
