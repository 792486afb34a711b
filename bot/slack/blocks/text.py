"""Text for Slack: other people's text made harmless, and sentences in two voices.

Slack reads markup out of what it is sent: ``<!channel>`` wakes everybody, a backtick ends a code
span, an asterisk makes bold. Every name, reason, statement and error is data and goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from bot.route.visible import visible
from bot.slack.blocks.values import PersonView

ELLIPSIS = "…"
GRAVE = "ˋ"
"""MODIFIER LETTER GRAVE ACCENT: looks like the backtick that would end a code span."""

_USER = re.compile(r"[UW][A-Z0-9]{1,30}")
_HALF_ENTITY = re.compile(r"&[a-z]{0,3}$")
_MARKUP = str.maketrans({"*": "∗", "~": "∼"})
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_PING_WORD = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)
_PLAIN_PING = re.compile(r"<(?=[!@#])")


def length(text: str) -> int:
    """Characters as Slack may count them: UTF-16 units, the stricter of the two ways."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` characters (see ``length``); an ellipsis says it was cut."""
    if length(text) <= limit:
        return text
    kept = text[: limit - len(ELLIPSIS)]
    while length(kept) > limit - len(ELLIPSIS):
        kept = kept[: len(kept) - max(1, (length(kept) - limit) // 2)]
    return kept + ELLIPSIS


def cut_escaped(text: str, limit: int) -> str:
    """As ``cut``, for text that ``escape`` has been over: no entity is left in half."""
    if length(text) <= limit:
        return text
    return _HALF_ENTITY.sub("", cut(text, limit).removesuffix(ELLIPSIS)) + ELLIPSIS


def escape(text: str) -> str:
    """``text`` with the three characters that Slack reads as control sequences escaped."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def one_line(text: str, limit: int) -> str:
    """``text`` on one line, hidden characters shown, cut before anything is escaped."""
    line = " ".join(text[: limit * 2].split())
    # What is printable has nothing hidden; looking at each character is for the rest.
    return cut(line if line.isprintable() else visible(line), limit)


def sentences(text: str, limit: int) -> str:
    """``text`` on one line; what does not fit is left out from the end of a sentence on, where one
    ends within it: advice that breaks off in its middle is none."""
    line = one_line(text, limit)
    if line == one_line(text, limit * 2):
        return line
    end = max(line.rfind(f"{mark} ", limit // 3) for mark in ".!?")
    return f"{line[: end + 1]} {ELLIPSIS}" if end > 0 else line


def plain(text: str, limit: int) -> str:
    """For ``plain_text`` and ``raw_text``, which are not markup; what looks like a ping is broken
    all the same, for clients that would read it. Never empty: Slack refuses that."""
    shown = _PLAIN_PING.sub("‹", one_line(text, limit))
    return cut(_PING_WORD.sub("@ ", shown), limit) or "–"


def code(text: str, limit: int = 120) -> str:
    """A name as a code span. Never empty."""
    shown = one_line(text, limit).replace("`", GRAVE) or "–"
    return f"`{cut_escaped(escape(shown), limit)}`"


def code_block(text: str, limit: int) -> str:
    """Lines of SQL or of an error as a block of code, with its fences at most ``limit``."""
    shown = visible(text[:limit].strip("\r\n"), lines=True).replace("```", GRAVE * 3).expandtabs(4)
    if len(text) > limit:
        shown += ELLIPSIS
    return f"```\n{cut_escaped(escape(shown), limit - 8) or '–'}\n```"


def prose(text: str, limit: int) -> str:
    """A sentence that somebody wrote, on one line: no markup in it has effect."""
    shown = one_line(text, limit).replace("`", GRAVE).translate(_MARKUP)
    return cut_escaped(escape(_EDGE_UNDERSCORE.sub("ˍ", shown)), limit)


def sentence(text: str, limit: int) -> str:
    """One of our own sentences with data filled in: its code spans stay, the rest is as prose."""
    shown = one_line(text, limit).replace("```", GRAVE * 3).translate(_MARKUP)
    shown = cut_escaped(_PING_WORD.sub("@ ", escape(shown)), limit)
    if shown.count("`") % 2:  # One in the data, or the end of a span was cut off.
        before, _, after = shown.rpartition("`")
        shown = f"{before}{GRAVE}{after}"
    return shown


def utc(at: datetime, *, seconds: bool = False) -> str:
    """``2026-11-23 16:50 UTC``, with ``seconds`` ``2026-11-23 16:50:12 UTC``."""
    return at.astimezone(UTC).strftime(f"%Y-%m-%d %H:%M{':%S' if seconds else ''} UTC")


def duration(seconds: float | None) -> str:
    """``0.42 s``, ``12 s``, ``2 min 5 s``, ``1 h 4 min``; empty when it is not known."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def count(number: int, one: str, many: str = "") -> str:
    """``1 step``, ``2 steps``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def spoken(lines: Iterable[str], limit: int) -> str:
    """Lines as sentences one after the other, for a message's ``text``."""
    said = [line.strip() for line in lines if line.strip()]
    ended = [line if line.endswith((".", ":", "?", "!", ELLIPSIS)) else f"{line}." for line in said]
    return cut_escaped(" ".join(ended), limit)


def joined(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def safe_url(url: str, limit: int = 3000) -> str:
    """``url`` if it may stand in a link or a button, else nothing: http(s), no markup in it."""
    if length(url) > limit or not url.isprintable() or any(c in url for c in "<>|\"'` \\"):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


@dataclass(frozen=True, slots=True)
class Voice:
    """How a sentence says names, people and times: in Slack's markup, or as words alone.

    The same sentences make a message's blocks and its ``text`` for screen readers, so that neither
    forgets what the other says.
    """

    rich: bool

    def name(self, text: str, limit: int = 120) -> str:
        """A name from code or a database."""
        return code(text, limit) if self.rich else self.free(text, limit)

    def free(self, text: str, limit: int) -> str:
        """A sentence from a person, a rule or an error."""
        shown = prose(text, limit)
        return shown if self.rich else cut_escaped(_PING_WORD.sub("@ ", shown), limit)

    def strong(self, words: str) -> str:
        """Our own words, emphasised."""
        return f"*{words}*" if self.rich else words

    def person(self, person: PersonView) -> str:
        """A mention, from an id that Slack could have given; otherwise the name."""
        if self.rich and _USER.fullmatch(person.slack_user):
            return f"<@{person.slack_user}>"
        return self.named(person)

    def named(self, person: PersonView) -> str:
        """The name alone: it calls nobody."""
        return self.free(person.name, 80) or "somebody"

    def at(self, at: datetime, *, seconds: bool = False) -> str:
        """A moment, in each reader's own time zone where Slack can; seconds where they matter."""
        fallback = utc(at, seconds=seconds)
        if not self.rich:
            return fallback
        form = f"{{date_short_pretty}} {{{'time_secs' if seconds else 'time'}}}"
        return f"<!date^{int(at.timestamp())}^{form}|{fallback}>"

    def link(self, url: str, words: str) -> str:
        """Our own words as a link, or as they are where there is no address."""
        url = safe_url(url)
        if not url:
            return words
        return f"<{escape(url)}|{words}>" if self.rich else f"{words}: {escape(url)}"


RICH = Voice(rich=True)
BARE = Voice(rich=False)
