"""What stands beside tables: views, functions, triggers, extensions, schemas, partitions."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import (
    alter,
    case,
    create,
    index,
    separate,
    sql,
)
from tests.labelled.heldout import sources as h

BRIEF = create("Brief", "name: CharField(max_length=50)", options="{'managed': False}")
VIEW = separate(
    sql("CREATE VIEW shop_brief AS SELECT id, name FROM shop_product", "DROP VIEW shop_brief"),
    BRIEF,
)
VIEW_OF_OLD = separate(
    sql("CREATE VIEW shop_brief AS SELECT id, word AS name FROM shop_old"),
    f"{BRIEF}, migrations.DeleteModel('Old')",
)
TOTALS = separate(
    sql(
        [
            "CREATE MATERIALIZED VIEW shop_totals AS SELECT id, total FROM shop_order",
            "CREATE UNIQUE INDEX shop_totals_id ON shop_totals (id)",
        ]
    ),
    create("Totals", "total: DecimalField(max_digits=10, decimal_places=2, null=True)",
    options="{'managed': False, 'db_table': 'shop_totals'}"),
)  # fmt: skip
BODY = (
    "CREATE OR REPLACE FUNCTION shop_guard() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN {body} END $$"
)
GUARD = [
    BODY.format(body="RETURN NEW;"),
    (
        "CREATE TRIGGER shop_guard BEFORE INSERT ON shop_old FOR EACH ROW"
        " EXECUTE FUNCTION shop_guard()"
    ),
]
REFUSE = BODY.format(body="RAISE EXCEPTION 'shop_old is read only';")
LOG = (
    "CREATE TABLE shop_log (id bigint NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);"
    "CREATE TABLE shop_log_2025 (id bigint NOT NULL, at date NOT NULL);"
    "INSERT INTO shop_log_2025 SELECT i, '2025-06-01' FROM generate_series(1, 120) i;"
)
YEAR = "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')"
ATTACHED = f"{LOG} ALTER TABLE shop_log ATTACH PARTITION shop_log_2025 {YEAR};"
NEXT = (
    "CREATE TABLE shop_log_2026 PARTITION OF shop_log"
    " FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')"
)

VIEWS = (
    case(
        "held_view_created",
        "none works kept works safe",
        sql(
            "CREATE VIEW shop_cheap AS SELECT * FROM shop_product WHERE price < 10",
            "DROP VIEW shop_cheap",
        ),
        "A view reads nothing until it is read.",
        h.VIEW_IN_PLACE,
    ),
    case(
        "held_view_in_use_dropped",
        "none breaks kept works dangerous",
        sql("DROP VIEW shop_brief", "CREATE VIEW shop_brief AS SELECT id, name FROM shop_product"),
        "An unmanaged model reads the view; no table is locked, and no row is lost.",
        h.VIEW_IN_PLACE,
        before=VIEW,
        writes={"Brief": {}},
    ),
    case(
        "held_type_of_a_views_column",
        "brief works kept fails dangerous",
        alter("Product", "name", "CharField(max_length=80)"),
        "PostgreSQL refuses to alter the type of a column that a view uses: it cannot succeed. "
        "Could it, longer names would not fit back, as of any wider text.",
        h.VIEW_USES,
        before=VIEW,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_table_dropped_from_under_a_view",
        "brief breaks lost impossible dangerous",
        sql("DROP TABLE shop_old CASCADE"),
        "The release has forgotten the table, but reads a view of it, which CASCADE drops too.",
        s.squawk("ban-drop-table"),
        before=VIEW_OF_OLD,
        writes={"Brief": {}},
    ),
    case(
        "held_table_renamed_behind_a_view",
        "brief works kept works caution",
        sql(
            [
                "ALTER TABLE shop_old RENAME TO shop_ancient",
                "CREATE VIEW shop_old AS SELECT * FROM shop_ancient",
            ],
            ["DROP VIEW shop_old", "ALTER TABLE shop_ancient RENAME TO shop_old"],
        ),
        "A view takes the old name in the same transaction, and a simple view takes writes too.",
        h.VIEW_IN_PLACE,
    ),
    case(
        "held_view_refreshed",
        "grows works kept works dangerous",
        sql("REFRESH MATERIALIZED VIEW shop_totals", "noop"),
        "Who reads the view waits while its query reads all orders.",
        h.REFRESH,
        before=TOTALS,
        unmeasured=("lock",),
    ),
    case(
        "held_view_refreshed_concurrently",
        "none works kept works caution",
        sql("REFRESH MATERIALIZED VIEW CONCURRENTLY shop_totals", "noop"),
        "Concurrent selects are not locked out; it still reads all orders.",
        h.REFRESH,
        before=TOTALS,
        unmeasured=("lock",),
    ),
)

FUNCTIONS = (
    case(
        "held_function_created",
        "none works kept works safe",
        sql(
            "CREATE FUNCTION shop_clear() RETURNS void LANGUAGE sql AS"
            " $$ UPDATE shop_order SET total = 0; DELETE FROM shop_line; $$",
            "DROP FUNCTION shop_clear()",
        ),
        "What a new function would do is done by nobody yet.",
        h.FUNCTION,
    ),
    case(
        "held_function_called",
        "grows works kept works dangerous",
        sql("SELECT shop_touch()", "noop"),
        "A SELECT that writes: the function locks and writes each row.",
        s.UPDATE,
        before=sql(
            "CREATE FUNCTION shop_touch() RETURNS void LANGUAGE sql AS"
            " $$ UPDATE shop_order SET total = total $$"
        ),
    ),
    case(
        "held_trigger_refuses",
        "brief breaks kept works dangerous",
        sql(
            [REFUSE, GUARD[1]],
            ["DROP TRIGGER shop_guard ON shop_old", "DROP FUNCTION shop_guard()"],
        ),
        "The trigger's function raises, so the running release can insert no more.",
        s.TRIGGER,
    ),
    case(
        "held_trigger_function_replaced",
        "none breaks kept works dangerous",
        sql(REFUSE, GUARD[0]),
        "No table is locked, and yet every INSERT fails from now on: the trigger was there.",
        h.FUNCTION,
        before=sql(GUARD),
    ),
    case(
        "held_trigger_disabled",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_old DISABLE TRIGGER shop_guard",
            "ALTER TABLE shop_old ENABLE TRIGGER shop_guard",
        ),
        "SHARE ROW EXCLUSIVE for an instant.",
        s.ALTER,
        before=sql(GUARD),
    ),
    case(
        "held_trigger_dropped",
        "brief works kept works caution",
        sql("DROP TRIGGER shop_guard ON shop_old", GUARD[1]),
        "ACCESS EXCLUSIVE for an instant.",
        s.LOCKS,
        before=sql(GUARD),
    ),
    case(
        "held_rule_swallows",
        "brief breaks kept works dangerous",
        sql(
            "CREATE RULE shop_old_still AS ON INSERT TO shop_old DO INSTEAD NOTHING",
            "DROP RULE shop_old_still ON shop_old",
        ),
        "INSERT does nothing any more, and cannot return the key that Django asks for.",
        "https://www.postgresql.org/docs/15/sql-createrule.html",
    ),
)

OTHERS = (
    case(
        "held_extension_created",
        "none works kept works safe",
        "pg.TrigramExtension()",
        "Functions and operators that nobody uses yet.",
        s.DJANGO_PG,
    ),
    case(
        "held_extension_and_its_index",
        "grows works kept works dangerous",
        [
            "pg.TrigramExtension()",
            index("Product", "name", "name_words", kind="pgi.GinIndex",
            opclasses="['gin_trgm_ops']"),
        ],
        "The extension is harmless; its index is built over all rows while writers wait.",
        s.squawk("require-concurrent-index-creation"),
    ),
    case(
        "held_extension_dropped_with_its_index",
        "brief works kept works caution",
        sql("DROP EXTENSION pg_trgm CASCADE", "noop"),
        "CASCADE drops the index that needs it, under ACCESS EXCLUSIVE for an instant.",
        h.EXTENSION,
        before=sql(
            "CREATE EXTENSION pg_trgm;"
            "CREATE INDEX name_words ON shop_product USING gin (name gin_trgm_ops)"
        ),
    ),
    case(
        "held_extension_dropped_with_its_columns",
        "brief breaks lost impossible dangerous",
        sql("DROP EXTENSION citext CASCADE"),
        "CASCADE drops the columns of the extension's type.",
        h.EXTENSION,
        before=[
            "pg.CITextExtension()",
            separate(
                sql("ALTER TABLE shop_old ADD COLUMN nick citext DEFAULT 'x'"),
                "migrations.AddField('Old', 'nick', models.TextField(null=True))",
            ),
        ],
    ),
    case(
        "held_schema_dropped",
        "brief works lost impossible dangerous",
        sql("DROP SCHEMA archive CASCADE"),
        "Everything in it goes; Django's models know nothing of it.",
        h.SCHEMA,
        before=sql(
            "CREATE SCHEMA archive; CREATE TABLE archive.orders AS SELECT * FROM shop_order"
        ),
        unmeasured=("lock", "data"),
    ),
    case(
        "held_schema_created",
        "none works kept works safe",
        sql(
            "CREATE SCHEMA archive; CREATE TABLE archive.orders (LIKE shop_order INCLUDING ALL)",
            "DROP SCHEMA archive CASCADE",
        ),
        "A new table in a new place, empty.",
        h.SCHEMA,
    ),
    case(
        "held_table_to_another_schema",
        "brief breaks kept works dangerous",
        sql(
            ["CREATE SCHEMA archive", "ALTER TABLE shop_old SET SCHEMA archive"],
            ["ALTER TABLE archive.shop_old SET SCHEMA public", "DROP SCHEMA archive"],
        ),
        "The table is whole, and where nobody looks for it.",
        s.STRONG,
        unmeasured=("data",),
    ),
)  # fmt: skip

PARTITIONS = (
    case(
        "held_partition_created",
        "brief works kept works caution",
        sql(NEXT, "DROP TABLE shop_log_2026"),
        "A partition that is made with its parent locks the parent for an instant.",
        s.PARTITIONS,
        before=sql(ATTACHED),
    ),
    case(
        "held_partition_created_beside_a_default",
        "grows works may_fail works dangerous",
        sql(NEXT, "DROP TABLE shop_log_2026"),
        "The default partition is read whole: no row of it may belong to the new one.",
        s.ALTER,
        before=sql(
            f"{ATTACHED} CREATE TABLE shop_log_rest PARTITION OF shop_log DEFAULT;"
            "INSERT INTO shop_log SELECT i, '2030-06-01' FROM generate_series(1, 120) i"
        ),
        spoil="INSERT INTO shop_log VALUES (0, '2026-06-01')",
    ),
    case(
        "held_partition_attached_after_check",
        "brief works kept works caution",
        sql(
            f"ALTER TABLE shop_log ATTACH PARTITION shop_log_2025 {YEAR}",
            "ALTER TABLE shop_log DETACH PARTITION shop_log_2025",
        ),
        "A valid CHECK that says what the bounds say spares the scan.",
        s.ALTER,
        before=sql(
            f"{LOG} ALTER TABLE shop_log_2025 ADD CONSTRAINT year_ok"
            " CHECK (at >= '2025-01-01' AND at < '2026-01-01')"
        ),
    ),
    case(
        "held_partition_detached",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_log DETACH PARTITION shop_log_2025",
            f"ALTER TABLE shop_log ATTACH PARTITION shop_log_2025 {YEAR}",
        ),
        "ACCESS EXCLUSIVE for an instant; the rows stay in a table of their own.",
        s.squawk("require-concurrent-partition-detach"),
        before=sql(ATTACHED),
    ),
    case(
        "held_partitions_indexed",
        "grows works kept works dangerous",
        sql("CREATE INDEX log_by_id ON shop_log (id)", "DROP INDEX log_by_id"),
        "An index of the parent is one of each partition, built while writers wait.",
        s.PARTITIONS,
        before=sql(ATTACHED),
    ),
    case(
        "held_parent_alone_indexed",
        "brief works kept works caution",
        sql("CREATE INDEX log_by_id ON ONLY shop_log (id)", "DROP INDEX log_by_id"),
        "ONLY makes an index of nothing, to which those of the partitions are attached later.",
        s.PARTITIONS,
        before=sql(ATTACHED),
    ),
)

CASES = (*VIEWS, *FUNCTIONS, *OTHERS, *PARTITIONS)
