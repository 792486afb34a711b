"""The plan: what would run, how dangerous that is as far as it is known, and how to ask for it."""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.rehearsal import Rehearsal
from bot.route.undoing import asked
from bot.route.weighing import by_weight
from bot.slack.blocks.pages import pages
from bot.slack.blocks.parts import (
    MESSAGE,
    TEXT,
    Block,
    actions,
    button,
    context,
    header,
    open_button,
    section,
    size,
)
from bot.slack.blocks.rehearsal import rehearsal_pages, rehearse_button, tried_lines
from bot.slack.blocks.steps import does, steps_named, steps_table, verb
from bot.slack.blocks.text import BARE, RICH, Voice, code_block, count, one_line, spoken
from bot.slack.blocks.values import PlanView
from bot.slack.blocks.words import (
    BEGINNING,
    finding_lines,
    forbidden_line,
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
    before, after = _around(plan)
    steps, _ = steps_table(plan.steps, MESSAGE - size([*before, *after]))
    return Message(
        text=_text(plan),
        blocks=(*before, *steps, *after),
        metadata=plan_metadata(plan, f"plan:{plan.id}"),
    )


def _around(plan: PlanView) -> tuple[list[Block], list[Block]]:
    """What stands before the table of its steps, and after it."""
    what = "Plan to undo" if plan.undone else "Plan:"
    title = f"{what} {count(len(plan.steps), 'step')}, {risk_word(plan.risk).lower()}"
    before = [header(title), *(section(*lines) for lines in _groups(plan, RICH) if any(lines))]
    notes = [RICH.free(note, 300) for note in plan.notes[:4]]
    buttons = [button("Request this run", "request", plan.id)] if plan.requestable else []
    buttons += rehearse_button(plan.id, plan.rehearsal)
    after = [
        section(*_sql_lines(plan)),
        context(*_small_print(plan, RICH), *notes),
        *actions(*buttons, *open_button(plan.url)),
    ]
    return before, after


def _groups(plan: PlanView, voice: Voice) -> list[list[str]]:
    """What decides, first: whether it is forbidden, how dangerous it is, what is worst in it; then
    what was tried and asked."""
    rest = "in the thread."
    return [
        [
            _lead(plan, voice),
            forbidden_line(plan.forbidden, voice),
            risk_line(plan.risk, plan.findings, voice),
            _asked_line(plan),
            voice.free(plan.no_way_back, 600) if plan.no_way_back else "",
        ],
        worst_lines(plan.findings, voice, rest=rest, forbidden=plan.forbidden),
        tried_lines(plan.rehearsal, plan.held, voice),
    ]


def _asked_line(plan: PlanView) -> str:
    """In the past tense: nobody edits this message when the run ends."""
    if plan.asking_run is None:
        return ""
    return f"Run {plan.asking_run} already asked for exactly this plan."


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
    if not plan.steps or not has_short_sql(plan.sql):
        return bool(plan.steps)
    before, after = _around(plan)
    _, shown = steps_table(plan.steps, MESSAGE - size([*before, *after]))
    return shown < len(plan.steps)


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
        f"-- {asked(plan.target or 'everything', plan.database, len(plan.steps), plan.undone)}",
        f"-- fingerprint {plan.fingerprint}",
        "-- For reading. What runs is the migrations themselves, not this file.",
        *(
            f"-- {n}. {verb(step)}{step.key}: {one_line(does(step), 300)}"
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


def plan_rehearsal(plan: PlanView, rehearsal: Rehearsal) -> list[Message]:
    """For the thread: what its rehearsal measured."""
    return [
        Message(
            text=page.text,
            blocks=page.blocks,
            metadata=plan_metadata(plan, f"plan_rehearsal:{plan.id}:{number}"),
        )
        for number, page in enumerate(rehearsal_pages("The rehearsal of this plan", rehearsal))
    ]


def finding_groups(plan: PlanView) -> Iterator[tuple[str, str]]:
    """Each finding in both voices."""
    for finding in by_weight(plan.findings, plan.forbidden):
        yield (
            "\n".join(finding_lines(finding, RICH, room=1200)),
            spoken(finding_lines(finding, BARE, room=400), 1000),
        )


def _lead(plan: PlanView, voice: Voice) -> str:
    return f"{subject(plan.database, plan.target, len(plan.steps), voice, undone=plan.undone)}."


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
    words += [f"made {voice.at(plan.made_at)}{asker}", f"needs {needed}"]
    return words


def _text(plan: PlanView) -> str:
    lead, worst, tried = _groups(plan, BARE)
    lines = [
        f"Plan: {lead[0]}",
        *lead[1:],
        *worst,
        *tried,
        steps_named(plan.steps),
        "; ".join(_small_print(plan, BARE)),
    ]
    return spoken(lines, TEXT)
