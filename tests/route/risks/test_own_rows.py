"""A table that the plan makes is nobody's, and empty only until the plan may have filled it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.route.data_checks import About
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction, GrowingWork
from bot.route.risks.claims import Claim
from bot.route.risks.facts import Deed, OperationFacts, Situation, StepFacts
from bot.route.risks.judge import judge
from bot.route.risks.walking import walk
from bot.route.risks.works import works_of
from tests.route.risks.cases import LARGE, column, operation

NEW = operation(
    'CREATE TABLE "shop_sale" ("id" bigint NOT NULL PRIMARY KEY)',
    deed=Deed.CREATE_TABLE,
    table="shop_sale",
)
PYTHON = operation(deed=Deed.PYTHON, note="Python runs here.")
STRANGE = operation(deed=Deed.UNKNOWN, kind="Mine")
CODE = "meets_own_rows"
COLUMN = operation(
    'ALTER TABLE "shop_sale" ADD COLUMN "total" integer NULL',
    deed=Deed.ADD_COLUMN,
    table="shop_sale",
    after=column(null=True),
)
INDEX = operation(
    'CREATE INDEX "i" ON "shop_sale" ("total")', deed=Deed.ADD_RULE, table="shop_sale"
)
ONCE = operation(
    'ALTER TABLE "shop_sale" ADD CONSTRAINT "once" UNIQUE ("total")',
    deed=Deed.ADD_RULE,
    table="shop_sale",
    claims=(
        Claim(
            about=About.UNIQUE,
            words="no two rows of shop_sale have the same total",
            table="shop_sale",
            shared=('"total"',),
        ),
    ),
)
POINTS = operation(
    'ALTER TABLE "shop_sale" ADD CONSTRAINT "f" FOREIGN KEY ("order_id") REFERENCES "shop_order"'
    ' ("id")',
    deed=Deed.ALTER_COLUMN,
    table="shop_sale",
    before=column("order_id"),
    after=column("order_id", references="shop_order"),
)
WHY = "shop.0002_1 runs Python before it, which may fill it"


def steps(*operations: OperationFacts | str, **facts: Any) -> list[StepFacts]:
    """A migration an operation."""
    made = (operation(one) if isinstance(one, str) else one for one in operations)
    given = {"direction": Direction.FORWARD, "atomic": True, **facts}
    return [
        StepFacts(app="shop", name=f"0002_{number}", operations=(one,), **given)
        for number, one in enumerate(made)
    ]


def last(*operations: OperationFacts | str, vendor: str = "postgresql") -> dict[str, Finding]:
    """What is said of the last of these migrations."""
    situation = Situation(vendor=vendor, lock_timeout=5.0, sizes={"shop_order": LARGE})
    *_, found = judge(steps(*operations, atomic=vendor != "mysql"), situation)
    return {finding.code: finding for finding in found}


@pytest.mark.parametrize(
    ("filling", "why"),
    [
        (PYTHON, WHY),
        (STRANGE, "nobody could look into what shop.0002_1 does before it"),
        ("INSERT INTO shop_sale (id) VALUES (1)", "SQL of shop.0002_1 writes to it before"),
        ("DO $$ BEGIN END $$", "shop.0002_1 runs SQL before it that could not be read"),
    ],
)
def test_after_it_may_have_been_filled_a_rule_on_it_is_a_caution_that_says_why(
    filling: OperationFacts | str, why: str
) -> None:
    finding = last(NEW, filling, ONCE)[CODE]
    assert (finding.level, finding.evidence) == (Risk.CAUTION, Evidence.NOT_CHECKED)
    assert finding.table == "shop_sale"
    assert finding.because == (
        f"The plan makes shop_sale, and {why}: whether no two rows of shop_sale have the same "
        "total is not known."
    )


@pytest.mark.parametrize("between", ["UPDATE shop_order SET total = 1", "SELECT 1", COLUMN])
def test_what_writes_no_row_of_it_leaves_it_empty(between: OperationFacts | str) -> None:
    assert last(NEW, between, ONCE) == {}


def test_rows_that_an_update_finds_in_an_empty_table_are_none() -> None:
    assert last(NEW, "UPDATE shop_sale SET total = 1", ONCE) == {}


@pytest.mark.parametrize("vendor", ["postgresql", "mysql", "sqlite"])
def test_a_column_that_is_added_without_work_after_it_was_filled_alarms_nobody(vendor: str) -> None:
    assert last(NEW, PYTHON, COLUMN, vendor=vendor) == {}


def test_nobody_waits_for_an_index_of_a_table_that_nobody_uses_yet() -> None:
    assert last(NEW, PYTHON, INDEX) == {}
    assert last(NEW, PYTHON, INDEX, vendor="mysql") == {}


def test_all_other_writers_of_a_file_wait_for_it() -> None:
    finding = last(NEW, PYTHON, INDEX, vendor="sqlite")[CODE]
    assert finding.level is Risk.CAUTION
    assert finding.because == (
        f"The plan makes shop_sale, and {WHY}: how long its index is built, while all other "
        "writers of the file wait, is not known."
    )
    assert last(NEW, INDEX, vendor="sqlite") == {}


def test_work_over_it_goes_on_under_the_lock_of_another_that_is_held() -> None:
    both = operation('ALTER TABLE "shop_order" ADD COLUMN "total" integer NULL')
    situation = Situation(vendor="postgresql", lock_timeout=5.0, sizes={"shop_order": LARGE})
    one = StepFacts(
        app="shop",
        name="0003_more",
        direction=Direction.FORWARD,
        atomic=True,
        operations=(both, INDEX),
    )
    *_, found = judge([*steps(NEW, PYTHON), one], situation)
    (finding,) = [finding for finding in found if finding.code == CODE]
    assert finding.because == (
        f"The plan makes shop_sale, and {WHY}: how long its index is built, while shop_order stays "
        "locked by an earlier operation, is not known."
    )
    *_, found = judge([*steps(NEW), one], situation)
    assert CODE not in {finding.code for finding in found}


def test_a_table_that_it_points_to_is_locked_for_as_long_as_its_rows_are_compared() -> None:
    finding = last(NEW, PYTHON, POINTS)["touches_other_table"]
    assert finding.level is Risk.CAUTION
    assert f"(shop_sale: rows not known, {WHY};" in finding.because
    assert "grows with size" not in last(NEW, POINTS)["touches_other_table"].because


@pytest.mark.parametrize(
    "dropping",
    [
        "DELETE FROM shop_sale",
        "TRUNCATE shop_sale",
        "DROP TABLE shop_sale",
        operation('DROP TABLE "shop_sale" CASCADE', deed=Deed.DROP_TABLE, table="shop_sale"),
        operation(
            'ALTER TABLE "shop_sale" DROP COLUMN "total" CASCADE',
            deed=Deed.DROP_COLUMN,
            table="shop_sale",
            before=column(null=True),
        ),
    ],
)
def test_what_it_was_filled_with_may_be_lost_again(dropping: OperationFacts | str) -> None:
    finding = last(NEW, PYTHON, dropping)[CODE]
    assert finding.level is Risk.CAUTION
    assert finding.because.endswith(": what is lost with it is not known.")
    assert last(NEW, dropping) == {}


def test_a_table_under_another_name_is_as_full_and_one_made_anew_is_empty_again() -> None:
    renamed = "ALTER TABLE shop_old RENAME TO shop_sale"
    old = operation("CREATE TABLE shop_old (id bigint)", deed=Deed.CREATE_TABLE, table="shop_old")
    assert CODE in last(old, PYTHON, renamed, ONCE)
    assert last(NEW, PYTHON, "DROP TABLE shop_sale", NEW, ONCE) == {}
    assert last(PYTHON, NEW, ONCE) == {}


def test_undo_stops_at_the_rows_that_the_plan_brought() -> None:
    gone = operation(
        'ALTER TABLE "shop_sale" DROP COLUMN "total" CASCADE',
        deed=Deed.DROP_COLUMN,
        table="shop_sale",
        before=column(fills_rows=False),
    )
    assert last(NEW, PYTHON, gone)["undo_fails_with_rows"].level is Risk.CAUTION
    assert "undo_fails_with_rows" not in last(NEW, gone)


def test_a_table_that_may_be_full_still_breaks_no_running_release() -> None:
    strict = operation(
        'ALTER TABLE "shop_sale" ADD COLUMN "total" integer DEFAULT 0 NOT NULL',
        deed=Deed.ADD_COLUMN,
        table="shop_sale",
        after=column(),
    )
    renamed = "ALTER TABLE shop_sale RENAME TO shop_sold"
    assert last(NEW, PYTHON, strict) == {}
    assert last(NEW, PYTHON, renamed) == {}


def test_work_over_rows_that_nobody_counted_is_of_an_unknown_length() -> None:
    situation = Situation(vendor="postgresql", lock_timeout=5.0)
    filled = works_of(walk(steps(NEW, PYTHON, INDEX), situation))
    assert filled[-1] == (GrowingWork(kind="unknown"),)
    assert works_of(walk(steps(NEW, INDEX), situation))[-1] == ()


def test_a_value_that_nobody_chose_stands_in_rows_that_the_plan_brought() -> None:
    strict = 'ALTER TABLE "shop_sale" ADD COLUMN "total" integer NOT NULL'
    assert "invents_values" in last(NEW, PYTHON, strict, vendor="mysql")
    assert "invents_values" not in last(NEW, strict, vendor="mysql")


def test_without_a_transaction_what_meets_rows_may_stop_halfway() -> None:
    both = operation(*COLUMN.statements, *ONCE.statements)
    assert "partial_failure" in last(NEW, PYTHON, both, vendor="mysql")
    assert "partial_failure" not in last(NEW, both, vendor="mysql")


REMADE = operation(
    'CREATE TABLE "new__shop_sale" ("id" integer NOT NULL PRIMARY KEY, "total" integer NOT NULL)',
    'INSERT INTO "new__shop_sale" ("id", "total") SELECT "id", "total" FROM "shop_sale"',
    'DROP TABLE "shop_sale"',
    'ALTER TABLE "new__shop_sale" RENAME TO "shop_sale"',
    deed=Deed.ALTER_COLUMN,
    table="shop_sale",
    before=column(null=True),
    after=column(null=True, type="bigint"),
)


def test_a_table_of_the_plan_that_sqlite_makes_anew_stays_the_plans_own() -> None:
    assert last(NEW, REMADE, vendor="sqlite") == {}
    assert last(NEW, REMADE, REMADE, INDEX, vendor="sqlite") == {}
    again = last(NEW, PYTHON, REMADE, INDEX, vendor="sqlite")
    assert again.keys() == {CODE}
    gone = "DROP TABLE shop_sale"
    assert "rewrites_table" in last(NEW, gone, REMADE, vendor="sqlite")
