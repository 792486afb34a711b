"""RunSQL and RunPython of all sorts."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    add,
    alone,
    case,
    create,
    python,
    rows,
    sql,
    then_python,
)

PAID = add("Order", "paid", "BooleanField(null=True)")
EVERY = f"{rows('Order')}.update(paid=False)"

ROWS = (
    case(
        "update_all",
        "grows works kept works dangerous",
        sql("UPDATE shop_product SET loose = id", "noop"),
        "Each row stays locked until COMMIT, and is written anew.",
        s.UPDATE,
    ),
    case(
        "update_where_null",
        "grows works kept works dangerous",
        sql("UPDATE shop_order SET paid = false WHERE paid IS NULL", "noop"),
        "A backfill: its WHERE finds every row of a column that was just added.",
        s.STRONG,
        before=PAID,
    ),
    case(
        "update_from",
        "grows works kept works dangerous",
        sql(
            "UPDATE shop_line SET count = p.stock FROM shop_product p WHERE p.id = product_id",
            "noop",
        ),
        "A join is no WHERE that narrows: every line is written.",
        s.UPDATE,
    ),
    case(
        "update_one",
        "none works kept works safe",
        sql("UPDATE shop_product SET stock = stock WHERE id = 3", "noop"),
        "One row by its key.",
        s.UPDATE,
    ),
    case(
        "update_some",
        "none works kept works safe",
        sql("UPDATE shop_product SET loose = loose WHERE id BETWEEN 1 AND 10", "noop"),
        "A batch by key.",
        s.STRONG,
    ),
    case(
        "delete_all",
        "grows works lost works dangerous",
        sql("DELETE FROM shop_old", "noop"),
        "Every row is locked and gone.",
        s.UPDATE,
    ),
    case(
        "delete_one",
        "none works lost works dangerous",
        sql("DELETE FROM shop_old WHERE id = 3", "noop"),
        "One row is gone for good: going back does not bring it.",
        s.OPERATIONS,
    ),
    case(
        "truncate",
        "brief works lost works dangerous",
        sql("TRUNCATE shop_old", "noop"),
        "Quick, under ACCESS EXCLUSIVE, and everything is gone.",
        s.TRUNCATE,
    ),
    case(
        "truncate_cascade",
        "brief works lost works dangerous",
        sql("TRUNCATE TABLE shop_order CASCADE", "noop"),
        "Tables that refer to it are emptied too.",
        s.squawk("ban-truncate-cascade"),
    ),
    case(
        "insert_few",
        "none works kept works safe",
        sql("INSERT INTO shop_tag (word) VALUES ('new')", "DELETE FROM shop_tag WHERE id > 120"),
        "New rows lock nobody out.",
        s.LOCKS,
    ),
    case(
        "insert_select",
        "none works kept works caution",
        sql("INSERT INTO shop_tag (word) SELECT word FROM shop_old", "noop"),
        "Rows that nobody has seen yet are locked; it takes longer the more there are.",
        s.LOCKS,
    ),
    case(
        "update_irreversible",
        "none works kept impossible caution",
        sql("UPDATE shop_product SET stock = stock WHERE id = 3"),
        "Without reverse_sql Django refuses to go back.",
        s.OPERATIONS,
    ),
    case(
        "lock_and_update_one",
        "brief works kept works caution",
        sql(
            "LOCK TABLE shop_old IN ACCESS EXCLUSIVE MODE;"
            "UPDATE shop_old SET word = word WHERE id = 1",
            "noop",
        ),
        "The lock is taken on purpose, and held for little.",
        s.LOCKS,
    ),
    case(
        "lock_and_update_all",
        "grows works kept works dangerous",
        sql(
            "LOCK TABLE shop_old IN ACCESS EXCLUSIVE MODE; UPDATE shop_old SET word = word", "noop"
        ),
        "Readers too wait for the whole UPDATE.",
        s.LOCKS,
    ),
)

DEFINITIONS = (
    case(
        "sql_add_column",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_product ADD COLUMN extra integer NOT NULL DEFAULT 0",
            "ALTER TABLE shop_product DROP COLUMN extra",
        ),
        "A constant default that stays.",
        s.squawk("adding-field-with-default"),
    ),
    case(
        "sql_add_required",
        "brief breaks may_fail works dangerous",
        sql(
            "ALTER TABLE shop_product ADD COLUMN extra integer NOT NULL",
            "ALTER TABLE shop_product DROP COLUMN extra",
        ),
        "No value for the rows, and none for the old release's INSERT.",
        s.squawk("adding-required-field"),
        fails=True,
    ),
    case(
        "sql_add_serial",
        "grows works kept works dangerous",
        sql(
            "ALTER TABLE shop_product ADD COLUMN extra serial",
            "ALTER TABLE shop_product DROP COLUMN extra",
        ),
        "Each row gets a number of its own.",
        s.STRONG,
    ),
    case(
        "sql_add_identity",
        "grows works kept works dangerous",
        sql(
            "ALTER TABLE shop_product ADD COLUMN extra bigint GENERATED ALWAYS AS IDENTITY",
            "ALTER TABLE shop_product DROP COLUMN extra",
        ),
        "Each row gets a number of its own.",
        s.ALTER,
    ),
    case(
        "sql_after_lock_timeout",
        "brief works kept works caution",
        sql(
            "SET LOCAL lock_timeout = '2s'; ALTER TABLE shop_product ADD COLUMN extra integer",
            "ALTER TABLE shop_product DROP COLUMN extra",
        ),
        "How long it waits for the lock does not change what it does then.",
        s.LOCKS,
    ),
    case(
        "sql_drop_column",
        "brief breaks lost impossible dangerous",
        sql("ALTER TABLE shop_product DROP COLUMN note"),
        "What Django would say of RemoveField, and no way back.",
        s.squawk("ban-drop-column"),
    ),
    case(
        "sql_rename_column",
        "brief breaks kept works dangerous",
        sql(
            "ALTER TABLE shop_product RENAME note TO remark",
            "ALTER TABLE shop_product RENAME remark TO note",
        ),
        "COLUMN may be left out of the statement.",
        s.squawk("renaming-column"),
    ),
    case(
        "sql_drop_table",
        "brief breaks lost impossible dangerous",
        sql("DROP TABLE IF EXISTS shop_old"),
        "IF EXISTS does not make it harmless.",
        s.squawk("ban-drop-table"),
    ),
    case(
        "sql_set_not_null",
        "grows breaks may_fail works dangerous",
        sql(
            "ALTER TABLE shop_product ALTER note SET NOT NULL",
            "ALTER TABLE shop_product ALTER note DROP NOT NULL",
        ),
        "All rows are read, and the old release still writes NULL.",
        s.squawk("adding-not-nullable-field"),
        spoil="UPDATE shop_product SET note = NULL WHERE id = 1",
    ),
    case(
        "sql_comment",
        "none works kept works safe",
        sql("COMMENT ON COLUMN shop_product.name IS 'what it is called'", "noop"),
        "SHARE UPDATE EXCLUSIVE.",
        s.COMMENT,
    ),
    case(
        "sql_statistics",
        "none works kept works safe",
        sql("ALTER TABLE shop_product ALTER COLUMN name SET STATISTICS 500", "noop"),
        "One of few forms of ALTER TABLE that take SHARE UPDATE EXCLUSIVE.",
        s.ALTER,
    ),
    case(
        "sql_storage_parameter",
        "none works kept works safe",
        sql("ALTER TABLE shop_old SET (fillfactor = 80)", "noop"),
        "Another of them.",
        s.ALTER,
    ),
    case(
        "sql_unlogged",
        "grows works kept works dangerous",
        sql("ALTER TABLE shop_old SET UNLOGGED", "ALTER TABLE shop_old SET LOGGED"),
        "The table is copied under ACCESS EXCLUSIVE.",
        s.ALTER,
    ),
    case(
        "sql_cluster",
        "grows works kept works dangerous",
        sql("CLUSTER shop_old USING shop_old_pkey", "noop"),
        "The table is written anew in another order under ACCESS EXCLUSIVE.",
        s.squawk("prefer-repack"),
    ),
    case(
        "sql_vacuum_full",
        "grows works kept works dangerous",
        alone(sql("VACUUM FULL shop_old", "noop")),
        "The table is written anew under ACCESS EXCLUSIVE.",
        s.squawk("prefer-repack"),
        unmeasured=("lock",),
    ),
    case(
        "sql_vacuum",
        "none works kept works caution",
        alone(sql("VACUUM shop_old", "noop")),
        "SHARE UPDATE EXCLUSIVE, for as long as the table is large.",
        s.LOCKS,
        unmeasured=("lock",),
    ),
    case(
        "sql_analyze",
        "none works kept works safe",
        sql("ANALYZE shop_old", "noop"),
        "A sample of the same size whatever the table's.",
        s.LOCKS,
    ),
    case(
        "sql_trigger",
        "brief works kept works caution",
        sql(
            "CREATE TRIGGER shop_old_same BEFORE UPDATE ON shop_old FOR EACH ROW"
            " EXECUTE FUNCTION shop_same()",
            "DROP TRIGGER shop_old_same ON shop_old",
        ),
        "SHARE ROW EXCLUSIVE for an instant.",
        s.TRIGGER,
        before=sql(
            "CREATE FUNCTION shop_same() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NEW; END'"
        ),
    ),
    case(
        "sql_do_block",
        "grows works kept works dangerous",
        sql("DO $$ BEGIN UPDATE shop_old SET word = word; END $$", "noop"),
        "A block hides an UPDATE of every row.",
        s.DO,
    ),
    case(
        "sql_enum_value",
        "none works kept works safe",
        sql("ALTER TYPE shop_kind ADD VALUE 'b'", "noop"),
        "A catalogue's row that no table waits for.",
        s.TYPES,
        before=sql("CREATE TYPE shop_kind AS ENUM ('a')"),
    ),
    case(
        "sql_sequence",
        "none works kept works safe",
        sql("ALTER SEQUENCE shop_old_id_seq RESTART WITH 1000", "noop"),
        "The sequence alone.",
        s.LOCKS,
    ),
    case(
        "sql_nothing",
        "none works kept works safe",
        sql("", "noop"),
        "RunSQL.noop is an empty string.",
        s.OPERATIONS,
    ),
)

PYTHON = (
    case(
        "python_nothing",
        "none works kept works safe",
        "migrations.RunPython(migrations.RunPython.noop, migrations.RunPython.noop)",
        "noop is nothing.",
        s.OPERATIONS,
    ),
    case(
        "python_reads",
        "none works kept works caution",
        python(f"sum(order.number for order in {rows('Order')}.all())"),
        "It reads every row and keeps nobody out, but who knows that before.",
        s.OPERATIONS,
    ),
    case(
        "python_updates_all",
        "grows works kept works dangerous",
        python(EVERY),
        "One UPDATE of every row, which a linter of SQL cannot see.",
        s.STRONG,
        before=PAID,
    ),
    case(
        "python_saves_each",
        "grows works kept works dangerous",
        python(
            f"for order in {rows('Order')}.all():\n"
            "    order.paid = False\n    order.save(update_fields=['paid'])"
        ),
        "One UPDATE a row, all in one transaction: each stays locked until its end.",
        s.STRONG,
        before=PAID,
    ),
    case(
        "python_saves_few",
        "none works kept works caution",
        python(f"{rows('Order')}.filter(id=1).update(paid=False)"),
        "One row by its key: but who knows that before it runs.",
        s.OPERATIONS,
        before=PAID,
    ),
    case(
        "python_in_batches",
        "none works kept works caution",
        python(
            f"orders = {rows('Order')}\n"
            "for first in range(1, 130, 10):\n"
            "    orders.filter(id__range=(first, first + 9)).update(paid=False)",
            atomic=False,
        ),
        "Batches by key outside of a transaction: each row is locked for an instant.",
        s.WRITING,
        before=PAID,
    ),
    case(
        "python_irreversible",
        "none works kept impossible caution",
        python(f"{rows('Order')}.filter(id=1).update(paid=None)", ""),
        "Without reverse_code Django refuses to go back.",
        s.OPERATIONS,
        before=PAID,
    ),
    case(
        "python_deletes",
        "grows works lost works dangerous",
        python(f"{rows('Old')}.all().delete()"),
        "Every row is locked and gone.",
        s.OPERATIONS,
    ),
    case(
        "python_after_column",
        "grows works kept works dangerous",
        then_python(PAID, EVERY),
        "Everybody waits for the whole UPDATE: ALTER TABLE's lock ends with the transaction.",
        s.WRITING,
    ),
    case(
        "python_after_column_in_two",
        "grows works kept works dangerous",
        [PAID, python(EVERY)],
        "Readers need not wait then, but each row stays locked until the UPDATE is committed.",
        s.STRONG,
    ),
    case(
        "python_hides_ddl",
        "brief works kept works caution",
        python("editor.execute('ALTER TABLE shop_old ADD COLUMN extra integer')"),
        "DDL that no plan shows.",
        s.OPERATIONS,
    ),
    case(
        "python_hides_rewrite",
        "grows works kept works dangerous",
        python("editor.execute('ALTER TABLE shop_old ALTER COLUMN id TYPE bigint')"),
        "A rewrite that no plan shows.",
        s.OPERATIONS,
    ),
    case(
        "python_fills_new_table",
        "none works kept works caution",
        [
            create("Coupon", "code: CharField(max_length=9)"),
            python(f"{rows('Coupon')}.create(code='a')"),
        ],
        "Rows in a table that nobody uses yet.",
        s.OPERATIONS,
    ),
)

CASES = (*ROWS, *DEFINITIONS, *PYTHON)
