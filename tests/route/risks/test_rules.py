"""Each rule with what it must find and what it must leave alone."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest

from bot.route.data_checks import BREAKS, CUTS, About, Answer, Checked, DataCheck
from bot.route.findings import Evidence, Risk
from bot.route.plan import Direction
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import Outcome, Probe
from bot.route.risks import judge
from bot.route.risks.facts import Deed, OperationFacts, RuleKind, Size, TableRule
from bot.route.risks.judge import codes, rules
from tests.route.risks.cases import (
    ADD,
    DROP_COLUMN,
    SMALL,
    altered,
    column,
    found,
    operation,
    rehearsed,
    with_rule,
)

INDEX = 'CREATE INDEX "i" ON "shop_order" ("total")'
CREATE = 'CREATE TABLE "shop_order" ("id" bigint NOT NULL PRIMARY KEY)'
CHECK = 'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("total" > 0)'
FOREIGN_KEY = (
    'ALTER TABLE "shop_line" ADD CONSTRAINT "f" FOREIGN KEY ("order_id") REFERENCES "shop_order"'
    ' ("id") DEFERRABLE INITIALLY DEFERRED'
)


def added(**facts: Any) -> OperationFacts:
    return operation(ADD, deed=Deed.ADD_COLUMN, table="shop_order", after=column(**facts))


def unbound(**facts: Any) -> OperationFacts:
    rule = TableRule(**{"name": "once", "kind": RuleKind.UNIQUE, **facts})
    sql = 'ALTER TABLE "shop_order" DROP CONSTRAINT "once"'
    return operation(sql, deed=Deed.DROP_RULE, table="shop_order", rules=(rule,))


PYTHON = operation(deed=Deed.PYTHON, note="Python runs here.")
FRESH = operation(CREATE, deed=Deed.CREATE_TABLE, table="shop_order")
WHOLE = {"says_atomic": False, "atomic": False}
BACK = {"direction": Direction.BACKWARD}
FINE = Probe(model="shop.Order", table="shop_order", deed=Does.INSERT, outcome=Outcome.WORKS)
BROKEN = replace(FINE, outcome=Outcome.FAILS, error="no such thing")
NOT_RUN = rehearsed(outcome=Outcome.FAILS, complete=False, error="division by zero")
UNSURE = rehearsed(
    outcome=Outcome.UNKNOWN, because="It depends on the rows.", error="value too long"
)
NO_WAY_BACK = rehearsed(
    undo=Outcome.FAILS, undo_error="value too long", undo_because="It fails: value too long"
)


def answered(answer: Answer, code: str = BREAKS, **facts: Any) -> dict[str, Any]:
    """A situation in which today's data was asked about the step's operation."""
    check = DataCheck(
        code=code,
        step="shop.0002_more",
        operation=0,
        table="shop_order",
        words="shop_order.total has no NULL",
        one="row of shop_order has NULL in total",
        many="rows of shop_order have NULL in total",
        then="SET NOT NULL would fail",
        **facts,
    )
    return {"data": (Checked(check=check, answer=answer, count=12, why_not="nobody answers"),)}


TYPE, RULE = {"about": About.TYPE}, {"about": About.UNIQUE}
NARROWED = altered("varchar(50)", "varchar(20)")
CUT = altered("text", "varchar(200)", using=True)
BAD: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("brief_lock", (ADD,), {}),
    ("concurrent_in_atomic", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {}),
    ("concurrent_in_atomic", ("SET a = 1; CREATE INDEX CONCURRENTLY i ON shop_order (a)",),
        {"step": {"says_atomic": False, "atomic": False}}),
    ("cuts_values", (altered("text", "varchar(200)", using=True),), {}),
    ("cuts_values", (altered("numeric(8,2)", "numeric(8,1)"),), {}),
    ("cuts_values", (altered("double precision", "integer", using=True),), {}),
    ("cuts_values", (altered("timestamp with time zone", "date", using=True),), {}),
    ("cuts_values", (CUT,), answered(Answer.HOLDS, CUTS, **TYPE)),
    ("cuts_values", (altered("text[]", "varchar(20)[]", using=True),), {}),
    ("data_breaks_rule", (ADD,), answered(Answer.BROKEN)),
    ("data_not_checked", (ADD,), answered(Answer.UNKNOWN)),
    ("data_would_be_cut", (CUT,), answered(Answer.BROKEN, CUTS, **TYPE)),
    ("drops_used", (DROP_COLUMN,), {}),
    ("drops_used", ("DROP TABLE shop_order",), {}),
    ("indexes_under_lock", (INDEX,), {}),
    ("indexes_under_lock", ("ALTER TABLE shop_order ADD CONSTRAINT u UNIQUE (total)",), {}),
    ("insert_breaks", (added(),), {}),
    ("insert_breaks", ("ALTER TABLE shop_order ADD COLUMN a integer NOT NULL",), {}),
    ("invents_values", (ADD + " NOT NULL",), {"vendor": "mysql"}),
    ("invents_values", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {"vendor": "mysql"}),
    ("invents_values", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {"vendor": "mysql", "rehearsed": rehearsed()}),
    ("long_under_lock", (ADD, PYTHON), {}),
    ("long_under_lock", (ADD, "UPDATE shop_order SET total = 1"), {}),
    ("long_under_lock", (ADD, "UPDATE shop_line SET total = 1"), {}),
    ("loses_data", (DROP_COLUMN,), {}),
    ("loses_data", ("DELETE FROM shop_order",), {}),
    ("loses_data", ("TRUNCATE shop_order",), {}),
    ("loses_data", ("DELETE FROM shop_order WHERE id = 3",), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1",), {}),
    ("mass_write", ("INSERT INTO shop_line (a) SELECT a FROM shop_order",), {"vendor": "mysql"}),
    ("mass_write", ("UPDATE shop_order SET total = 1 WHERE total IS NULL",), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1 WHERE status = 'open'",), {}),
    ("mass_write", ("UPDATE shop_line SET a = o.a FROM shop_order o WHERE o.id = order_id",), {}),
    ("mass_write", ("UPDATE shop_order SET a = (SELECT b FROM shop_line l WHERE l.id = line_id)",),
        {}),
    ("mass_write", ("UPDATE shop_order SET a = (SELECT b FROM shop_line LIMIT 1)",), {}),
    ("mass_write", ("UPDATE shop_order SET a = 1 WHERE id = (other_id)",), {}),
    ("value_too_early", ("ALTER TYPE kind ADD VALUE 'c'",
        "UPDATE shop_order SET kind = 'c' WHERE id = 3"), {}),
    ("drops_used", ("DROP VIEW shop_brief",), {}),
    ("loses_data", ("WITH g AS (DELETE FROM shop_order RETURNING *) SELECT 1",), {}),
    ("mass_write", ("SELECT id FROM shop_order FOR UPDATE",), {}),
    ("renames_used", ("ALTER TYPE kind RENAME VALUE 'a' TO 'b'",), {}),
    ("rewrites_table", ("REFRESH MATERIALIZED VIEW shop_totals",), {}),
    ("meets_own_rows", (FRESH, PYTHON, CHECK), {}),
    ("name_taken", (with_rule(),), {"names": frozenset({"once"})}),
    ("name_too_long", (with_rule(name="x" * 64),), {"name_limit": 63}),
    ("narrows_type", (altered("varchar(50)", "varchar(20)"),), {}),
    ("narrows_type", (altered("bigint", "integer"),), {}),
    ("narrows_type", (altered("integer", "uuid"),), {}),
    ("narrows_type", (altered("integer", "integer[]"),), {}),
    ("narrows_type", (altered("varchar(50)[]", "varchar(20)[]"),), {}),
    ("no_lock_timeout", (ADD,), {"lock_timeout": 0.0}),
    ("not_checked", (operation(deed=Deed.UNKNOWN, kind="Mine"),), {}),
    ("not_checked", (ADD,), {"vendor": "oracle"}),
    ("not_enforced", (with_rule(enforced=False),), {"vendor": "mysql"}),
    ("old_release_fails", (ADD,), {"rehearsed": rehearsed(probes=(BROKEN,))}),
    ("opaque_python", (PYTHON,), {}),
    ("opaque_sql", ("DO $$ BEGIN DELETE FROM shop_order; END $$",), {}),
    ("opaque_sql", ("SELECT setval('a', 3)",), {}),
    ("opaque_sql", ("SELECT tidy_up()",), {}),
    ("opaque_sql", ("EXPLAIN ANALYZE DELETE FROM shop_order",), {}),
    ("opaque_sql", ("REVOKE ALL ON shop_order FROM site",), {}),
    ("opaque_sql", ("DROP EXTENSION hstore CASCADE",), {}),
    ("opaque_sql", (r"UPDATE a SET b = 'it\'s'; DROP TABLE shop_order; -- '",), {}),
    ("partial_failure", (ADD, INDEX), {"step": WHOLE}),
    ("partial_failure", (ADD, INDEX), {"vendor": "mysql"}),
    ("rehearsal_fails", (ADD,), {"rehearsed": NOT_RUN}),
    ("renames_used", ("ALTER TABLE shop_order RENAME COLUMN a TO b",), {}),
    ("renames_used", ("ALTER TABLE shop_order RENAME TO shop_sale",), {}),
    ("rewrites_table", (altered("integer", "bigint"),), {}),
    ("rewrites_table", (altered("varchar(20)[]", "varchar(50)[]"),), {}),
    ("rewrites_table", (ADD + " DEFAULT (gen_random_uuid()) NOT NULL",), {}),
    ("rows_decide", (ADD,), {"rehearsed": UNSURE}),
    ("same_value_for_all", (added(unique=True),), {}),
    ("rewrites_table", ("CLUSTER shop_order USING i",), {}),
    ("rewrites_table", ("ALTER TABLE shop_order SET UNLOGGED",), {}),
    ("scans_online", ("ALTER TABLE shop_order VALIDATE CONSTRAINT c",), {}),
    ("scans_online", ("VACUUM shop_order",), {"step": WHOLE}),
    ("scans_online", ("INSERT INTO shop_line (a) SELECT a FROM shop_order",), {}),
    ("scans_online", ("CREATE TABLE shop_copy AS SELECT * FROM shop_order",), {}),
    ("indexes_under_lock", ("REINDEX TABLE shop_order",), {}),
    ("scans_under_lock", (altered("integer", "integer"),),
        {"in_checks": frozenset({("shop_order", "total")})}),
    ("scans_under_lock", ("ALTER TABLE shop_log ATTACH PARTITION shop_order DEFAULT",), {}),
    ("opaque_sql", ("VACUUM shop_order",), {"vendor": "sqlite"}),
    ("scans_under_lock", (CHECK,), {}),
    ("scans_under_lock", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',), {}),
    ("tightens", (with_rule(),), {}),
    ("tightens", (CHECK,), {}),
    ("tightens", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',), {}),
    ("tightens", ("ALTER TABLE shop_order VALIDATE CONSTRAINT c",), {}),
    ("touches_other_table", (operation(FOREIGN_KEY, deed=Deed.ADD_COLUMN, table="shop_line"),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False, references="shop_customer")),), {"vendor": "mysql"}),
    ("undo_fails_with_rows", (ADD,), {"rehearsed": NO_WAY_BACK}),
    ("undo_meets_new_rows", (ADD,), {"rehearsed": replace(NO_WAY_BACK, undo=Outcome.UNKNOWN)}),
    ("undo_impossible", (PYTHON,), {"step": {"reversible": False}}),
    ("undo_meets_new_rows", (altered("varchar(20)", "varchar(50)"),), {}),
    ("undo_meets_new_rows", (altered("integer", "bigint"),), {}),
    ("undo_meets_new_rows", (unbound(),), {}),
]  # fmt: skip

GOOD: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("brief_lock", (FRESH, ADD), {}),
    ("brief_lock", ("UPDATE shop_order SET a = 1 WHERE id = 3",), {}),
    ("concurrent_in_atomic", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {"step": WHOLE}),
    ("concurrent_in_atomic", ("REFRESH MATERIALIZED VIEW CONCURRENTLY shop_totals",), {}),
    ("value_too_early", ("ALTER TYPE kind ADD VALUE 'c'",), {}),
    ("value_too_early", ("CREATE TYPE kind AS ENUM ('a')", "ALTER TYPE kind ADD VALUE 'c'",
        "UPDATE shop_order SET kind = 'c' WHERE id = 3"), {}),
    ("value_too_early", ("ALTER TYPE kind ADD VALUE 'c'",
        "UPDATE shop_order SET kind = 'c' WHERE id = 3"), {"step": WHOLE}),
    ("mass_write", ("SELECT id FROM shop_order WHERE id = 3 FOR UPDATE",), {}),
    ("loses_data", ("DROP VIEW shop_brief",), {}),
    ("cuts_values", (altered("varchar(50)", "varchar(20)"),), {}),
    ("cuts_values", (altered("timestamp", "date"),), {"vendor": "sqlite"}),
    ("cuts_values", (CUT,), answered(Answer.BROKEN, CUTS, **TYPE)),
    ("data_breaks_rule", (ADD,), answered(Answer.HOLDS)),
    ("data_breaks_rule", (ADD,), answered(Answer.BROKEN, CUTS)),
    ("data_not_checked", (ADD,), answered(Answer.HOLDS)),
    ("data_would_be_cut", (CUT,), answered(Answer.BROKEN)),
    ("drops_used", (FRESH, DROP_COLUMN), {}),
    ("drops_used", (ADD, DROP_COLUMN), {}),
    ("drops_used", (operation(deed=Deed.DROP_COLUMN, table="shop_order", before=column()),), {}),
    ("indexes_under_lock", (FRESH, INDEX), {}),
    ("indexes_under_lock", ("CREATE INDEX CONCURRENTLY i ON shop_order (a)",), {"step": WHOLE}),
    ("indexes_under_lock", (INDEX,), {"vendor": "mysql"}),
    ("insert_breaks", (added(null=True),), {}),
    ("insert_breaks", (added(db_default=True),), {}),
    ("insert_breaks", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',),
        {"refuses_null": frozenset({("shop_order", "total")})}),
    ("invents_values", (ADD + " NOT NULL",), {}),
    ("invents_values", (ADD + " DEFAULT 1 NOT NULL",), {"vendor": "mysql"}),
    ("invents_values", (FRESH, ADD + " NOT NULL"), {"vendor": "mysql"}),
    ("invents_values", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False, references="shop_customer")),), {"vendor": "mysql"}),
    ("long_under_lock", (PYTHON, ADD), {}),
    ("long_under_lock", (ADD, PYTHON), {"step": WHOLE}),
    ("long_under_lock", (ADD, PYTHON), {"vendor": "mysql"}),
    ("long_under_lock", (FRESH, ADD, PYTHON), {}),
    ("loses_data", (FRESH, "DELETE FROM shop_order WHERE id = 3"), {}),
    ("loses_data", (added(), operation(DROP_COLUMN)), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1 WHERE id < 1000",), {}),
    ("mass_write", ("UPDATE shop_order SET total = 1 WHERE shop_order.id IN (1, 2)",), {}),
    ("mass_write", ("UPDATE shop_order SET a = (SELECT b FROM c WHERE d = 1) WHERE id = 3",), {}),
    ("mass_write", ("INSERT INTO shop_line (a) SELECT a FROM shop_order",), {}),
    ("mass_write", ("INSERT INTO shop_order (a) VALUES (1)",), {}),
    ("meets_own_rows", (FRESH, CHECK), {}),
    ("meets_own_rows", (PYTHON, CHECK), {}),
    ("name_taken", (operation('DROP INDEX "once"'), with_rule()), {"names": frozenset({"once"})}),
    ("name_too_long", (with_rule(name="x" * 63),), {"name_limit": 63}),
    ("narrows_type", (altered("varchar(20)", "varchar(50)"),), {}),
    ("narrows_type", (altered("integer", "bigint"),), {}),
    ("narrows_type", (altered("integer[]", "bigint[]"),), {}),
    ("narrows_type", (altered("varchar(50)", "varchar(20)"),), {"vendor": "sqlite"}),
    ("no_lock_timeout", (ADD,), {}),
    ("not_checked", (ADD,), {}),
    ("not_enforced", (with_rule(),), {"vendor": "mysql"}),
    ("old_release_fails", (ADD,), {"rehearsed": rehearsed(probes=(FINE,))}),
    ("old_release_fails", (DROP_COLUMN,), {"rehearsed": rehearsed(probes=(BROKEN,))}),
    ("opaque_python", (operation(deed=Deed.NOTHING),), {}),
    ("opaque_sql", ("SELECT count(*) FROM shop_order",), {}),
    ("opaque_sql", ("SELECT 1; SET lock_timeout = '1s'",), {}),
    ("partial_failure", (ADD, INDEX), {}),
    ("partial_failure", (ADD,), {"step": WHOLE}),
    ("partial_failure", (FRESH, INDEX), {"vendor": "mysql"}),
    ("rehearsal_fails", (ADD,), {"rehearsed": rehearsed()}),
    ("renames_used", ('ALTER TABLE "new__shop_order" RENAME TO "shop_order"',),
        {"vendor": "sqlite"}),
    ("rewrites_table", (altered("varchar(50)", "varchar(60)"),), {}),
    ("rewrites_table", (altered("varchar(50)", "text"),), {}),
    ("rewrites_table", (altered("numeric(8,2)", "numeric(10,2)"),), {}),
    ("rewrites_table", (altered("serial", "integer"),), {}),
    ("rewrites_table", (altered("integer[3]", "integer[]"),), {}),
    ("rewrites_table", (ADD + " DEFAULT (STATEMENT_TIMESTAMP()) NOT NULL",), {}),
    ("rewrites_table", (ADD + " DEFAULT ('a'::varchar(20)) NOT NULL",), {}),
    ("rows_decide", (ADD,), {"rehearsed": NOT_RUN}),
    ("same_value_for_all", (added(unique=True, null=True),), {}),
    ("renames_used", (ADD, 'ALTER TABLE "shop_order" RENAME "total" TO "sum"'), {}),
    ("scans_online", (ADD,), {}),
    ("scans_online", ("ALTER TABLE shop_order SET (fillfactor = 80)",), {}),
    ("scans_under_lock", (CHECK + " NOT VALID",), {}),
    ("scans_under_lock", (altered("varchar(50)", "text", index=True),), {}),
    ("scans_under_lock", ('ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',),
        {"checked_not_null": frozenset({("shop_order", "total")})}),
    ("scans_under_lock", (FRESH, CHECK), {}),
    ("tightens", (with_rule(enforced=False),), {}),
    ("tightens", ("ALTER TABLE shop_order ADD CONSTRAINT u UNIQUE USING INDEX i",), {}),
    ("touches_other_table", (operation(ADD, deed=Deed.ADD_COLUMN, table="shop_order"),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(null=True)),), {}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {"rehearsed": rehearsed()}),
    ("undo_fails_with_rows", (operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order",
        before=column(fills_rows=False)),), {"vendor": "mysql"}),
    ("undo_impossible", (PYTHON,), {}),
    ("undo_meets_new_rows", (altered("varchar(50)", "varchar(20)"),), {}),
    ("undo_meets_new_rows", (altered("integer", "bigint"),), {"step": BACK}),
    ("undo_meets_new_rows", (unbound(kind=RuleKind.INDEX),), {}),
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


@pytest.mark.parametrize("case", [*BAD, *GOOD], ids=_id)
def test_a_rule_has_nothing_to_say_of_what_it_is_not_about(
    case: tuple[str, tuple[Any, ...], dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, operations, situation = case
    those = found(*operations, **situation)
    monkeypatch.setattr(judge, "_looks", lambda matters: judge.looks_of(rules()))
    assert found(*operations, **situation) == those


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
    if "data" not in situation:
        assert (finding.evidence is Evidence.MEASURED) is ("rehearsed" in situation)


@pytest.mark.parametrize(
    ("code", "operation", "data"),
    [
        ("cuts_values", CUT, answered(Answer.HOLDS, CUTS, **TYPE)),
        ("narrows_type", NARROWED, answered(Answer.HOLDS, **TYPE)),
        ("same_value_for_all", added(unique=True), answered(Answer.HOLDS, about=About.ROWS)),
    ],
)
def test_what_the_data_settles_today_is_measured_and_caution_and_never_safe(
    code: str, operation: OperationFacts, data: dict[str, Any]
) -> None:
    predicted, measured = found(operation)[code], found(operation, **data)[code]
    assert (predicted.level, predicted.evidence) == (Risk.DANGEROUS, Evidence.PREDICTED)
    assert (measured.level, measured.evidence) == (Risk.CAUTION, Evidence.MEASURED)


def test_a_rule_that_the_data_keeps_is_measured_and_still_refuses_later_writes() -> None:
    finding = found(with_rule(), **answered(Answer.HOLDS, **RULE))["tightens"]
    assert finding.evidence is Evidence.MEASURED
    assert finding.level is Risk.CAUTION
    assert "no row breaks it today" in finding.because


def test_a_rule_that_nobody_could_ask_about_is_not_kept_because_another_is() -> None:
    both = operation("ALTER TABLE shop_order ALTER COLUMN total SET NOT NULL", CHECK)
    null = answered(Answer.HOLDS, about=About.NULL)["data"]
    other = answered(Answer.UNKNOWN, about=About.OTHER)["data"]
    assert found(both, data=null)["tightens"].evidence is Evidence.MEASURED
    assert found(both, data=(*null, *other))["tightens"].evidence is Evidence.PREDICTED


@pytest.mark.parametrize("answer", [Answer.UNKNOWN, Answer.BROKEN])
def test_what_the_data_does_not_settle_stays_as_dangerous_as_it_was(answer: Answer) -> None:
    assert found(NARROWED, **answered(answer, **TYPE))["narrows_type"].level is Risk.DANGEROUS
    same = found(CUT, **answered(Answer.UNKNOWN, CUTS, **TYPE))["cuts_values"]
    assert (same.level, same.evidence) == (Risk.DANGEROUS, Evidence.PREDICTED)


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


def test_an_update_without_a_where_of_its_own_writes_every_row() -> None:
    inside = "UPDATE shop_order SET a = (SELECT b FROM shop_line l WHERE l.id = shop_order.line_id)"
    assert found(inside)["mass_write"].level is Risk.DANGEROUS
    assert found(f"{inside} WHERE id = 3 OR id = 4")["mass_write"].level is Risk.CAUTION


def test_a_table_that_old_rows_are_copied_into_is_not_fresh() -> None:
    copied = found(
        "CREATE TABLE shop_sale (a int); INSERT INTO shop_sale SELECT a FROM shop_order",
        "CREATE INDEX i ON shop_sale (a)",
    )
    assert copied["indexes_under_lock"].level is Risk.DANGEROUS


def test_a_table_that_others_rows_are_added_to_keeps_its_own_size() -> None:
    copied = "INSERT INTO shop_old (total) SELECT total FROM shop_order"
    index = operation("CREATE INDEX i ON shop_old (total)")
    assert "40M rows" not in found(copied, index)["indexes_under_lock"].because
    made = operation("CREATE TABLE shop_old (total integer)")
    assert "40M rows" in found(made, copied, index)["indexes_under_lock"].because


def test_going_back_over_what_cannot_be_undone_is_dangerous() -> None:
    back = {**BACK, "reversible": False}
    assert found(PYTHON, step=back)["undo_impossible"].level is Risk.DANGEROUS


def test_a_check_that_the_plan_itself_validates_spares_the_scan() -> None:
    steps = [
        'ALTER TABLE "shop_order" ADD CONSTRAINT "c" CHECK ("total" IS NOT NULL) NOT VALID',
        'ALTER TABLE "shop_order" VALIDATE CONSTRAINT "c"',
        'ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL',
    ]
    assert "scans_under_lock" not in found(*steps, step=WHOLE)
    assert "scans_under_lock" in found(steps[0], steps[2], step=WHOLE)
    assert "insert_breaks" in found(*steps, step=WHOLE)


def test_a_check_that_is_dropped_again_spares_no_scan() -> None:
    drop = 'ALTER TABLE "shop_order" DROP CONSTRAINT "there"'
    check = 'ALTER TABLE "shop_order" ADD CONSTRAINT "there" CHECK ("total" IS NOT NULL)'
    then = 'ALTER TABLE "shop_order" ALTER COLUMN "total" SET NOT NULL'
    before: dict[str, Any] = {"checked_not_null": frozenset({("shop_order", "total")})}
    assert "scans_under_lock" not in found(then, drop, **before)
    assert "scans_under_lock" in found(drop, then, **before)
    unvalidated = f"{check} NOT VALID"
    other = 'ALTER TABLE "shop_order" DROP CONSTRAINT "other"'
    validated = 'ALTER TABLE "shop_order" VALIDATE CONSTRAINT "there"'
    assert "scans_under_lock" not in found(unvalidated, validated, other, then, step=WHOLE)
    assert "scans_under_lock" in found(unvalidated, validated, drop, then, step=WHOLE)


def test_a_rule_that_is_not_valid_says_nothing_of_rows_that_are_there() -> None:
    assert "stop the migration" in found(CHECK)["tightens"].because
    assert "stop the migration" not in found(CHECK + " NOT VALID")["tightens"].because


@pytest.mark.parametrize("sql", ["DROP TABLE shop_order", "TRUNCATE shop_order"])
def test_what_takes_a_whole_table_is_known_by_its_words(sql: str) -> None:
    gone = found(sql)
    part = found(DROP_COLUMN)
    for code in {"drops_used", "loses_data"} & set(gone):
        assert gone[code].of_whole_table < part[code].of_whole_table


def test_of_an_empty_table_nothing_is_lost_that_would_have_to_be_told_first() -> None:
    full, empty = (
        found("DROP TABLE shop_order", size=Size(rows=rows, bytes=0))["loses_data"]
        for rows in (9, 0)
    )
    assert "(0 rows" in empty.because
    assert full.of_whole_table < empty.of_whole_table
