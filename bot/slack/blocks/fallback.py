"""What is sent when Slack refuses a message's blocks: the same words in the plainest form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from typing import Any

from bot.slack.blocks.limits import problems
from bot.slack.blocks.parts import Block, actions, section
from bot.slack.blocks.text import cut_escaped, prose, sentence
from bot.slack.values import Message

_MOST = 40


def plain_fallback(message: Message) -> Message:
    """Sections alone, and the buttons without anything optional; text and metadata stay.

    Nobody knows which block was refused, so everything but words and buttons goes.
    """
    blocks: list[Block] = []
    for block in message.blocks:
        if block.get("type") == "actions":
            blocks += _plain_buttons(block)
        else:
            blocks += [section(words) for words in _words(block) if words.strip()]
    fitting = tuple(
        block for block in blocks[:_MOST] if not problems({"blocks": [block]}, "message")
    )
    return replace(message, blocks=fitting or (section(sentence(unescape(message.text), 2900)),))


def text_only(message: Message) -> Message:
    """The last resort, when even that was refused: ``text``, which says all that matters."""
    return replace(message, blocks=())


def _plain_buttons(block: Block) -> list[Block]:
    wanted = ("type", "text", "action_id", "value", "url")
    return actions(
        *({key: b[key] for key in wanted if key in b} for b in block.get("elements", []))
    )


def _words(block: Any) -> Iterator[str]:
    """The texts of a block as markup, a table's rows as lines."""
    if not isinstance(block, dict):
        return
    if block.get("type") == "table":
        rows = block.get("rows", [])
        lines = (" · ".join(str(cell.get("text", "")) for cell in row) for row in rows)
        yield cut_escaped("\n".join(prose(line, 500) for line in lines), 2900)
        return
    for text in (block.get("text"), *block.get("fields", []), *block.get("elements", [])):
        if isinstance(text, dict) and isinstance(text.get("text"), str):
            yield text["text"] if text.get("type") == "mrkdwn" else prose(text["text"], 2900)
