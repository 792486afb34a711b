"""A plan of the route as the lines that the blocks show."""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step
from bot.slack.blocks.text import count
from bot.slack.blocks.values import StepLine

_MARKS = {
    Belief.EXACT: "",
    Belief.PREDICTED: "a name here is predicted; the database has the real one when it runs",
    Belief.PYTHON: "Python runs here; what it sends cannot be known before",
    Belief.HIDDEN: "this cannot be previewed",
}
_WORDS = 3
"""Operations that a step's line names."""


def steps_of(plan: Plan) -> tuple[StepLine, ...]:
    """One line a step."""
    return tuple(_line(step) for step in plan.steps)


def _line(step: Step) -> StepLine:
    words = [operation.words or operation.kind for operation in step.operations]
    left = len(words) - _WORDS
    shown = "; ".join(words[:_WORDS]) + (f"; and {left} more" if left > 0 else "")
    return StepLine(
        app=step.app,
        name=step.name,
        direction=str(step.direction),
        words=shown or "no operations",
        statements_count=sum(bool(statement.sql.strip()) for statement in step.statements),
        marks=tuple(_marks(step)),
        risk=step.risk if step.examined or step.findings else None,
    )


def _marks(step: Step) -> Iterator[str]:
    if not step.atomic:
        yield "not atomic"
    if step.direction is Direction.FORWARD and not step.reversible:
        yield "cannot be undone"
    if step.replaces:
        yield f"a squash of {count(len(step.replaces), 'migration')}"


def sql_of(plan: Plan) -> str:
    """All SQL of the plan, each statement under its step and operation; empty when there is none
    and no Python runs either."""
    if not any(step.statements for step in plan.steps):
        return ""
    return "\n\n".join("\n".join(_step(n, step)) for n, step in enumerate(plan.steps, 1))


def _step(number: int, step: Step) -> Iterator[str]:
    undo = " (undo)" if step.direction is Direction.BACKWARD else ""
    yield f"-- {number}. {step.key}{undo}"
    for operation in step.operations:
        yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    yield f"-- {' '.join((operation.words or operation.kind).split())}"
    for statement in operation.statements:
        yield from _statement(statement)


def _statement(statement: Statement) -> Iterator[str]:
    marks = [mark for mark in (_MARKS[statement.belief], " ".join(statement.note.split())) if mark]
    if marks:
        yield f"-- note: {'. '.join(marks)}"
    sql = statement.sql.strip()
    if sql:
        yield sql if sql.endswith(";") or sql.startswith("--") else f"{sql};"
