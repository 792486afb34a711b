"""What every payload must be: valid by our limits and by the SDK's models, and calling nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from bot.slack.blocks.limits import Surface, problems
from bot.slack.values import Message

OURS = frozenset({"U0ANA", "U0BEN"})
"""The only ids that the samples give: a mention of any other came from data."""

_DATE = re.compile(
    r"<!date\^-?\d+\^\{date_short_pretty\} \{time(_secs)?\}\|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC>"
)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")
_LINK = re.compile(r"<https?://[^<>|\s]+\|[^<>|]*>")
_PING = re.compile(r"<[!@#]")
_PING_WORD = re.compile(r"@(channel|here|everyone)", re.IGNORECASE)
_FENCED = re.compile(r"```\n.*?\n```", re.DOTALL)


def check_message(message: Message) -> None:
    """Valid, readable without its blocks, and calling nobody but whom it names by id."""
    arguments = message.arguments()
    assert problems(arguments, "message") == []
    assert message.text.strip()
    assert len(message.text) <= 4000, "chat.update takes no more"
    _check_blocks(list(message.blocks))
    check_markup(message.text, fenced=False)
    assert not _PING_WORD.search(message.text)
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message


def check_view(view: dict[str, Any], surface: Surface) -> None:
    assert problems(view, surface) == []
    View(**view).validate_json()
    _check_blocks(view["blocks"])
    json.dumps(view)


def _check_blocks(blocks: list[dict[str, Any]]) -> None:
    for block in blocks:
        parsed = Block.parse(dict(block))
        assert parsed is not None, block["type"]
        parsed.validate_json()
    for kind, words in texts(blocks):
        if kind == "mrkdwn":
            check_markup(words)
        else:
            assert not _PING.search(words), words
    for marked in objects(blocks, "mrkdwn"):
        assert marked["verbatim"] is True, "else Slack would link names and mentions in it"
    for plain in objects(blocks, "plain_text"):
        assert plain["emoji"] is False


def check_markup(words: str, *, fenced: bool = True) -> None:
    """No control sequence but ours, no code span or block left open."""
    assert set(_MENTION.findall(words)) <= OURS, words
    rest = _LINK.sub("", _MENTION.sub("", _DATE.sub("", words)))
    rest = re.sub(r"^> ", "", rest, flags=re.MULTILINE)
    assert "<" not in rest, words
    assert ">" not in rest, words
    assert re.sub(r"&(amp|lt|gt);", "", rest).count("&") == 0, "an entity is cut in half"
    if fenced:
        unfenced = _FENCED.sub("", rest)
        assert "```" not in unfenced, words
        assert unfenced.count("`") % 2 == 0, words


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Each text object's type and text, at any depth."""
    for kind in ("mrkdwn", "plain_text", "raw_text"):
        yield from ((kind, found["text"]) for found in objects(value, kind))


def objects(value: Any, kind: str) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("type") == kind and isinstance(value.get("text"), str):
            yield value
        for item in value.values():
            yield from objects(item, kind)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from objects(item, kind)


def seen(message: Message) -> str:
    """All that the blocks show, for assertions about words."""
    return "\n".join(words for _, words in texts(message.blocks))


def labels(blocks: Any) -> dict[str, dict[str, Any]]:
    """The buttons by their labels."""
    found = (e for b in blocks if b["type"] == "actions" for e in b["elements"])
    return {button["text"]["text"]: button for button in found}
