"""Rules that rest on what the catalogue says of the things that a plan's SQL names."""

from __future__ import annotations

from typing import Any

import pytest

from bot.route.findings import Risk
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import Outcome, Probe
from bot.route.risks.facts import Deed
from bot.route.risks.known import Known
from tests.route.risks.cases import found, operation, rehearsed

ADD = "ALTER TABLE shop_order ADD COLUMN code "
TYPE = "ALTER TABLE shop_order ALTER COLUMN total TYPE "
WHOLE = {"says_atomic": False, "atomic": False}
AT = ("shop_order", "total")


def codes(*sql: str, step: dict[str, Any] | None = None, **known: Any) -> set[str]:
    return set(found(*sql, step=step, known=Known(**known)))


def typed(kind: str, **known: Any) -> dict[str, Any]:
    return {"types": {AT: kind}, **known}


def test_a_function_of_ones_own_rewrites_unless_the_catalogue_says_that_it_is_steady() -> None:
    assert "rewrites_table" in codes(ADD + "text DEFAULT shop_code()")
    steady = codes(ADD + "text DEFAULT shop_code()", steady_functions=frozenset({"shop_code"}))
    assert "rewrites_table" not in steady


def test_a_column_of_a_domain_with_a_rule_rewrites_the_table_and_one_of_a_plain_domain_not() -> (
    None
):
    assert "rewrites_table" not in codes(ADD + "shop_count")
    assert "rewrites_table" in codes(ADD + "shop_count", checked_domains=frozenset({"shop_count"}))


def test_a_rule_of_a_domain_is_held_against_the_tables_that_use_it() -> None:
    sql = "ALTER DOMAIN shop_count ADD CONSTRAINT c CHECK (VALUE > 0)"
    used = {"domain_tables": {"shop_count": ("shop_order",)}}
    assert {"scans_under_lock", "tightens"} <= codes(sql, **used)
    assert codes(sql + " NOT VALID", **used) == {"tightens"}
    assert "opaque_sql" in codes(sql), "nobody asked which tables use it"


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        ("character varying(20)", "varchar(50)", {}),
        ("numeric(8,2)", "numeric", {}),
        ("cidr", "inet", {}),
        ("text", "citext", {}),
        ("timestamp without time zone", "timestamptz", {"utc": True}),
    ],
)
def test_a_type_that_is_stored_alike_is_no_rewrite_when_sql_sets_it(
    before: str, after: str, known: dict[str, Any]
) -> None:
    assert "rewrites_table" not in codes(TYPE + after, **typed(before, **known))
    assert "rewrites_table" in codes(TYPE + after), "what it was is not known"


@pytest.mark.parametrize(
    ("sql", "known"),
    [
        ((TYPE + "timestamptz",), typed("timestamp without time zone")),
        (
            ("SET LOCAL TIME ZONE 'Europe/Paris'", TYPE + "timestamptz"),
            typed("timestamp without time zone", utc=True),
        ),
        (
            (f"SET TIME ZONE 'Europe/Paris'; {TYPE}timestamptz",),
            typed("timestamp without time zone", utc=True),
        ),
        ((TYPE + "citext",), typed("text", indexed=frozenset({AT}))),
        ((TYPE + "varchar(50) USING upper(total)",), typed("character varying(20)")),
        ((TYPE + "integer", TYPE + "bigint"), typed("bigint")),
    ],
)
def test_a_type_is_a_rewrite_where_it_is_not_stored_alike_or_no_longer_known(
    sql: tuple[str, ...], known: dict[str, Any]
) -> None:
    assert "rewrites_table" in codes(*sql, **known)


def test_using_that_computes_loses_what_was_there_and_a_cast_does_not() -> None:
    assert "cuts_values" in codes(TYPE + "varchar(50) USING upper(total)")
    assert "cuts_values" not in codes(TYPE + 'varchar(50) USING "total"::varchar(50)')


def test_a_default_partition_is_read_for_a_new_one_beside_it() -> None:
    sql = "CREATE TABLE shop_log_2026 PARTITION OF shop_log FOR VALUES FROM ('a') TO ('b')"
    beside = codes(sql, default_partitions={"shop_log": "shop_log_rest"})
    assert {"scans_under_lock", "tightens"} <= beside
    assert codes(sql, default_partitions={"shop_log": ""}) == {"brief_lock"}


