"""History and status: lists that read well on a phone."""

from __future__ import annotations

from collections.abc import Iterable

from bot.slack.blocks.parts import TEXT, Block, actions, context, open_button, section
from bot.slack.blocks.text import BARE, RICH, Voice, count, duration, spoken
from bot.slack.blocks.values import HistoryView, RunRow, StatusView
from bot.slack.blocks.words import freeze_line, pending_line, row_lines
from bot.slack.values import Message

MOST = 15
"""Runs in one message."""


def history_message(history: HistoryView) -> Message:
    """The last runs, each a short paragraph."""
    of, bare = (
        f" of {voice.name(history.filtered)}" if history.filtered else "" for voice in (RICH, BARE)
    )
    if not history.rows:
        return Message(text=f"No runs yet{bare}.", blocks=(section(f"No runs yet{of}."),))
    shown = history.rows[:MOST]
    left = history.left_out + len(history.rows) - len(shown)
    blocks = [section(f"*The last {count(len(shown), 'run')}*{of}"), *_rows(shown)]
    if left:
        where = RICH.link(history.url, "on the staff page")
        blocks.append(context(f"{count(left, 'older run')} {where}."))
    words = [f"The last {count(len(shown), 'run')}{bare}."]
    words += ["; ".join(row_lines(row, BARE)) for row in shown]
    words += [f"{count(left, 'older run')} on the staff page."] if left else []
    return Message(text=spoken(words, TEXT), blocks=tuple(blocks))


def _rows(rows: Iterable[RunRow]) -> list[Block]:
    return [section(*row_lines(row, RICH)) for row in rows]


def status_message(status: StatusView) -> Message:
    """What is pending, what is open, what is frozen, and whether anybody is working."""
    rows = status.open_runs[:MOST]
    left = len(status.open_runs) - len(rows)
    blocks = [section(*_standing(status, RICH)), *_rows(rows)]
    if left:
        blocks.append(context(f"And {count(left, 'more open run')}."))
    blocks += actions(*open_button(status.url))
    words = [*_standing(status, BARE), *("; ".join(row_lines(row, BARE)) for row in rows)]
    return Message(text=spoken(words, TEXT), blocks=tuple(blocks))


def _standing(status: StatusView, voice: Voice) -> list[str]:
    lines = [freeze_line(freeze, voice) for freeze in status.freezes[:5]]
    if not status.worker_alive:
        lines.append(worker_line(status.worker_age, voice))
    lines += [pending_line(pending, voice) for pending in status.pending[:20]]
    if not status.pending:
        lines.append("No database to migrate.")
    number = len(status.open_runs)
    lines.append(f"{voice.strong(count(number, 'open run'))}{':' if number else '.'}")
    return lines


def worker_line(age: float | None, voice: Voice) -> str:
    """That nobody would run anything, and what to do."""
    heard = "was ever seen" if age is None else f"has been seen for {duration(age)}"
    command = voice.name("manage.py migration_bot worker")
    return f"{voice.strong('No worker')} {heard}, so nothing runs. Start one with {command}."
