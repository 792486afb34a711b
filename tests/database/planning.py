"""What the planner's tests share: made-up apps around one database, and plans read in short."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bot.database.planner import make_plan
from bot.route.plan import Belief, Plan, Statement, Step, Target
from tests.database.corpus import HEAD
from tests.database.migrating import forget_migrations

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ID = "('id', models.AutoField(primary_key=True))"


def source(
    *operations: str, after: tuple[tuple[str, str], ...] = (), extra: str = "", head: str = ""
) -> str:
    """The source of a migration; ``after`` are its dependencies, ``extra`` lines of its class."""
    return (
        f"{HEAD}\n{head}\nclass Migration(migrations.Migration):\n"
        f"    dependencies = {list(after)!r}\n    {extra}\n"
        f"    operations = [{', '.join(operations)}]\n"
    )


def plan(database: str, *target: str, **options: Any) -> Plan:
    """A plan by the code as it lies on disk now."""
    forget_migrations()
    return make_plan(database, Target.parse(" ".join(target)), now=NOW, **options)


def steps(of: Plan) -> list[str]:
    return [f"{step.key} {step.direction}" for step in of.steps]


def step(of: Plan, name: str) -> Step:
    return next(one for one in of.steps if one.name == name)


def only(statements: tuple[Statement, ...]) -> Statement:
    """The one statement there is."""
    assert len(statements) == 1, statements
    return statements[0]


def hidden(of: Plan) -> list[str]:
    return [s.note for one in of.steps for s in one.statements if s.belief is Belief.HIDDEN]
