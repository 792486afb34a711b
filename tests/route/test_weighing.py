"""In which order findings are told."""

from __future__ import annotations

from bot.route.findings import Evidence, Finding, Risk
from bot.route.weighing import by_weight, how_many, kinds


def found(code: str, level: Risk = Risk.DANGEROUS, number: int = 0) -> Finding:
    return Finding(code=code, level=level, because=f"{code} {number}.")


def test_what_forbids_comes_first_then_the_worst_then_what_was_measured() -> None:
    forbids = found("forbids", Risk.CAUTION)
    predicted, mild = found("predicted"), found("mild", Risk.CAUTION)
    measured = Finding(
        code="m", level=Risk.DANGEROUS, because="It was.", evidence=Evidence.MEASURED
    )
    ordered = by_weight([mild, predicted, measured, forbids], {"forbids"})
    assert ordered == [forbids, measured, predicted, mild]


def test_many_of_one_kind_hide_no_other_kind() -> None:
    many = [found("index", number=number) for number in range(20)]
    told = kinds([*many, found("loses_data")])
    assert [(one.finding.code, one.alike) for one in told] == [("index", 19), ("loses_data", 0)]


def test_one_code_at_two_levels_is_two_kinds() -> None:
    told = kinds([found("lock"), found("lock", Risk.CAUTION)])
    assert [one.alike for one in told] == [0, 0]


def test_each_that_forbids_is_told_for_itself() -> None:
    told = kinds([found("rule", number=1), found("rule", number=2)], {"rule"})
    assert [one.finding.because for one in told] == ["rule 1.", "rule 2."]


def test_findings_are_counted_with_those_that_are_dangerous() -> None:
    mild = found("mild", Risk.CAUTION)
    assert how_many([found("one")]) == "1 finding"
    assert how_many([mild, mild]) == "2 findings"
    assert how_many([found("one"), found("two")]) == "2 findings"
    assert how_many([found("one"), mild, mild]) == "3 findings, 1 of them dangerous"


def test_a_table_that_goes_is_told_before_a_column_that_goes() -> None:
    column, table = (
        Finding(code=code, level=Risk.DANGEROUS, because=because)
        for code, because in (
            ("drops_used", "Drops the column stock of shop_product: a running release fails."),
            ("drops_used", "Drops the table shop_order: a running release fails."),
        )
    )
    data, rows = (
        Finding(code="loses_data", level=Risk.DANGEROUS, because=because)
        for because in ("What shop_product.stock holds is gone.", "All of shop_order is gone.")
    )
    assert by_weight([column, data, table, rows]) == [rows, table, column, data]
    told = kinds([column, data, table, rows])
    assert [(one.finding, one.alike) for one in told] == [(rows, 1), (table, 1)]


def test_of_one_code_the_table_is_told_though_the_column_was_measured() -> None:
    column = Finding(
        code="drops_used",
        level=Risk.DANGEROUS,
        because="Drops the column stock of shop_product: a running release fails.",
        evidence=Evidence.MEASURED,
    )
    table = Finding(code="drops_used", level=Risk.DANGEROUS, because="Drops the table shop_order.")
    (told,) = kinds([column, table])
    assert (told.finding, told.alike) == (table, 1)
