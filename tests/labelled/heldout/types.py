"""Types: domains, enums, collations, and casts that need no rewrite."""

from __future__ import annotations

from tests.labelled import sources as s
from tests.labelled.building import add, alone, alter, case, rule, separate, sql
from tests.labelled.heldout import sources as h

COUNTED = "CREATE DOMAIN shop_counted AS integer"
USED = f"{COUNTED}; ALTER TABLE shop_old ADD COLUMN count shop_counted DEFAULT 1"
KIND = separate(
    sql(
        [
            "CREATE TYPE shop_kind AS ENUM ('a', 'b')",
            "ALTER TABLE shop_old ADD COLUMN kind shop_kind NOT NULL DEFAULT 'a'",
        ]
    ),
    add("Old", "kind", "CharField(max_length=9, db_default='a')"),
)
WRITES_KIND = {"Old": {"word": "w" * 30, "kind": "a"}}
NOCASE = "pg.CreateCollation('nocase', 'und-u-ks-level2', provider='icu', deterministic=False)"

DOMAINS = (
    case(
        "held_column_of_checked_domain",
        "grows works kept works dangerous",
        sql(
            "ALTER TABLE shop_old ADD COLUMN count shop_positive",
            "ALTER TABLE shop_old DROP COLUMN count",
        ),
        "A domain with a constraint makes ADD COLUMN rewrite the table, without a default even.",
        s.squawk("ban-create-domain-with-constraint"),
        before=sql("CREATE DOMAIN shop_positive AS integer CHECK (VALUE > 0)"),
    ),
    case(
        "held_column_of_plain_domain",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_old ADD COLUMN count shop_counted",
            "ALTER TABLE shop_old DROP COLUMN count",
        ),
        "A domain without a constraint is its type by another name.",
        h.REWRITES,
        before=sql(COUNTED),
    ),
    case(
        "held_domain_created",
        "none works kept works safe",
        sql(
            "CREATE DOMAIN shop_positive AS integer CHECK (VALUE > 0)",
            "DROP DOMAIN shop_positive",
        ),
        "Nothing uses a domain that was not there.",
        s.squawk("ban-create-domain-with-constraint"),
    ),
    case(
        "held_domain_checked",
        "grows depends may_fail works dangerous",
        sql(
            "ALTER DOMAIN shop_counted ADD CONSTRAINT counted_ok CHECK (VALUE > 0)",
            "ALTER DOMAIN shop_counted DROP CONSTRAINT counted_ok",
        ),
        "All columns of the domain are checked, and their tables take a SHARE lock meanwhile.",
        h.DOMAIN,
        before=sql(USED),
        spoil="UPDATE shop_old SET count = -1 WHERE id = 1",
    ),
    case(
        "held_domain_checked_not_valid",
        "none depends kept works caution",
        sql(
            "ALTER DOMAIN shop_counted ADD CONSTRAINT counted_ok CHECK (VALUE > 0) NOT VALID",
            "ALTER DOMAIN shop_counted DROP CONSTRAINT counted_ok",
        ),
        "NOT VALID suppresses the check of what is there; what is written from now on is held to "
        "it.",
        h.DOMAIN,
        before=sql(USED),
    ),
)

ENUMS = (
    case(
        "held_enum_value_renamed",
        "none breaks kept works dangerous",
        sql(
            "ALTER TYPE shop_kind RENAME VALUE 'a' TO 'alpha'",
            "ALTER TYPE shop_kind RENAME VALUE 'alpha' TO 'a'",
        ),
        "The catalogue alone, and no table is locked; but the running release writes the old "
        "value, and gets another back.",
        s.STRONG,
        before=KIND,
        writes=WRITES_KIND,
        unmeasured=("data", "undo"),
    ),
    case(
        "held_enum_value_used_at_once",
        "none works kept works dangerous",
        sql("ALTER TYPE shop_kind ADD VALUE 'c'", "noop")
        + ", "
        + sql("UPDATE shop_old SET kind = 'c' WHERE id = 1", "noop"),
        "A new value cannot be used until its transaction is committed: it cannot succeed.",
        h.NEW_VALUE,
        before=KIND,
        fails=True,
        unmeasured=("data",),
    ),
    case(
        "held_enum_value_used_after_commit",
        "none works kept works safe",
        alone(
            sql("ALTER TYPE shop_kind ADD VALUE 'c'", "noop"),
            sql("INSERT INTO shop_old (word, kind) VALUES ('new', 'c')", "noop"),
        ),
        "Without a transaction the value is committed when it is used, and one row is new.",
        h.ENUM,
        before=KIND,
        writes=WRITES_KIND,
    ),
    case(
        "held_enum_dropped",
        "brief breaks lost impossible dangerous",
        sql("DROP TYPE shop_kind CASCADE"),
        "CASCADE takes the columns of the type with it.",
        h.TYPE,
        before=KIND,
        writes=WRITES_KIND,
    ),
)

