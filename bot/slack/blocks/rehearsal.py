"""How a plan's rehearsal stands, and for the thread: where it was, what came of it, each step."""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.rehearsal import Rehearsal, RehearsedStep
from bot.route.rehearsal_words import parts
from bot.route.rehearsing import (
    Stage,
    Standing,
    lead_words,
    schema_words,
    standing_words,
    step_words,
    where_words,
)
from bot.slack.blocks.pages import Page, by_lines, pages
from bot.slack.blocks.parts import Block, button
from bot.slack.blocks.text import BARE, RICH, Voice, count

_IN_A_SENTENCE = 2
"""Measurements that read well in one sentence."""
_NOTES = 8
"""Notes that are shown; the staff page has all."""


def rehearsal_line(standing: Standing, voice: Voice) -> str:
    """How it stands, or what it measured, by points where that is much; empty while nobody asked
    for one."""
    rehearsal = standing.rehearsal if standing.stage is Stage.MEASURED else None
    found = parts(rehearsal) if rehearsal is not None and not rehearsal.because else ()
    if not voice.rich or len(found) <= _IN_A_SENTENCE:
        return voice.free(standing_words(standing), 700)
    points = (f"• {voice.free(part, 150)}" for part in found)
    return "\n".join(("*Measured on a copy of the schema*:", *points))


def tried_lines(standing: Standing, held: str, voice: Voice) -> list[str]:
    """What was tried of a plan, and what today's data was asked and holds."""
    return [rehearsal_line(standing, voice), voice.free(held, 500)]


def rehearse_button(plan: str, standing: Standing) -> list[Block]:
    """The button that asks for one, while there is none; ``plan`` is the stored plan's id."""
    return [button("Rehearse", "rehearse", plan)] if plan and standing.may_ask else []


def rehearsal_pages(title: str, rehearsal: Rehearsal) -> Iterator[Page]:
    """All that it measured; there is always a page."""
    head, head_bare = ("\n".join(_head(rehearsal, voice)) for voice in (RICH, BARE))
    steps = f"{count(len(rehearsal.steps), 'step')}, as they went there"
    lines = (
        (_line(number, step, rehearsal.vendor, RICH), _line(number, step, rehearsal.vendor, BARE))
        for number, step in enumerate(rehearsal.steps, 1)
    )
    groups = [(head, head_bare.replace("\n", " ")), (f"*{steps}*", f"{steps}.")]
    return pages(title, [*groups, *by_lines(lines)])


def _head(rehearsal: Rehearsal, voice: Voice) -> Iterator[str]:
    for words in (lead_words(rehearsal), where_words(rehearsal), *schema_words(rehearsal)):
        yield voice.free(words, 600)
    for note in rehearsal.notes[:_NOTES]:
        yield voice.free(note, 300)


def _line(number: int, step: RehearsedStep, vendor: str, voice: Voice) -> str:
    """``1. shop.0007_total: Ran in 12 ms. Locks: … Undo works.``"""
    room = 900 if voice.rich else 400
    said = " ".join(step_words(step, vendor))
    said = said if voice.rich else said.rstrip(".")  # they stand one after the other there
    return f"{number}. {voice.name(step.key)}: {voice.free(said, room)}"
