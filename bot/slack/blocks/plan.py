"""The plan: what would run, how dangerous that is as far as it is known, and how to ask for it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.slack.blocks.pages import pages
from bot.slack.blocks.parts import (
    TEXT,
    Block,
    actions,
    button,
    context,
    header,
    open_button,
    section,
    table,
)
from bot.slack.blocks.text import BARE, RICH, Voice, code_block, count, one_line, spoken
from bot.slack.blocks.values import PlanView, StepLine
from bot.slack.blocks.words import (
    BEGINNING,
    by_weight,
    finding_lines,
    place,
    risk_line,
    risk_word,
    subject,
    worst_lines,
)
from bot.slack.values import FileView, Message

SHORT_SQL, SHORT_LINES = 1500, 25
"""Characters and lines of SQL that a message shows; more goes into a file."""


def plan_message(plan: PlanView) -> Message:
    """The plan, as it is posted when it is ready."""
    if not plan.steps:
        return _nothing(plan)
    blocks: list[Block] = [
        header(f"Plan: {count(len(plan.steps), 'step')}, {risk_word(plan.risk).lower()}"),
        section(_lead(plan, RICH), risk_line(plan.risk, plan.findings, RICH)),
    ]
    if plan.findings:
        blocks.append(section(*worst_lines(plan.findings, RICH, rest="in the thread.")))
    blocks += _steps(plan)
    blocks.append(section(*_sql_lines(plan)))
    notes = [RICH.free(note, 300) for note in plan.notes[:4]]
    blocks.append(context(*_small_print(plan, RICH), *notes))
    buttons = [button("Request this run", "request", plan.id)] if plan.requestable else []
    blocks += actions(*buttons, *open_button(plan.url))
    return Message(
        text=_text(plan), blocks=tuple(blocks), metadata=plan_metadata(plan, f"plan:{plan.id}")
    )


def _nothing(plan: PlanView) -> Message:
    rich, bare = (
        f"Nothing is pending: {place(plan.database, plan.target, voice)}, as of "
        f"{voice.at(plan.made_at)}."
        for voice in (RICH, BARE)
    )
    metadata = plan_metadata(plan, f"plan:{plan.id}")
    return Message(text=bare, blocks=(section(rich),), metadata=metadata)


def plan_metadata(plan: PlanView, key: str) -> Block:
    return {"event_type": "migration_bot.plan", "event_payload": {"plan": plan.id, "key": key}}


def has_short_sql(sql: str) -> bool:
    """Whether the SQL stands in the message itself."""
    return len(sql) <= SHORT_SQL and sql.count("\n") < SHORT_LINES


def needs_file(plan: PlanView) -> bool:
    """Whether there is more to read than the message shows."""
    return bool(plan.steps) and (not has_short_sql(plan.sql) or _table(plan)[1] < len(plan.steps))


def plan_sql(plan: PlanView) -> Message | None:
    """The SQL as a file for the thread; None when the message itself shows it."""
    if not needs_file(plan):
        return None
    words = f"The SQL of this plan, {count(len(plan.steps), 'step')}"
    return Message(
        text=f"{words}.",
        blocks=(section(f"{words}, fingerprint {RICH.name(plan.fingerprint[:BEGINNING])}."),),
        metadata=plan_metadata(plan, f"plan_sql:{plan.id}"),
        file=sql_file(plan),
    )


def sql_file(plan: PlanView) -> FileView:
    """All of the SQL; control and direction marks in it are made visible."""
    from bot.route.visible import visible

    beginning = "".join(c for c in plan.fingerprint[:BEGINNING] if c.isalnum()) or "plan"
    head = [
        f"-- {plan.target or 'everything'} on {plan.database}, {count(len(plan.steps), 'step')}",
        f"-- fingerprint {plan.fingerprint}",
        "-- For reading. What runs is the migrations themselves, not this file.",
        *(
            f"-- {n}. {_verb(step)}{step.key}: {one_line(_does(step), 300)}"
            for n, step in enumerate(plan.steps, 1)
        ),
    ]
    return FileView(
        name=f"plan-{beginning}.sql",
        title=f"SQL of plan {beginning}",
        content="\n".join(visible(line) for line in head)
        + f"\n\n{visible(plan.sql, lines=True)}\n",
    )


def plan_details(plan: PlanView) -> list[Message]:
    """For the thread: every finding with its remedy, the worst first; none when there are none."""
    if not plan.findings:
        return []
    title = f"All {count(len(plan.findings), 'finding')}, the worst first"
    if len(plan.findings) == 1:
        title = "The one finding"
    return [
        Message(
            text=page.text,
            blocks=page.blocks,
            metadata=plan_metadata(plan, f"plan_details:{plan.id}:{number}"),
        )
        for number, page in enumerate(pages(title, finding_groups(plan)))
    ]


def step_words(number: int, step: StepLine, voice: Voice) -> str:
    """One step of a plan on a line: ``1. shop.0007_total: add field total; not atomic``."""
    head = f"{number}. {_verb(step)}{voice.name(step.key)}"
    return f"{head}: {voice.free(_does(step), 300)}"


def finding_groups(plan: PlanView) -> Iterator[tuple[str, str]]:
    """Each finding in both voices."""
    for finding in by_weight(plan.findings):
        yield (
            "\n".join(finding_lines(finding, RICH, room=1200)),
            spoken(finding_lines(finding, BARE, room=400), 1000),
        )


def _lead(plan: PlanView, voice: Voice) -> str:
    return f"{subject(plan.database, plan.target, len(plan.steps), voice)}."


def _table(plan: PlanView) -> tuple[Block, int]:
    rows = ([str(n), _verb(step) + step.key, _does(step)] for n, step in enumerate(plan.steps, 1))
    return table(["#", "Migration", "What it does"], rows)


def _steps(plan: PlanView) -> list[Block]:
    made, shown = _table(plan)
    left = len(plan.steps) - shown
    return [made, *([context(f"And {count(left, 'more step')}, see the file.")] if left else [])]


def _verb(step: StepLine) -> str:
    return "undo " if step.direction == "backward" else ""


def _does(step: StepLine) -> str:
    risk = f"{risk_word(step.risk)}: " if step.risk else ""
    words = step.words or (count(step.statements_count, "statement"))
    marks = "".join(f"; {mark}" for mark in step.marks)
    return f"{risk}{words}{marks}"


def _sql_lines(plan: PlanView) -> list[str]:
    if not plan.sql.strip():
        return ["No SQL: this changes Django's state alone."]
    if has_short_sql(plan.sql):
        return [code_block(plan.sql, SHORT_SQL * 2)]
    statements = sum(step.statements_count for step in plan.steps)
    lines = plan.sql.count("\n") + 1
    return [f"SQL: {count(statements, 'statement')}, {lines} lines, as a file in the thread."]


def _small_print(plan: PlanView, voice: Voice) -> list[str]:
    words = [f"Fingerprint {voice.name(plan.fingerprint[:BEGINNING])}"]
    if plan.release:
        words.append(f"release {voice.name(plan.release, 40)}")
    asker = f" for {voice.named(plan.asked_by)}" if plan.asked_by else ""
    needed = count(plan.approvals_needed, "approval")
    return [*words, f"made {voice.at(plan.made_at)}{asker}", f"needs {needed}"]


def _text(plan: PlanView) -> str:
    steps = ", ".join(_verb(step) + BARE.free(step.key, 120) for step in plan.steps[:10])
    left = len(plan.steps) - 10
    lines = [
        f"Plan: {_lead(plan, BARE)}",
        risk_line(plan.risk, plan.findings, BARE),
        *worst_lines(plan.findings, BARE, rest="in the thread"),
        f"Steps: {steps}{f' and {left} more' if left > 0 else ''}.",
        "; ".join(_small_print(plan, BARE)),
    ]
    return spoken(lines, TEXT)