CASTS = (
    case(
        "held_timestamp_to_timestamptz",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_old ALTER COLUMN seen TYPE timestamptz",
            "ALTER TABLE shop_old ALTER COLUMN seen TYPE timestamp",
        ),
        "Both are stored alike, and Django's sessions are in UTC: no rewrite.",
        s.STRONG,
        before=sql("ALTER TABLE shop_old ADD COLUMN seen timestamp DEFAULT '2026-01-01'"),
    ),
    case(
        "held_timestamp_to_timestamptz_elsewhere",
        "grows works kept works dangerous",
        sql(
            [
                "SET LOCAL TIME ZONE 'Europe/Paris'",
                "ALTER TABLE shop_old ALTER COLUMN seen TYPE timestamptz",
            ],
            "ALTER TABLE shop_old ALTER COLUMN seen TYPE timestamp",
        ),
        "The same in a session of another time zone: every value is another one, so it is "
        "rewritten.",
        s.STRONG,
        before=sql("ALTER TABLE shop_old ADD COLUMN seen timestamp DEFAULT '2026-01-01'"),
        unmeasured=("data",),
    ),
    case(
        "held_numeric_without_limits",
        "brief works kept works caution",
        sql("ALTER TABLE shop_product ALTER COLUMN weight_2 TYPE numeric", "noop"),
        "A numeric that loses its precision and scale is stored as it was.",
        s.STRONG,
        before=sql("ALTER TABLE shop_product ADD COLUMN weight_2 numeric(8, 2) DEFAULT 1"),
    ),
    case(
        "held_cidr_to_inet",
        "brief works kept works caution",
        sql("ALTER TABLE shop_old ALTER COLUMN net TYPE inet", "noop"),
        "cidr and inet are stored alike.",
        s.STRONG,
        before=sql("ALTER TABLE shop_old ADD COLUMN net cidr DEFAULT '10.0.0.0/8'"),
    ),
    case(
        "held_text_to_citext",
        "brief works kept works caution",
        sql(
            "ALTER TABLE shop_product ALTER COLUMN blurb TYPE citext",
            "ALTER TABLE shop_product ALTER COLUMN blurb TYPE text",
        ),
        "citext is stored as text is, and the column has no index.",
        s.STRONG,
        before="pg.CITextExtension()",
    ),
    case(
        "held_using_changes_values",
        "grows works lost works dangerous",
        sql(
            "ALTER TABLE shop_product ALTER COLUMN note TYPE varchar(50) USING upper(note)",
            "noop",
        ),
        "USING may compute anything: every row is written, and what it was is gone.",
        s.ALTER,
    ),
    case(
        "held_int_to_boolean",
        "grows breaks lost works dangerous",
        alter("Product", "rank", "BooleanField(null=True)"),
        "All numbers but 0 become true, and the old code sends numbers, which no boolean takes.",
        s.TYPES,
        writes={"Product": {"rank": 7}},
    ),
    case(
        "held_char_to_uuid",
        "grows breaks may_fail fails dangerous",
        alter("Product", "note", "UUIDField(null=True)"),
        "A text that is no UUID is an error, and the old code writes any text.",
        s.TYPES,
        fails=True,
        writes={"Product": {"note": "n" * 50}},
    ),
    case(
        "held_collation_without_case",
        "grows depends may_fail works dangerous",
        alter("Customer", "email", "CharField(max_length=100, db_collation='nocase')"),
        "The unique index is sorted by the collation, so it is built anew, and what was two "
        "values may be one now.",
        s.DJANGO_PG,
        before=[
            NOCASE,
            rule("Customer", "UniqueConstraint(fields=['email'], name='email_once')"),
        ],
        spoil="UPDATE shop_customer SET email = '2@EXAMPLE.org' WHERE id = 1",
    ),
    case(
        "held_collation_created",
        "none works kept works safe",
        NOCASE,
        "Nothing uses a collation that was not there.",
        s.DJANGO_PG,
    ),
)  # fmt: skip

CASES = (*DOMAINS, *ENUMS, *CASTS)
