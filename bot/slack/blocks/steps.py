"""The steps of a plan: a line each, and as a table that shows the riskiest where not all fit."""

from __future__ import annotations

from collections.abc import Sequence

from bot.route.findings import Risk
from bot.slack.blocks.parts import TABLE_CHARACTERS, Block, context, table
from bot.slack.blocks.text import BARE, Voice, count, cut
from bot.slack.blocks.values import StepLine
from bot.slack.blocks.words import risk_word

HEAD = ("#", "Risk", "Migration", "What it does")
"""The risk stands before the long names: on a phone only the first columns are in sight."""
WORDS = 100
"""Characters of what a step does, in a cell of the table; what to watch for comes on top."""
LEAST = 800
"""Characters that the table has at least, however much is said before it."""
RISKIEST = 10
"""Steps that are shown of those that do not all fit."""

Numbered = tuple[int, StepLine]


def step_words(number: int, step: StepLine, voice: Voice) -> str:
    """One step of a plan on a line: ``1. shop.0007_total: add field total; not atomic``."""
    head = f"{number}. {verb(step)}{voice.name(step.key)}"
    return f"{head}: {voice.free(does(step), 300)}"


def verb(step: StepLine) -> str:
    return "undo " if step.direction == "backward" else ""


def does(step: StepLine) -> str:
    risk = f"{risk_word(step.risk)}: " if step.risk else ""
    return f"{risk}{_words(step)}{_marks(step)}"


def steps_table(steps: Sequence[StepLine], room: int) -> tuple[list[Block], int]:
    """The steps as a table of about ``room`` characters, and how many of them are in it."""
    room = max(LEAST, min(room, TABLE_CHARACTERS))
    numbered = list(enumerate(steps, 1))
    made, shown = table(HEAD, map(_row, numbered), room=room)
    left = len(steps) - shown
    if not left:
        return [made], shown
    _, fitting = table(HEAD, map(_row, _riskiest(numbered)), room=room)
    made, shown = table(HEAD, map(_row, sorted(_riskiest(numbered)[:fitting])), room=room)
    riskiest = "These are the riskiest. " if _differ(steps) else ""
    left = len(steps) - shown
    return [made, context(f"{riskiest}And {count(left, 'more step')}, see the file.")], shown


def steps_named(steps: Sequence[StepLine]) -> str:
    """The steps as a sentence in words alone; of many the riskiest, with their numbers."""
    if len(steps) <= RISKIEST:
        return f"Steps: {', '.join(_named(step) for step in steps)}."
    chosen = sorted(_riskiest(list(enumerate(steps, 1))))
    title = "The riskiest steps" if _differ(steps) else "Steps"
    names = ", ".join(f"{number}. {_named(step)}" for number, step in chosen)
    return f"{title}: {names} and {len(steps) - RISKIEST} more."


def _named(step: StepLine) -> str:
    return verb(step) + BARE.free(step.key, 120)


def _row(numbered: Numbered) -> list[str]:
    number, step = numbered
    risk = risk_word(step.risk) if step.risk else "Not checked"
    return [str(number), risk, verb(step) + step.key, cut(_words(step), WORDS) + _marks(step)]


def _words(step: StepLine) -> str:
    return step.words or count(step.statements_count, "statement")


def _marks(step: StepLine) -> str:
    return "".join(f"; {mark}" for mark in step.marks)


def _riskiest(numbered: list[Numbered]) -> list[Numbered]:
    """So many, the riskiest first; what nobody has checked stands with what asks for caution."""
    ordered = sorted(numbered, key=lambda one: (-(one[1].risk or Risk.CAUTION).rank, one[0]))
    return ordered[:RISKIEST]


def _differ(steps: Sequence[StepLine]) -> bool:
    return len({step.risk for step in steps}) > 1
