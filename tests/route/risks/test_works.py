"""Which step's time is the time of one work over one table."""

from __future__ import annotations

from typing import Any

import pytest

from bot.route.plan import Direction, GrowingWork, Plan
from bot.route.risks.facts import Deed, OperationFacts, Situation, Size, StepFacts
from bot.route.risks.walking import walk
from bot.route.risks.works import kinds_of, works_of
from tests.plans import a_plan, a_step
from tests.route.risks.cases import operation

INDEX = 'CREATE INDEX "totals" ON "shop_order" ("total")'
KEY = (
    'ALTER TABLE "shop_line" ADD CONSTRAINT "one_fk" FOREIGN KEY ("order_id") REFERENCES'
    ' "shop_order" ("id") DEFERRABLE INITIALLY DEFERRED'
)
ADD = 'ALTER TABLE "shop_order" ADD COLUMN "note" text NULL'
INDEXED = GrowingWork(kind="index", table="shop_order", rows=5_000)


def works(*operations: OperationFacts | str, size: Size | None = None) -> tuple[GrowingWork, ...]:
    facts = StepFacts(
        app="shop",
        name="0002_more",
        direction=Direction.FORWARD,
        atomic=True,
        operations=tuple(
            operation(one, deed=Deed.ADD_INDEX, table="shop_order") if isinstance(one, str) else one
            for one in operations
        ),
    )
    sizes = dict.fromkeys(("shop_order", "shop_line"), size or Size(rows=5_000))
    situation = Situation(vendor="postgresql", version=(15,), sizes=sizes)
    (found,) = works_of(walk([facts], situation))
    return found


def test_work_over_a_table_is_kept_with_its_rows() -> None:
    assert works(INDEX) == (INDEXED,)
    assert works(ADD) == ()


def test_rows_that_are_not_known_are_not_guessed() -> None:
    unknown = (GrowingWork(kind="index", table="shop_order"),)
    assert works(INDEX, size=Size(bytes=10**9, analysed=False)) == unknown
    assert works(INDEX, size=Size(rows=9_000, at_most=True)) == unknown
    assert kinds_of([unknown]) == set()
    assert kinds_of([works(INDEX)]) == {"index"}


def test_a_foreign_key_is_one_work_although_two_tables_wait_for_it() -> None:
    assert works(KEY) == (GrowingWork(kind="scan", table="shop_line", rows=5_000),)


def test_two_indexes_on_one_table_are_two_works() -> None:
    assert works(INDEX, INDEX.replace("totals", "others")) == (INDEXED, INDEXED)


@pytest.mark.parametrize(
    "other",
    [
        operation(deed=Deed.PYTHON),
        operation(deed=Deed.UNKNOWN),
        operation("DO $$ BEGIN END $$"),
        operation('UPDATE "shop_order" SET "total" = 1 WHERE "id" < 9'),
    ],
)
def test_what_nobody_can_tell_before_is_work_too(other: OperationFacts) -> None:
    assert GrowingWork(kind="unknown") in works(INDEX, other)
    assert a_step(works=works(INDEX, other)).only_work is None


def test_a_table_of_the_same_plan_makes_no_work() -> None:
    made = operation('CREATE TABLE "shop_order" ("id" int)', deed=Deed.CREATE_TABLE, table="")
    assert works(made, INDEX) == ()


def test_only_one_known_work_of_a_step_forward_tells_what_its_time_was_spent_on() -> None:
    assert a_step(works=(INDEXED,)).only_work == INDEXED
    for given in (
        {"works": ()},
        {"works": (INDEXED, INDEXED)},
        {"works": (GrowingWork(kind="index", table="shop_order"),)},
        {"works": (INDEXED,), "direction": Direction.BACKWARD},
    ):
        assert a_step(**given).only_work is None


def test_a_plan_keeps_its_works_as_json_and_one_of_before_has_none() -> None:
    plan = a_plan(a_step(works=(INDEXED,)), a_step(name="0003_third"))
    document: dict[str, Any] = plan.to_json()
    assert Plan.from_json(document) == plan
    for step in document["steps"]:
        del step["works"]
    assert [step.works for step in Plan.from_json(document).steps] == [(), ()]
