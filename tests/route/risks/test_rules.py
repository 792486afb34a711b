"""Each rule with what it must find and what it must leave alone."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from bot.route.findings import Evidence, Risk
from bot.route.plan import Direction
from bot.route.risks.facts import Deed, OperationFacts, RuleKind, Size, TableRule
from bot.route.risks.judge import codes, rules
from tests.route.risks.cases import SMALL, column, found, operation

ADD = 'ALTER TABLE "shop_order" ADD COLUMN "total" integer'
INDEX = 'CREATE INDEX "i" ON "shop_order" ("total")'
CREATE = 'CREATE TABLE "shop_order" ("id" bigint NOT NULL PRIMARY KEY)'
CHECK = 'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("total" > 0)'
DROP_COLUMN = 'ALTER TABLE "shop_order" DROP COLUMN "total" CASCADE'
FOREIGN_KEY = (
    'ALTER TABLE "shop_line" ADD CONSTRAINT "f" FOREIGN KEY ("order_id") REFERENCES "shop_order"'
    ' ("id") DEFERRABLE INITIALLY DEFERRED'
)


def altered(before: str, after: str, *, using: bool = False, **facts: Any) -> OperationFacts:
    cast = f' USING "total"::{after}' if using else ""
    return operation(
        f'ALTER TABLE "shop_order" ALTER COLUMN "total" TYPE {after}{cast}',
        deed=Deed.ALTER_COLUMN,
        table="shop_order",
        before=column(type=before, **facts),
        after=column(type=after, **facts),
    )


def added(**facts: Any) -> OperationFacts:
    return operation(ADD, deed=Deed.ADD_COLUMN, table="shop_order", after=column(**facts))


def with_rule(**facts: Any) -> OperationFacts:
    rule = TableRule(**{"name": "once", "kind": RuleKind.UNIQUE, **facts})
    sql = 'ALTER TABLE "shop_order" ADD CONSTRAINT "once" UNIQUE ("total")'
    return operation(sql, deed=Deed.ADD_RULE, table="shop_order", rules=(rule,))


PYTHON = operation(deed=Deed.PYTHON, note="Python runs here.")
FRESH = operation(CREATE, deed=Deed.CREATE_TABLE, table="shop_order")
WHOLE = {"says_atomic": False, "atomic": False}
BACK = {"direction": Direction.BACKWARD}

BAD: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("brief_lock", (ADD,), {}),
    ("concurrent_in_atomic", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {}),
    ("cuts_values", (altered("text", "varchar(200)", using=True),), {}),
    ("cuts_values", (altered("numeric(8,2)", "numeric(8,1)"),), {}),
    ("cuts_values", (altered("double precision", "integer", using=True),), {}),
    ("cuts_values", (altered("timestamp with time zone", "date", using=True),), {}),
    ("drops_used", (DROP_COLUMN,), {}),
    ("drops_used", ("DROP TABLE shop_order",), {}),
    ("indexes_under_lock", (INDEX,), {}),
    ("indexes_under_lock", ("ALTER TABLE shop_order ADD CONSTRAINT u UNIQUE (total)",), {}),
    ("insert_breaks", (added(),), {}),
    ("insert_breaks", ("ALTER TABLE shop_order ADD COLUMN a integer NOT NULL",), {}),
    ("long_under_lock", (ADD, PYTHON), {}),
    ("long_under_lock", (ADD, "UPDATE shop_order SET total = 1"), {}),
    ("long_under_lock", (ADD, "UPDATE shop_line SET total = 1"), {}),
    ("loses_data", (DROP_COLUMN,), {}),
    ("loses_data", ("DELETE FROM shop_order",), {}),
    ("loses_data", ("TRUNCATE shop_order",), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1",), {}),
    ("mass_write", ("INSERT INTO shop_line (a) SELECT a FROM shop_order",), {}),
    ("name_taken", (with_rule(),), {"names": frozenset({"once"})}),
    ("name_too_long", (with_rule(name="x" * 64),), {"name_limit": 63}),
    ("narrows_type", (altered("varchar(50)", "varchar(20)"),), {}),
    ("narrows_type", (altered("bigint", "integer"),), {}),
    ("narrows_type", (altered("integer", "uuid"),), {}),
    ("no_lock_timeout", (ADD,), {"lock_timeout": 0.0}),
    ("not_checked", (operation(deed=Deed.UNKNOWN, kind="Mine"),), {}),
    ("not_checked", (ADD,), {"vendor": "oracle"}),
    ("not_enforced", (with_rule(enforced=False),), {"vendor": "mysql"}),
    ("opaque_python", (PYTHON,), {}),
    ("opaque_sql", ("DO $$ BEGIN DELETE FROM shop_order; END $$",), {}),
    ("opaque_sql", ("SELECT setval('a', 3)",), {}),
    ("opaque_sql", ("SELECT tidy_up()",), {}),
    ("opaque_sql", ("EXPLAIN ANALYZE DELETE FROM shop_order",), {}),
    ("opaque_sql", ("WITH gone AS (DELETE FROM shop_order RETURNING *) SELECT 1",), {}),
    ("opaque_sql", ("REVOKE ALL ON shop_order FROM site",), {}),
    ("opaque_sql", ("DROP EXTENSION hstore CASCADE",), {}),
    ("opaque_sql", (r"UPDATE a SET b = 'it\'s'; DROP TABLE shop_order; -- '",), {}),
    ("partial_failure", (ADD, INDEX), {"step": WHOLE}),
    ("partial_failure", (ADD, INDEX), {"vendor": "mysql"}),
    ("renames_used", ("ALTER TABLE shop_order RENAME COLUMN a TO b",), {}),
    ("renames_used", ("ALTER TABLE shop_order RENAME TO shop_sale",), {}),
    ("rewrites_table", (altered("integer", "bigint"),), {}),
    ("rewrites_table", (ADD + " DEFAULT (gen_random_uuid()) NOT NULL",), {}),
    ("same_value_for_all", (added(unique=True),), {}),
    ("scans_online", ("ALTER TABLE shop_order VALIDATE CONSTRAINT c",), {}),
    ("scans_under_lock", (CHECK,), {}),
    ("scans_under_lock", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',), {}),
    ("tightens", (with_rule(),), {}),
    ("tightens", (CHECK,), {}),
    ("touches_other_table", (operation(FOREIGN_KEY, deed=Deed.ADD_COLUMN, table="shop_line"),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {}),
    ("undo_impossible", (PYTHON,), {"step": {"reversible": False}}),
]  # fmt: skip

GOOD: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("brief_lock", (FRESH, ADD), {}),
    ("brief_lock", ("UPDATE shop_order SET a = 1 WHERE id = 3",), {}),
    ("concurrent_in_atomic", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {"step": WHOLE}),
    ("cuts_values", (altered("varchar(50)", "varchar(20)"),), {}),
    ("cuts_values", (altered("timestamp", "date"),), {"vendor": "sqlite"}),
    ("drops_used", (FRESH, DROP_COLUMN), {}),
    ("drops_used", (operation(deed=Deed.DROP_COLUMN, table="shop_order", before=column()),), {}),
    ("indexes_under_lock", (FRESH, INDEX), {}),
    ("indexes_under_lock", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {"step": WHOLE}),
    ("indexes_under_lock", (INDEX,), {"vendor": "mysql"}),
    ("insert_breaks", (added(null=True),), {}),
    ("insert_breaks", (added(db_default=True),), {}),
    ("long_under_lock", (PYTHON, ADD), {}),
    ("long_under_lock", (ADD, PYTHON), {"step": WHOLE}),
    ("long_under_lock", (ADD, PYTHON), {"vendor": "mysql"}),
    ("long_under_lock", (FRESH, ADD, PYTHON), {}),
    ("loses_data", ("DELETE FROM shop_order WHERE id = 3",), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1 WHERE id < 1000",), {}),
    ("mass_write", ("INSERT INTO shop_order (a) VALUES (1)",), {}),
    ("name_taken", (operation('DROP INDEX "once"'), with_rule()), {"names": frozenset({"once"})}),
    ("name_too_long", (with_rule(name="x" * 63),), {"name_limit": 63}),
    ("narrows_type", (altered("varchar(20)", "varchar(50)"),), {}),
    ("narrows_type", (altered("integer", "bigint"),), {}),
    ("narrows_type", (altered("varchar(50)", "varchar(20)"),), {"vendor": "sqlite"}),
    ("no_lock_timeout", (ADD,), {}),
    ("not_checked", (ADD,), {}),
    ("not_enforced", (with_rule(),), {"vendor": "mysql"}),
    ("opaque_python", (operation(deed=Deed.NOTHING),), {}),
    ("opaque_sql", ("SELECT count(*) FROM shop_order",), {}),
    ("opaque_sql", ("SELECT 1; SET lock_timeout = '1s'",), {}),
    ("partial_failure", (ADD, INDEX), {}),
    ("partial_failure", (ADD,), {"step": WHOLE}),
    ("partial_failure", (FRESH, INDEX), {"vendor": "mysql"}),
    ("renames_used", ('ALTER TABLE "new__shop_order" RENAME TO "shop_order"',),
        {"vendor": "sqlite"}),
    ("rewrites_table", (altered("varchar(50)", "varchar(60)"),), {}),
    ("rewrites_table", (altered("varchar(50)", "text"),), {}),
    ("rewrites_table", (altered("numeric(8,2)", "numeric(10,2)"),), {}),
    ("rewrites_table", (altered("serial", "integer"),), {}),
    ("rewrites_table", (ADD + " DEFAULT (STATEMENT_TIMESTAMP()) NOT NULL",), {}),
    ("rewrites_table", (ADD + " DEFAULT ('a'::varchar(20)) NOT NULL",), {}),
    ("same_value_for_all", (added(unique=True, null=True),), {}),
    ("scans_online", (ADD,), {}),
    ("scans_under_lock", (CHECK + " NOT VALID",), {}),
    ("scans_under_lock", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',),
        {"checked_not_null": frozenset({("shop_order", "total")})}),
    ("scans_under_lock", (FRESH, CHECK), {}),
    ("tightens", (with_rule(enforced=False),), {}),
    ("touches_other_table", (operation(ADD, deed=Deed.ADD_COLUMN, table="shop_order"),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(null=True)),), {}),
    ("undo_impossible", (PYTHON,), {}),
]  # fmt: skip


def _id(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> str:
    return case[0]


@pytest.mark.parametrize("case", BAD, ids=_id)
def test_what_is_risky_is_found(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    code, operations, situation = case
    assert code in found(*operations, **situation)


@pytest.mark.parametrize("case", GOOD, ids=_id)
def test_what_is_not_is_left_alone(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> None:
    code, operations, situation = case
    assert code not in found(*operations, **situation)


@pytest.mark.parametrize("code", codes())
def test_every_rule_has_a_bad_and_a_good_case(code: str) -> None:
    assert code in {case[0] for case in BAD}
    assert code in {case[0] for case in GOOD}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule.CODE))
def test_every_rule_is_named_after_its_file_and_says_what_to_do_instead(rule: Any) -> None:
    assert rule.__name__.endswith(f".{rule.CODE}")
    assert "\n\nInstead: " in (inspect.getdoc(rule) or "")
    assert hasattr(rule, "look") is not hasattr(rule, "look_at_step")


@pytest.mark.parametrize("case", BAD, ids=_id)
def test_findings_are_a_sentence_or_two_about_a_step(
    case: tuple[str, tuple[Any, ...], dict[str, Any]],
) -> None:
    code, operations, situation = case
    finding = found(*operations, **situation)[code]
    assert finding.because.endswith((".", "..."))
    assert len(finding.because) < 260
    assert finding.step == "shop.0002_more"
    assert finding.level is not Risk.SAFE
    assert finding.evidence in (Evidence.PREDICTED, Evidence.NOT_CHECKED)


def test_work_over_a_large_or_unknown_table_is_dangerous_and_over_a_small_one_is_not() -> None:
    assert found(INDEX)["indexes_under_lock"].level is Risk.DANGEROUS
    assert found(INDEX, size=None)["indexes_under_lock"].level is Risk.DANGEROUS
    assert found(INDEX, size=SMALL)["indexes_under_lock"].level is Risk.CAUTION
    never = Size(bytes=200 * 1024**2, analysed=False)
    assert found(INDEX, size=never)["indexes_under_lock"].level is Risk.DANGEROUS


def test_the_size_is_told_as_far_as_it_is_known() -> None:
    because = found(INDEX)["indexes_under_lock"].because
    assert because == (
        "Blocks writes to shop_order while its index is built (about 40M rows, 12 GB; grows with "
        "size, waiting for the lock comes on top)."
    )
    assert "(size unknown;" in found(INDEX, size=None)["indexes_under_lock"].because
    never = Size(bytes=200 * 1024**2, analysed=False)
    words = "(rows never counted by ANALYZE, 200 MB;"
    assert words in found(INDEX, size=never)["indexes_under_lock"].because


def test_an_index_behind_a_column_of_the_same_transaction_blocks_readers_too() -> None:
    together = found(ADD, INDEX)
    assert together["indexes_under_lock"].because.startswith("Blocks reads and writes of")
    assert "long_under_lock" in together
    apart = found(ADD, INDEX, step=WHOLE)
    assert apart["indexes_under_lock"].because.startswith("Blocks writes to")


def test_a_table_that_is_renamed_keeps_its_size_and_its_age() -> None:
    renamed = found("ALTER TABLE shop_order RENAME TO shop_sale", "CREATE INDEX i ON shop_sale (a)")
    assert "40M rows" in renamed["indexes_under_lock"].because
    fresh = found(FRESH, "ALTER TABLE shop_order RENAME TO a", "CREATE INDEX i ON a (b)")
    assert "indexes_under_lock" not in fresh


def test_a_table_that_old_rows_are_copied_into_is_not_fresh() -> None:
    copied = found(
        "CREATE TABLE shop_sale (a int); INSERT INTO shop_sale SELECT a FROM shop_order",
        "CREATE INDEX i ON shop_sale (a)",
    )
    assert copied["indexes_under_lock"].level is Risk.DANGEROUS


def test_going_back_over_what_cannot_be_undone_is_dangerous() -> None:
    back = {**BACK, "reversible": False}
    assert found(PYTHON, step=back)["undo_impossible"].level is Risk.DANGEROUS
