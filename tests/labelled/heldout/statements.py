"""RunSQL and RunPython: what hides behind WITH, MERGE and SELECT, and what only looks bad."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import add, alone, back, case, python, rows, sql, then_python
from tests.labelled.heldout import sources as h

PAID = add("Order", "paid", "BooleanField(null=True)")
ARCHIVE = sql("CREATE TABLE shop_archive (id integer, word varchar(30))")

HIDDEN = (
    case(
        "held_rows_moved_by_with",
        "grows works lost works dangerous",
        sql(
            "WITH moved AS (DELETE FROM shop_old RETURNING id, word)"
            " INSERT INTO shop_archive SELECT id, word FROM moved",
            "noop",
        ),
        "WITH may delete: every row is locked and gone from where the release looks for it.",
        h.WITH,
        before=ARCHIVE,
    ),
    case(
        "held_update_by_with",
        "grows works kept works dangerous",
        sql(
            "WITH due AS (SELECT id FROM shop_order) UPDATE shop_order o SET total = o.total"
            " FROM due WHERE due.id = o.id",
            "noop",
        ),
        "The batch has no limit: every row is written.",
        h.WITH,
    ),
    case(
        "held_merge",
        "grows works kept works dangerous",
        sql(
            "MERGE INTO shop_old o USING shop_tag t ON o.id = t.id"
            " WHEN MATCHED THEN UPDATE SET word = t.word",
            "noop",
        ),
        "MERGE has no WHERE: what the join finds is updated, here every row.",
        h.MERGE,
    ),
    case(
        "held_select_for_update",
        "grows works kept works dangerous",
        sql("SELECT id FROM shop_order FOR UPDATE", "noop"),
        "A SELECT that locks each row until the transaction ends.",
        s.LOCKS,
        unmeasured=("lock",),
    ),
    case(
        "held_multi_table_delete",
        "none works lost works dangerous",
        sql(
            "DELETE FROM shop_old a USING shop_old b WHERE a.id > b.id AND a.word = b.word", "noop"
        ),
        "Duplicates go for good; the others stay and are not locked.",
        s.OPERATIONS,
        spoil="UPDATE shop_old SET word = 'word 2' WHERE id = 1",
    ),
    case(
        "held_fix_before_rule",
        "brief depends kept works caution",
        [
            sql(
                "ALTER TABLE shop_line ADD CONSTRAINT line_some CHECK (count > 0) NOT VALID",
                "ALTER TABLE shop_line DROP CONSTRAINT line_some",
            ),
            sql("UPDATE shop_line SET count = 1 WHERE count <= 0", "noop"),
            sql("ALTER TABLE shop_line VALIDATE CONSTRAINT line_some", "noop"),
        ],
        "The rule for new rows, then the few old rows that break it, then the proof: nothing "
        "can stop it, and only the few are locked.",
        s.STRONG,
    ),
    case(
        "held_assertion",
        "none works may_fail works caution",
        sql(
            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM shop_order WHERE total < 0) THEN"
            " RAISE EXCEPTION 'a total below nothing'; END IF; END $$",
            "noop",
        ),
        "It only looks, and stops the migration where a row is wrong.",
        s.DO,
        spoil="UPDATE shop_order SET total = -1 WHERE id = 1",
    ),
    case(
        "held_alter_after_pending_triggers",
        "brief works kept works dangerous",
        sql("UPDATE shop_line SET product_id = 2 WHERE id = 1", "noop")
        + ", "
        + add("Line", "gift", "BooleanField(null=True)"),
        "The foreign key is checked at COMMIT, and ALTER TABLE refuses while it is pending: it "
        "cannot succeed.",
        h.PENDING,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_alter_after_checked_triggers",
        "brief works kept works caution",
        sql(
            [
                "INSERT INTO shop_line (order_id, product_id, place, count) VALUES (1, 2, 3, 1)",
                "SET CONSTRAINTS ALL IMMEDIATE",
                "SET CONSTRAINTS ALL DEFERRED",
            ],
            "noop",
        )
        + ", "
        + add("Line", "gift", "BooleanField(null=True)"),
        "IMMEDIATE checks what is pending, and then nothing is.",
        h.PENDING,
    ),
)

HARMLESS = (
    case(
        "held_batch_by_limit",
        "none works kept works safe",
        sql(
            "UPDATE shop_order SET total = total WHERE id IN"
            " (SELECT id FROM shop_order ORDER BY id LIMIT 10)",
            "noop",
        ),
        "Ten rows, whatever the table's size.",
        s.STRONG,
    ),
    case(
        "held_comment_only",
        "none works kept works safe",
        sql("-- DROP TABLE shop_old;\n/* TRUNCATE shop_order; */", "noop"),
        "Comments do nothing.",
        s.OPERATIONS,
    ),
    case(
        "held_words_in_a_string",
        "none works kept works safe",
        sql(
            "INSERT INTO shop_tag (word) VALUES ('; DROP TABLE shop_old; --')",
            "DELETE FROM shop_tag WHERE id > 120",
        ),
        "One new row, whatever its text says.",
        s.LOCKS,
    ),
    case(
        "held_upsert_of_one",
        "none works kept works safe",
        sql(
            "INSERT INTO shop_tag (id, word) VALUES (1, 'word 1')"
            " ON CONFLICT (id) DO UPDATE SET word = excluded.word",
            "noop",
        ),
        "One row by its key.",
        s.LOCKS,
    ),
    case(
        "held_sequence_set_to_last",
        "none works kept works safe",
        sql("SELECT setval('shop_old_id_seq', (SELECT max(id) FROM shop_old))", "noop"),
        "The last key is at the end of an index, and no table is locked.",
        s.LOCKS,
    ),
    case(
        "held_settings_only",
        "none works kept works safe",
        sql(["SET LOCAL statement_timeout = '5s'", "SET LOCAL work_mem = '64MB'"], "noop"),
        "Settings of the session.",
        s.LOCKS,
    ),
    case(
        "held_clustered_later",
        "none works kept works safe",
        sql("ALTER TABLE shop_old CLUSTER ON shop_old_pkey", "noop"),
        "SHARE UPDATE EXCLUSIVE; it names the index for a later CLUSTER, and moves no row.",
        s.ALTER,
    ),
    case(
        "held_extended_statistics",
        "none works kept works safe",
        sql(
            "CREATE STATISTICS shop_both ON status, total FROM shop_order",
            "DROP STATISTICS shop_both",
        ),
        "SHARE UPDATE EXCLUSIVE, and nothing is read until ANALYZE.",
        s.LOCKS,
    ),
    case(
        "held_storage_of_column",
        "brief works kept works caution",
        sql("ALTER TABLE shop_product ALTER COLUMN blurb SET STORAGE EXTERNAL", "noop"),
        "It changes nothing in the table, but locks all out for an instant.",
        s.ALTER,
    ),
    case(
        "held_replica_identity",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_old REPLICA IDENTITY FULL",
            "ALTER TABLE shop_old REPLICA IDENTITY DEFAULT",
        ),
        "The catalogue alone, under ACCESS EXCLUSIVE for an instant.",
        s.ALTER,
    ),
    case(
        "held_owner",
        "brief works kept works caution",
        sql("ALTER TABLE shop_old OWNER TO CURRENT_USER", "noop"),
        "The same for an owner.",
        s.ALTER,
    ),
    case(
        "held_child_by_inheritance",
        "none works kept works safe",
        sql("CREATE TABLE shop_elder () INHERITS (shop_old)", "DROP TABLE shop_elder"),
        "SHARE UPDATE EXCLUSIVE on the parent, and a new table without rows.",
        s.LOCKS,
    ),
)

PYTHON = (
    case(
        "held_python_for_another_database",
        "none works kept works caution",
        python(
            "if editor.connection.alias != 'elsewhere':\n    return\n"
            f"{rows('Order')}.update(total=0)"
        ),
        "It does nothing here: but who knows that before it runs.",
        s.WRITING,
    ),
    case(
        "held_python_in_its_own_transaction",
        "grows works kept works dangerous",
        alone(
            "migrations.RunPython(lambda apps, editor: "
            f"{rows('Order')}.update(total=F('total')),"
            " migrations.RunPython.noop, atomic=True)"
        ),
        "atomic=False of the migration does not help where the UPDATE is one.",
        s.WRITING,
    ),
    case(
        "held_python_bulk_update",
        "grows works kept works dangerous",
        python(f"{rows('Order')}.bulk_update({rows('Order')}.all(), ['total'], batch_size=10)"),
        "Batches in one transaction are one batch: each row stays locked until its end.",
        s.STRONG,
    ),
    case(
        "held_python_get_or_create",
        "none works kept works caution",
        python(f"{rows('Tag')}.get_or_create(word='word 1')"),
        "It finds a row, or makes one; who knows that before it runs.",
        s.OPERATIONS,
    ),
    case(
        "held_python_locks_a_table",
        "grows works kept works dangerous",
        python(
            "editor.execute('LOCK TABLE shop_old IN SHARE MODE')\n"
            "editor.execute('SELECT sum(length(word)) FROM shop_old')"
        ),
        "Writers wait while all rows are read, and no SQL of the plan says so.",
        s.LOCKS,
    ),
    back(
        "held_back_python_and_column",
        "brief breaks lost works dangerous",
        then_python(PAID, "pass"),
        "noop, and the column goes.",
        s.OPERATIONS,
        spoil="UPDATE shop_order SET paid = true",
    ),
)

CASES = (*HIDDEN, *HARMLESS, *PYTHON)
