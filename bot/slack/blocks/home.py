"""App Home: what is pending, what waits for this person, what runs, what ran, the freeze."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.slack.blocks.lists import worker_line
from bot.slack.blocks.parts import (
    Block,
    actions,
    button,
    context,
    divider,
    header,
    open_button,
    section,
)
from bot.slack.blocks.text import RICH, count
from bot.slack.blocks.values import HomeView, RunRow
from bot.slack.blocks.words import freeze_line, pending_line, row_lines

EACH = 8
"""Runs in each list."""


def home_view(home: HomeView) -> Block:
    """The view for ``views.publish``: at most 100 blocks, and far fewer as a rule."""
    return {"type": "home", "callback_id": "migration_bot.home", "blocks": list(_blocks(home))}


def _blocks(home: HomeView) -> Iterable[Block]:
    if not home.linked:
        yield header("Not linked yet")
        yield section(
            "Your Slack account is not tied to a staff account here, so there is nothing to show.",
            f"Type {RICH.name('/migrate link')} to link it.",
        )
        return
    for freeze in home.freezes[:5]:
        yield section(freeze_line(freeze, RICH))
    if not home.worker_alive:
        yield section(worker_line(None, RICH))
    yield header(_waiting(home))
    yield from _asks(home.for_me)
    yield from _list("Your requests", home.mine)
    yield from _list("Running", home.running)
    yield header("Pending")
    lines = [pending_line(pending, RICH) for pending in home.pending[:20]]
    yield section(*lines or ["No database to migrate."])
    yield header("The last runs")
    if home.last:
        yield from _rows(home.last)
    else:
        yield section("None yet.")
    yield divider()
    yield from actions(*open_button(home.url, "Open the staff page"))
    if home.now is not None:
        yield context(f"As of {RICH.at(home.now)}")


def _waiting(home: HomeView) -> str:
    number = len(home.for_me)
    return f"{count(number, 'request')} for you to decide" if number else "Nothing waits for you"


def _asks(rows: Sequence[RunRow]) -> Iterable[Block]:
    """Requests lead to their own page or message: a decision needs all that is told there."""
    for row in rows[:EACH]:
        until = [f"Expires {RICH.at(row.expires_at)}."] if row.expires_at else []
        yield section(*row_lines(row, RICH), *until)
        yield from actions(
            button("Show", "show", str(row.id)), *open_button(row.url, "Open the page")
        )
    yield from _more(rows)


def _list(title: str, rows: Sequence[RunRow]) -> Iterable[Block]:
    if rows:
        yield header(title)
        yield from _rows(rows)


def _rows(rows: Sequence[RunRow]) -> Iterable[Block]:
    for row in rows[:EACH]:
        yield section(*row_lines(row, RICH))
    yield from _more(rows)


def _more(rows: Sequence[RunRow]) -> Iterable[Block]:
    if len(rows) > EACH:
        yield context(f"And {len(rows) - EACH} more, on the staff page.")
