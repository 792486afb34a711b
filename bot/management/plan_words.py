"""A plan as a person wants to read it in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

from bot.management.desk import Desk
from bot.route.findings import Evidence, Finding
from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step
from bot.route.visible import visible

FINGERPRINT = 12
"""Characters of a fingerprint that people are shown."""
SQL_LINES, SQL_CHARACTERS = 30, 3000
"""More of one statement than this is left out, unless all of it was asked for."""

_MARKS = {
    Belief.EXACT: "",
    Belief.PREDICTED: "A name here is predicted; the database has the real one when it runs.",
    Belief.PYTHON: "Python runs here; what it sends cannot be known before.",
    Belief.HIDDEN: "This cannot be previewed.",
}


def moment(at: datetime | None) -> str:
    """``2026-11-23 16:50:12 UTC``, or nothing."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at else ""


def plural(number: int, word: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def plan_words(plan: Plan, desk: Desk, *, sql: bool | None) -> str:
    """The whole plan. ``sql``: True all of it, False none, None what fits a page each."""
    return "\n".join(_lines(plan, desk, sql))


def _lines(plan: Plan, desk: Desk, sql: bool | None) -> Iterator[str]:
    if not plan.steps:
        yield f"Nothing is pending for {visible(str(plan.target))} on {visible(plan.database)}."
        return
    yield desk.heading(
        f"Plan of {visible(str(plan.target))} on database {visible(plan.database)}"
        f" ({visible(plan.vendor)})"
    )
    yield f"  {plural(len(plan.steps), 'step')}, risk {desk.risk(plan.risk)}"
    yield f"  fingerprint {plan.fingerprint[:FINGERPRINT]}"
    yield f"  made {moment(plan.made_at)}"
    if plan.release:
        yield f"  release {visible(plan.release)}"
    for note in plan.notes:
        yield from desk.wrapped(visible(note), indent="  ")
    for finding in plan.findings:
        yield from _finding(finding, desk, indent="  ")
    for number, step in enumerate(plan.steps, 1):
        yield ""
        yield from _step(number, step, plan, desk, sql)


def _step(number: int, step: Step, plan: Plan, desk: Desk, sql: bool | None) -> Iterator[str]:
    verb = "undo" if step.direction is Direction.BACKWARD else "run"
    pad = " " * (len(str(len(plan.steps))) + 2)
    yield f"{f'{number}.':<{len(pad)}}{desk.strong(f'{verb} {visible(step.key)}')}"
    for mark in _step_marks(step):
        for line in desk.wrapped(mark, indent=f"{pad}  ", first=f"{pad}! "):
            yield desk.warn(line)
    for finding in step.findings:
        yield from _finding(finding, desk, indent=pad)
    if not step.operations:
        yield f"{pad}No operations."
    for operation in step.operations:
        yield from _operation(operation, step, desk, sql, pad)


def _step_marks(step: Step) -> Iterator[str]:
    told = {finding.code for finding in step.findings}
    if not step.atomic and "partial_failure" not in told:
        yield "Not atomic: when it fails halfway, what it has done stays done."
    if "undo_impossible" in told:
        pass  # The finding says it, with what to do.
    elif step.direction is Direction.FORWARD and not step.reversible:
        because = step.irreversible_because
        yield f"Cannot be undone: {because}" if because else "Cannot be undone."
    elif step.direction is Direction.BACKWARD and not step.reversible:
        yield f"Cannot be undone, so it would stop here. {step.irreversible_because}".rstrip()
    if step.replaces:
        yield f"A squash of {', '.join(step.replaces)}."


def _finding(finding: Finding, desk: Desk, *, indent: str) -> Iterator[str]:
    label = f"{finding.level}: "
    words = finding.because
    if finding.evidence is not Evidence.PREDICTED:
        words += f" ({finding.evidence})"
    lines = desk.wrapped(f"{label}{words}", indent=indent + "  ", first=indent)
    yield lines[0].replace(label, desk.risk(finding.level, label.strip()) + " ", 1)
    yield from lines[1:]
    if finding.instead:
        yield from desk.wrapped(f"Instead: {finding.instead}", indent=indent + "  ")


def _operation(
    operation: Operation, step: Step, desk: Desk, sql: bool | None, pad: str
) -> Iterator[str]:
    words = operation.words or operation.kind
    yield from desk.wrapped(words, indent=pad + "  ", first=f"{pad}- ")
    if (
        step.direction is Direction.FORWARD
        and not operation.reversible
        and len(step.operations) > 1
    ):
        yield desk.warn(f"{pad}  ! This operation cannot be undone.")
    for statement in operation.statements:
        yield from _statement(statement, desk, sql, pad + "  ")


def _statement(statement: Statement, desk: Desk, sql: bool | None, pad: str) -> Iterator[str]:
    mark = statement.note or _MARKS[statement.belief]
    if mark and statement.belief is Belief.EXACT:
        yield from desk.wrapped(mark, indent=f"{pad}  -- ")
    elif mark:
        for line in desk.wrapped(mark, indent=f"{pad}  ", first=f"{pad}! "):
            yield desk.warn(line)
    if sql is not False and statement.sql.strip():
        yield from _sql(statement.sql, desk, everything=bool(sql), indent=pad + "  ")


def _sql(text: str, desk: Desk, *, everything: bool, indent: str) -> Iterator[str]:
    """Indented; folded at spaces on a terminal, left in its own lines in a file or pipe."""
    shown = visible(text.strip(), lines=True).expandtabs(4)
    left_out = 0
    if not everything:
        cut = "\n".join(shown.split("\n")[:SQL_LINES])[:SQL_CHARACTERS]
        left_out, shown = len(shown) - len(cut), cut
    for line in shown.split("\n"):
        if not desk.out.isatty():
            yield f"{indent}{line}".rstrip()
            continue
        own = indent + " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(
            line.strip(),
            width=max(desk.width, len(own) + 20),
            initial_indent=own,
            subsequent_indent=own + "  ",
            break_on_hyphens=False,
            break_long_words=False,
        ) or [""]
    if left_out:
        yield f"{indent}... {left_out} more characters; --sql shows all"
