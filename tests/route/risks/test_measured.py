"""Findings of a rehearsed step: what was measured stands in for what was predicted, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.route.findings import Evidence, Risk
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import MeasuredStatement, Outcome, Probe
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Deed
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

WIDER = altered("varchar(50)", "citext")
"""A change that the rules do not know and take for a rewrite."""


def effect(work: Work = Work.NONE, lock: Lock = Lock.ALL, **facts: Any) -> Effect:
    given = {"table": "shop_order", "words": "its index is built", "evidence": Evidence.MEASURED}
    return Effect(lock=lock, work=work, **{**given, **facts})


def sent(*effects: Effect, operation: int = 0, **facts: Any) -> MeasuredStatement:
    return MeasuredStatement(
        operation=operation, sql="ALTER TABLE shop_order", milliseconds=1, effects=effects, **facts
    )


def probe(deed: Does, outcome: Outcome, table: str = "shop_order", error: str = "") -> Probe:
    return Probe(model="shop.Order", table=table, deed=deed, outcome=outcome, error=error)


def test_a_predicted_rewrite_that_did_not_happen_is_gone() -> None:
    assert "rewrites_table" in found(WIDER)
    after = found(WIDER, rehearsed=rehearsed(measured=(sent(effect()),)))
    assert "rewrites_table" not in after
    assert after["brief_lock"].evidence is Evidence.MEASURED


def test_a_rewrite_that_nobody_predicted_is_found() -> None:
    after = found(ADD, rehearsed=rehearsed(measured=(sent(effect(Work.REWRITE)),)))
    assert after["rewrites_table"].level is Risk.DANGEROUS
    assert after["rewrites_table"].evidence is Evidence.MEASURED


def test_an_operation_that_was_not_measured_keeps_its_predictions() -> None:
    second = replace(operation("CREATE INDEX i ON shop_line (a)"), place=1)
    after = found(ADD, second, rehearsed=rehearsed(measured=(sent(effect()),)))
    assert after["brief_lock"].evidence is Evidence.MEASURED
    assert after["indexes_under_lock"].evidence is Evidence.PREDICTED


def test_a_step_with_a_blind_spot_keeps_all_its_predictions() -> None:
    after = found(WIDER, rehearsed=rehearsed(measured=(sent(effect()),), blind=True))
    assert after["rewrites_table"].evidence is Evidence.PREDICTED


def test_the_operation_in_which_it_broke_off_keeps_its_predictions() -> None:
    failed = rehearsed(
        measured=(sent(effect()),), outcome=Outcome.FAILS, complete=False, error="no"
    )
    assert found(WIDER, rehearsed=failed)["rewrites_table"].evidence is Evidence.PREDICTED


def test_a_lock_that_was_held_already_is_not_forgotten() -> None:
    second = replace(operation("ALTER TABLE shop_order ADD COLUMN b integer"), place=1)
    foreign = operation(
        'ALTER TABLE "shop_line" ADD CONSTRAINT "f" FOREIGN KEY ("o") REFERENCES "shop_order"',
        deed=Deed.ADD_COLUMN,
        table="shop_line",
        place=2,
    )
    measured = (
        sent(effect(words="the definition changes")),
        sent(operation=1),
        sent(effect(table="shop_line", lock=Lock.SHARE_ROW), operation=2),
    )
    after = found(ADD, second, foreign, rehearsed=rehearsed(measured=measured))
    assert after["touches_other_table"].table == "shop_order"


def test_tables_are_found_again_after_they_were_renamed() -> None:
    rename = operation("ALTER TABLE shop_order RENAME TO shop_sale", deed=Deed.RENAME_TABLE)
    index = replace(operation("CREATE INDEX i ON shop_sale (a)"), place=1)
    measured = (
        sent(effect(words="the definition changes")),
        sent(effect(Work.INDEX, Lock.ALL, raised=True), operation=1),
    )
    finding = found(rename, index, rehearsed=rehearsed(measured=measured))["indexes_under_lock"]
    assert finding.table == "shop_sale"
    assert "40M rows" in finding.because


def test_all_rows_are_told_from_some_by_the_statement_and_not_by_two_rows() -> None:
    update = operation("UPDATE shop_order SET total = 1")
    written = sent(effect(Work.NONE, Lock.ROWS, words="rows are written"))
    after = found(update, rehearsed=rehearsed(measured=(written,)))
    assert after["mass_write"].evidence is Evidence.MEASURED


@pytest.mark.parametrize(
    ("outcome", "evidence"),
    [
        (Outcome.WORKS, None),
        (Outcome.FAILS, Evidence.MEASURED),
        (Outcome.UNKNOWN, Evidence.PREDICTED),
    ],
)
def test_the_running_release_decides_whether_what_is_dropped_is_used(
    outcome: Outcome, evidence: Evidence | None
) -> None:
    dropping = operation(DROP_COLUMN, deed=Deed.DROP_COLUMN, table="shop_order", before=column())
    after = found(dropping, rehearsed=rehearsed(probes=(probe(Does.SELECT, outcome),)))
    finding = after.get("drops_used")
    assert (finding and finding.evidence) == evidence
    assert "loses_data" in after


def test_an_insert_that_works_takes_the_prediction_away() -> None:
    demanding = operation(
        ADD, deed=Deed.ADD_COLUMN, table="shop_order", after=column(default="constant")
    )
    assert "insert_breaks" in found(demanding)
    works = rehearsed(probes=(probe(Does.INSERT, Outcome.WORKS),))
    assert "insert_breaks" not in found(demanding, rehearsed=works)
    untried = rehearsed(probes=(probe(Does.SELECT, Outcome.WORKS),))
    assert found(demanding, rehearsed=untried)["insert_breaks"].evidence is Evidence.PREDICTED


def test_a_narrower_type_needs_all_that_sends_values_to_work() -> None:
    narrower = altered("varchar(50)", "varchar(20)")
    insert = probe(Does.INSERT, Outcome.WORKS)
    assert "narrows_type" in found(narrower, rehearsed=rehearsed(probes=(insert,)))
    update, filtering = (probe(deed, Outcome.WORKS) for deed in (Does.UPDATE, Does.FILTER))
    both = rehearsed(probes=(insert, update, probe(Does.FILTER, Outcome.FAILS)))
    assert "narrows_type" in found(narrower, rehearsed=both)
    every = rehearsed(probes=(insert, update, filtering))
    assert "narrows_type" not in found(narrower, rehearsed=every)


def test_what_is_cut_without_an_error_breaks_the_running_release_although_it_works() -> None:
    works = [probe(deed, Outcome.WORKS) for deed in (Does.INSERT, Does.UPDATE, Does.FILTER)]
    scale = altered("numeric(8,2)", "numeric(8,1)")
    finding = found(scale, rehearsed=rehearsed(probes=tuple(works)))["narrows_type"]
    assert "without an error" in finding.because


def test_two_rows_do_not_tell_one_from_all_but_the_text_does() -> None:
    written = effect(Work.ROWS, Lock.ROWS, words="its rows are written")
    measured = rehearsed(measured=(sent(written),))
    assert "mass_write" in found("UPDATE shop_order SET a = 1", rehearsed=measured)
    assert "mass_write" not in found("UPDATE shop_order SET a = 1 WHERE id = 3", rehearsed=measured)
    assert "mass_write" in found("DO $$ BEGIN PERFORM f(); END $$", rehearsed=measured)


def test_python_is_read_by_what_it_sent() -> None:
    python = operation(deed=Deed.PYTHON, note="Python runs here.")
    written = effect(Work.ROWS, Lock.ROWS, words="its rows are written")

    def by(*texts: str, **step: Any) -> set[str]:
        measured = tuple(replace(sent(written), sql=text) for text in texts)
        return set(found(python, rehearsed=rehearsed(measured=measured), step=step))

    one = "UPDATE shop_order SET a = 1 WHERE id = {}"
    assert "mass_write" in by("UPDATE shop_order SET a = 1")
    assert "mass_write" not in by(one.format(1))
    assert "mass_write" in by(one.format(1), one.format(2))
    several = "UPDATE shop_order SET a = CASE WHEN id = 1 THEN 2 END WHERE shop_order.id IN (1, 2)"
    assert "mass_write" in by(several), "as many keys as there are made-up rows"
    assert "mass_write" not in by(one.format(1), one.format(2), atomic=False)


def test_a_statement_that_fails_at_the_first_row_reads_no_others() -> None:
    """It ran on an empty table alone, where PostgreSQL counts a scan of nothing."""
    required = operation("ALTER TABLE shop_order ADD COLUMN a integer NOT NULL")
    measured = (
        replace(sent(effect(Work.SCAN, words="its rows are checked")), sql=required.statements[0]),
    )
    fails = rehearsed(measured=measured, outcome=Outcome.FAILS, error="no")
    assert "scans_under_lock" not in found(required, rehearsed=fails)
    assert found(required, rehearsed=fails)["brief_lock"].evidence is Evidence.MEASURED
    assert "scans_under_lock" in found(required, rehearsed=rehearsed(measured=measured))


def test_what_could_not_be_seen_is_not_taken_for_nothing() -> None:
    rule = with_rule(enforced=False)
    seen = found(rule, vendor="mysql", rehearsed=rehearsed())["not_enforced"]
    assert seen.evidence is Evidence.MEASURED
    blind = found(rule, vendor="mysql", rehearsed=rehearsed(blind=True))["not_enforced"]
    assert blind.evidence is Evidence.PREDICTED


def test_the_keys_in_sql_by_hand_are_those_that_it_says() -> None:
    written = effect(Work.ROWS, Lock.ROWS, words="its rows are written")
    batches = [f"UPDATE shop_order SET a = 1 WHERE id BETWEEN {n} AND {n + 9}" for n in (1, 11)]
    measured = rehearsed(measured=tuple(replace(sent(written), sql=one) for one in batches))
    assert "mass_write" not in found(operation(*batches), rehearsed=measured)


def test_rows_that_are_locked_and_not_written_are_told_by_the_text_alone() -> None:
    seen = sent(effect(Work.SCAN, Lock.NONE, words="its rows are checked"))
    told = found("SELECT id FROM shop_order FOR UPDATE", rehearsed=rehearsed(measured=(seen,)))
    assert told["mass_write"].level is Risk.DANGEROUS
    assert told["mass_write"].because.startswith("Locks all rows of shop_order")


def test_a_view_that_was_seen_to_be_filled_takes_as_long_as_its_query() -> None:
    seen = sent(effect(Work.REWRITE, table="shop_line", words="the table is rewritten"))
    told = found(
        "REFRESH MATERIALIZED VIEW shop_line", size=SMALL, rehearsed=rehearsed(measured=(seen,))
    )
    assert told["rewrites_table"].level is Risk.DANGEROUS
    assert "the query of shop_line: size unknown" in told["rewrites_table"].because


def test_undo_that_worked_says_nothing_of_rows_to_come() -> None:
    loosened = altered("varchar(20)", "varchar(20)")
    unique = replace(loosened, before=column(unique=True), after=column())
    went_back = rehearsed(undo=Outcome.WORKS)
    assert "undo_fails_with_rows" in found(unique, rehearsed=went_back)


def test_a_parent_that_cannot_be_deleted_for_a_dropped_table_is_no_second_finding() -> None:
    dropping = operation("DROP TABLE shop_line", deed=Deed.DROP_TABLE, table="shop_line")
    error = 'relation "shop_line" does not exist'
    broken = probe(Does.DELETE, Outcome.FAILS, error=error)
    assert "old_release_fails" not in found(dropping, rehearsed=rehearsed(probes=(broken,)))


def test_what_no_rule_explains_is_told_with_its_error() -> None:
    trigger = operation("CREATE TRIGGER t BEFORE INSERT ON shop_order EXECUTE FUNCTION f()")
    broken = rehearsed(probes=(probe(Does.INSERT, Outcome.FAILS, error="not allowed"),))
    finding = found(trigger, rehearsed=broken)["old_release_fails"]
    assert (finding.level, finding.table) == (Risk.DANGEROUS, "shop_order")
    assert "INSERT on shop_order" in finding.because
    assert "not allowed" in finding.because
