"""Operations as values, for tests of one rule at a time."""

from __future__ import annotations

from typing import Any

from bot.route.findings import Finding
from bot.route.plan import Direction
from bot.route.rehearsal import Outcome, RehearsedStep
from bot.route.risks.facts import (
    Column,
    Deed,
    OperationFacts,
    RuleKind,
    Situation,
    Size,
    StepFacts,
    TableRule,
)
from bot.route.risks.judge import judge

LARGE = Size(rows=40_000_000, bytes=12 * 1024**3)
SMALL = Size(rows=10, bytes=8192)
ADD = 'ALTER TABLE "shop_order" ADD COLUMN "total" integer'
DROP_COLUMN = 'ALTER TABLE "shop_order" DROP COLUMN "total" CASCADE'


def column(name: str = "total", **facts: Any) -> Column:
    given = {"column": name, "kind": "IntegerField", "type": "integer"}
    return Column(name=name, **{**given, **facts})


def operation(*sql: str, deed: Deed = Deed.SQL, table: str = "", **facts: Any) -> OperationFacts:
    """One operation that sends ``sql``; a table makes it Django's own on that table."""
    given: dict[str, Any] = {"place": 0, "kind": "RunSQL", "app": "shop", "table_after": table}
    return OperationFacts(deed=deed, table=table, statements=sql, **{**given, **facts})


def altered(before: str, after: str, *, using: bool = False, **facts: Any) -> OperationFacts:
    cast = f' USING "total"::{after}' if using else ""
    return operation(
        f'ALTER TABLE "shop_order" ALTER COLUMN "total" TYPE {after}{cast}',
        deed=Deed.ALTER_COLUMN,
        table="shop_order",
        before=column(type=before, **facts),
        after=column(type=after, **facts),
    )


def with_rule(**facts: Any) -> OperationFacts:
    rule = TableRule(**{"name": "once", "kind": RuleKind.UNIQUE, **facts})
    sql = 'ALTER TABLE "shop_order" ADD CONSTRAINT "once" UNIQUE ("total")'
    return operation(sql, deed=Deed.ADD_RULE, table="shop_order", rules=(rule,))


def rehearsed(**facts: Any) -> RehearsedStep:
    """The step of ``found`` as it went in a rehearsal; unless told otherwise all of it worked."""
    given = {"outcome": Outcome.WORKS, "complete": True, "undo": Outcome.WORKS}
    return RehearsedStep(key="shop.0002_more", **{**given, **facts})


def found(
    *operations: OperationFacts | str,
    vendor: str = "postgresql",
    size: Size | None = LARGE,
    step: dict[str, Any] | None = None,
    rehearsed: RehearsedStep | None = None,
    **situation: Any,
) -> dict[str, Finding]:
    """The findings of one migration by code; a text stands for RunSQL. Tables are shop_*.

    ``rehearsed`` is how a rehearsal went."""
    made = tuple(operation(one) if isinstance(one, str) else one for one in operations)
    facts = StepFacts(
        **{
            "app": "shop",
            "name": "0002_more",
            "direction": Direction.FORWARD,
            "atomic": vendor != "mysql",
            "operations": made,
            **(step or {}),
        }
    )
    sizes = dict.fromkeys(("shop_order", "shop_line", "shop_customer"), size) if size else {}
    given = {"lock_timeout": 5.0, "sizes": sizes, "version": (15, 0), **situation}
    measured = {rehearsed.key: rehearsed} if rehearsed is not None else {}
    (findings,) = judge([facts], Situation(vendor=vendor, **given), measured)
    return {finding.code: finding for finding in findings}
