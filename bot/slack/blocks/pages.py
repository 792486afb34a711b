"""Long lists over several messages, each within what one message may hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.slack.blocks.parts import MESSAGE, TEXT, Block, section
from bot.slack.blocks.text import length, spoken

_BLOCKS = 40
"""Sections in one message; Slack takes 50."""
_SECTION = 2900
"""Characters of one section, a little below what Slack takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    text: str
    blocks: tuple[Block, ...]


def pages(title: str, groups: Iterable[tuple[str, str]]) -> Iterator[Page]:
    """The groups under ``title``, each a section (its markup, and the same in words alone), over
    as many pages as it takes; there is always one. ``title`` is our own words."""
    filled = list(_filled(groups))
    for number, page in enumerate(filled, 1):
        place = f" ({number} of {len(filled)})" if len(filled) > 1 else ""
        heading = f"{title}{place}."
        words = [bare for _, bare in page]
        yield Page(
            text=spoken([heading, *words], TEXT),
            blocks=(section(f"*{heading}*"), *(section(rich) for rich, _ in page)),
        )


def _filled(groups: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    page: list[tuple[str, str]] = []
    room = MESSAGE
    for group in groups:
        need = min(length(group[0]), 3000)
        if page and (need > room or len(page) == _BLOCKS):
            yield page
            page, room = [], MESSAGE
        page.append(group)
        room -= need
    yield page


def by_lines(lines: Iterable[tuple[str, str]], *, each: int = 20) -> Iterator[tuple[str, str]]:
    """Lines gathered into groups of ``each``, and of what one section holds."""
    rich: list[str] = []
    bare: list[str] = []
    room = _SECTION
    for line, words in lines:
        room -= length(line) + 1
        if rich and (len(rich) == each or room < 0):
            yield "\n".join(rich), "; ".join(bare)
            rich, bare, room = [], [], _SECTION - length(line) - 1
        rich.append(line)
        bare.append(words)
    if rich:
        yield "\n".join(rich), "; ".join(bare)