def test_an_index_of_the_parent_alone_is_no_work() -> None:
    sql = "CREATE INDEX i ON ONLY shop_order (a)"
    assert codes(sql, default_partitions={"shop_order": ""}) == {"brief_lock"}
    assert "indexes_under_lock" in codes(sql)


def test_what_cascade_takes_along_is_told_as_if_it_were_dropped_by_name() -> None:
    sql = "DROP TYPE shop_kind CASCADE"
    along = {"takes_along": {"shop_kind": (("shop_order", "kind"),)}}
    assert {"drops_used", "loses_data", "brief_lock", "opaque_sql"} <= codes(sql, **along)
    assert codes(sql) == {"opaque_sql"}
    archive = {"takes_along": {"archive": (("archive.orders", ""),)}}
    schema = codes("DROP SCHEMA archive CASCADE", **archive)
    assert "loses_data" in schema
    assert "drops_used" not in schema


def test_a_default_that_goes_breaks_the_release_that_leaves_the_value_to_it() -> None:
    for dropped in ("DEFAULT", "IDENTITY"):
        sql = f"ALTER TABLE shop_order ALTER COLUMN total DROP {dropped}"
        assert "insert_breaks" in codes(sql, no_null=frozenset({AT}))
        assert "insert_breaks" not in codes(sql)


def test_an_index_that_sql_drops_locks_its_table_and_is_never_nothing() -> None:
    assert codes("DROP INDEX i", index_tables={"i": "shop_order"}) == {"brief_lock"}
    assert codes("DROP INDEX i") == {"opaque_sql"}


def test_one_string_is_one_transaction_whatever_the_migration_says() -> None:
    add = "ALTER TABLE shop_order ADD CONSTRAINT c CHECK (a > 0) NOT VALID"
    validate = "ALTER TABLE shop_order VALIDATE CONSTRAINT c"
    assert "scans_under_lock" in codes(f"{add}; {validate}", step=WHOLE)
    assert "scans_under_lock" not in codes(add, validate, step=WHOLE)
    assert "partial_failure" not in codes(f"{add}; {validate}", step=WHOLE)
    assert "partial_failure" in codes(add, validate, step=WHOLE)


def test_a_table_that_is_there_cannot_be_made_again() -> None:
    create = 'CREATE TABLE "shop_order" ("id" bigint)'
    assert found(create)["name_taken"].level is Risk.DANGEROUS
    assert "name_taken" not in found(create.replace("TABLE", "TABLE IF NOT EXISTS"))
    assert "name_taken" not in found("DROP TABLE shop_order", create)
    assert "name_taken" not in found("ALTER TABLE shop_order RENAME TO shop_gone", create)
    python = operation(deed=Deed.PYTHON, note="Python runs here.")
    assert "name_taken" not in found(python, create), "it may have dropped it"


def test_a_view_of_all_columns_takes_the_place_of_a_table_in_one_transaction() -> None:
    rename = "ALTER TABLE shop_order RENAME TO shop_sale"
    view = "CREATE VIEW shop_order AS SELECT {} FROM shop_sale"
    assert "renames_used" not in found(rename, view.format("*"))
    assert "renames_used" in found(rename, view.format("id"))
    assert "renames_used" in found(rename, view.format("*"), step=WHOLE)


def test_what_still_breaks_is_told_where_a_rename_that_was_seen_to_work_is_not() -> None:
    """Two columns swapped: the name is there again, and what nobody writes any more is NOT NULL."""
    works = Probe(model="shop.Order", table="shop_order", deed=Does.SELECT, outcome=Outcome.WORKS)
    breaks = Probe(
        model="shop.Order",
        table="shop_order",
        deed=Does.INSERT,
        outcome=Outcome.FAILS,
        error="null value in column old",
    )
    swap = "ALTER TABLE shop_order RENAME COLUMN a TO old"
    told = found(swap, rehearsed=rehearsed(probes=(works, breaks)))
    assert "renames_used" not in told
    assert "old_release_fails" in told
