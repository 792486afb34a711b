"""A plan as a person wants to read it in a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bot.conf import get_settings
from bot.management.desk import Desk
from bot.route.findings import Finding, Risk
from bot.route.overriding import codes_of, forbidding
from bot.route.plan import Belief, Direction, Operation, Plan, Statement, Step
from bot.route.rehearsing import (
    UNKNOWN,
    Standing,
    schema_words,
    standing_words,
    step_words,
    where_words,
)
from bot.route.undoing import back_to, undone
from bot.route.visible import visible
from bot.route.weighing import Kind, how_many, kinds

FINGERPRINT = 12
"""Characters of a fingerprint that people are shown."""
WORST = 5
"""Kinds of findings that stand before the steps."""
LONG = 12
"""Steps after which the beginning is out of sight."""
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


def plan_words(plan: Plan, desk: Desk, *, sql: bool | None, standing: Standing = UNKNOWN) -> str:
    """The whole plan. ``sql``: True all of it, False none, None what fits a page each.
    ``standing`` is how its rehearsal stands."""
    return "\n".join(_lines(plan, desk, sql, standing))


def _lines(plan: Plan, desk: Desk, sql: bool | None, standing: Standing) -> Iterator[str]:
    if not plan.steps:
        yield f"Nothing is pending for {visible(str(plan.target))} on {visible(plan.database)}."
        return
    yield desk.heading(
        f"Plan of {visible(str(plan.target))} on database {visible(plan.database)}"
        f" ({visible(plan.vendor)})"
    )
    steps = plural(len(plan.steps), "step")
    if undone(step.direction for step in plan.steps):
        steps = f"{desk.strong(f'undo {steps}')}, {back_to(str(plan.target), visible)}"
    yield f"  {steps}, risk {desk.risk(plan.risk)}"
    worst = _worst(plan, desk)
    yield from worst
    yield f"  fingerprint {plan.fingerprint[:FINGERPRINT]}"
    yield f"  made {moment(plan.made_at)}"
    if plan.release:
        yield f"  release {visible(plan.release)}"
    yield from _rehearsal(standing, desk)
    for note in plan.all_notes:
        yield from desk.wrapped(visible(note), indent="  ")
    for finding in plan.findings:
        yield from _finding(finding, desk, indent="  ")
    found = standing.rehearsal
    rehearsed = {s.key: step_words(s, found.vendor) for s in found.steps} if found else {}
    for number, step in enumerate(plan.steps, 1):
        yield ""
        went = rehearsed.get(step.key, ())
        yield from _step(number, step, plan, desk, sql, went=went)
    if worst and len(plan.steps) > LONG:
        yield ""
        yield f"{how_many(plan.all_findings)}; the worst are told at the top."


def _worst(plan: Plan, desk: Desk) -> list[str]:
    """What forbids a run of it, and of several steps the dangerous kinds, before all the rest."""
    forbidden = get_settings().policy.forbidden
    lines = []
    if codes := codes_of(forbidding(plan.all_findings, forbidden)):
        words = f"forbidden by {', '.join(codes)}, unless an approver overrides it"
        lines += [desk.bad(line) for line in desk.wrapped(words, indent="    ", first="  ")]
    told = [
        one
        for one in kinds(plan.all_findings, forbidden)
        if one.finding.code in codes or one.finding.level is Risk.DANGEROUS
    ]
    if len(plan.steps) == 1 or not told:
        return lines
    lines.append(f"  {how_many(plan.all_findings)}, the worst first:")
    for kind in told[:WORST]:
        lines += _kind(kind, desk)
    return [*lines, ""]


def _kind(kind: Kind, desk: Desk) -> Iterator[str]:
    """One finding on a few lines, without its remedy, which stands at its step."""
    found = kind.finding
    alike = f", and {kind.alike} more like it" if kind.alike else ""
    where = f"{found.step}: " if found.step else ""
    words = f"{where}{found.because} ({found.evidence}{alike})"
    for line in desk.wrapped(words, indent="      ", first="    - "):
        yield desk.risk(found.level, line)


def _rehearsal(standing: Standing, desk: Desk) -> Iterator[str]:
    """How it stands, and where it was."""
    if words := standing_words(standing):
        yield from (desk.strong(one) for one in desk.wrapped(words, indent="  "))
    if (found := standing.rehearsal) is not None:
        for words in (where_words(found), *schema_words(found)):
            yield from desk.wrapped(words, indent="  ")


def _step(
    number: int, step: Step, plan: Plan, desk: Desk, sql: bool | None, *, went: Sequence[str]
) -> Iterator[str]:
    """``went``: how it went in the rehearsal, in sentences."""
    verb = "undo" if step.direction is Direction.BACKWARD else "run"
    pad = " " * (len(str(len(plan.steps))) + 2)
    yield f"{f'{number}.':<{len(pad)}}{desk.strong(f'{verb} {visible(step.key)}')}"
    for mark in _step_marks(step):
        for line in desk.wrapped(mark, indent=f"{pad}  ", first=f"{pad}! "):
            yield desk.warn(line)
    for finding in step.findings:
        yield from _finding(finding, desk, indent=pad)
    for words in went:
        yield from desk.wrapped(words, indent=f"{pad}    ", first=f"{pad}rehearsed: ")
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
    words = f"{finding.because} ({finding.evidence})"
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
