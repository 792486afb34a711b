"""What goes into a run's thread: findings, steps and SQL at first, the outcome at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.route.rehearsal import Rehearsal
from bot.route.states import State
from bot.slack.blocks.pages import Page, by_lines, pages
from bot.slack.blocks.parts import TEXT, context, section
from bot.slack.blocks.plan import finding_groups, has_short_sql, needs_file, sql_file
from bot.slack.blocks.rehearsal import rehearsal_pages
from bot.slack.blocks.run import headline, run_metadata
from bot.slack.blocks.steps import step_words
from bot.slack.blocks.text import BARE, RICH, Voice, code_block, count, joined, spoken
from bot.slack.blocks.values import PersonView, PlanView, RunView
from bot.slack.blocks.words import BEGINNING, step_line
from bot.slack.values import Message

ERROR, STATEMENT = 2500, 1500
"""Characters of an error and of its statement that a message shows."""


def run_details(run: RunView, plan: PlanView) -> list[Message]:
    """When it is requested: every finding with its remedy, every step, and the SQL where it is
    short. Long SQL is ``run_sql``. Always at least one message."""
    groups: list[tuple[str, str]] = []
    if plan.findings:
        title = f"{count(len(plan.findings), 'finding')}, the worst first"
        groups += [(f"*{title}*", f"{title}."), *finding_groups(plan)]
    title = f"{count(len(plan.steps), 'step')}, in this order"
    lines = (
        (step_words(number, step, RICH), step_words(number, step, BARE))
        for number, step in enumerate(plan.steps, 1)
    )
    groups += [(f"*{title}*", f"{title}."), *by_lines(lines)]
    if plan.sql.strip() and has_short_sql(plan.sql):
        groups.append((f"*SQL*\n{code_block(plan.sql, 2900)}", "The SQL is in the message."))
    found = pages(f"Details of run {run.id}", groups)
    return [_of_run(run, page, f"run_details:{run.id}:{n}") for n, page in enumerate(found)]


def run_sql(run: RunView, plan: PlanView) -> Message | None:
    """The SQL as a file; None when it is short enough to be read without one."""
    if not needs_file(plan):
        return None
    words = f"The SQL of run {run.id}, {count(len(plan.steps), 'step')}"
    page = Page(
        text=f"{words}.",
        blocks=(section(f"{words}, fingerprint {RICH.name(plan.fingerprint[:BEGINNING])}."),),
    )
    return replace(_of_run(run, page, f"run_sql:{run.id}"), file=sql_file(plan))


def run_rehearsal(run: RunView, rehearsal: Rehearsal) -> list[Message]:
    """What the rehearsal of its plan measured."""
    found = rehearsal_pages(f"The rehearsal of run {run.id}", rehearsal)
    return [_of_run(run, page, f"run_rehearsal:{run.id}:{n}") for n, page in enumerate(found)]


def run_result(run: RunView) -> list[Message]:
    """When it has ended: what became of each step, what differed, the error and its statement."""
    groups = [(_bullets(run.stale_because, RICH), _bullets(run.stale_because, BARE))]
    groups += list(_error(run))
    if run.started_at is not None:
        groups += by_lines(_steps(run))
    told = [group for group in groups if group[0]]
    if not told:
        return []
    found = pages(headline(run), told)
    return [_of_run(run, page, f"run_result:{run.id}:{n}") for n, page in enumerate(found)]


def _bullets(reasons: tuple[str, ...], voice: Voice) -> str:
    return "\n".join(f"• {voice.free(words, 300)}" for words in reasons[:9])


def _error(run: RunView) -> Iterator[tuple[str, str]]:
    if run.error and run.state is not State.CANCELLED:
        where, bare = (
            f"Error in {voice.name(run.error_step)}:" if run.error_step else "Error:"
            for voice in (RICH, BARE)
        )
        shown = f"{where}\n{code_block(run.error, ERROR)}{_rest(run, run.error, ERROR)}"
        yield shown, f"{bare} {BARE.free(run.error, 800)}"
    if run.error_statement:
        shown = code_block(run.error_statement, STATEMENT)
        yield (
            f"In this statement:\n{shown}{_rest(run, run.error_statement, STATEMENT)}",
            f"In this statement: {BARE.free(run.error_statement, 400)}",
        )


def _rest(run: RunView, text: str, limit: int) -> str:
    """Where the whole of a text is that was cut."""
    if len(text) <= limit - 8:
        return ""
    return f"\nAll of it is {RICH.link(run.url if len(run.url) < 200 else '', 'on the page')}."


def _steps(run: RunView) -> Iterator[tuple[str, str]]:
    for number, step in enumerate(run.steps, 1):
        rich, bare = (step_line(step, voice, number=number) for voice in (RICH, BARE))
        yield rich, bare


def failure_broadcast(run: RunView) -> Message:
    """To the thread and the channel: that it failed, where, and who asked for it and approved."""
    rich, bare = (_failure_lines(run, voice) for voice in (RICH, BARE))
    return Message(
        text=spoken(bare, TEXT),
        blocks=(section(*rich), context("The error and its statement are in this thread.")),
        metadata=run_metadata(run, f"run_failed:{run.id}"),
    )


def _failure_lines(run: RunView, voice: Voice) -> list[str]:
    where = f" at {voice.name(run.error_step)}" if run.error_step else ""
    outcome = {
        State.NEEDS_ATTENTION: "needs a person",
        State.INTERRUPTED: "was interrupted",
    }.get(run.state, "failed")
    done = f"{run.steps_done} of {count(len(run.steps), 'step')} done"
    people = [f"Asked for by {voice.person(run.requester)}"]
    approvers = _once([decision.person for decision in run.approvals])
    if approvers:
        people.append(f"approved by {joined([voice.person(person) for person in approvers])}")
    return [
        f"{voice.strong(f'Run {run.id} {outcome}')}{where} on {voice.name(run.database)}. {done}.",
        f"{', '.join(people)}.",
    ]


def _once(people: list[PersonView]) -> list[PersonView]:
    return list(dict.fromkeys(people))[:10]


def _of_run(run: RunView, page: Page, key: str) -> Message:
    return Message(text=page.text, blocks=page.blocks, metadata=run_metadata(run, key))
