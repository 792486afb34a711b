"""What people type behind ``/migrate``, read kindly: words, options, quotes of every sort.

Pure. Phones turn ``--`` into a dash and ``"`` into curly quotes, and people paste code marks.
"""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.route.refusals import CommandUnknown, CommandUnreadable

_QUOTES: dict[str, str | int | None] = {
    "“": '"',
    "”": '"',
    "„": '"',
    "«": '"',
    "»": '"',
    "‘": "'",
    "’": "'",
    "‚": "'",
}
_LINK = re.compile(r"<[^<>|\s]+\|([^<>]*)>|<(?:https?|mailto):[^<>\s]*>")
_DASHES = re.compile(r"(?:(?<=\s)|^)[—–]{1,2}(?=[A-Za-z])")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """``--name VALUE``; ``value`` is how the value is called in usage lines."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One row: help, usage, parsing, the manifest and the docs derive from it.

    ``words`` are the names of its plain arguments, the optional ones in brackets; ``permission`` is
    the codename that it takes beside being staff, or empty.
    """

    name: str
    summary: str
    words: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    permission: str = ""
    unlinked: bool = False
    """Whether people who are not linked yet may use it."""
    examples: tuple[str, ...] = ()
    """Lines as people type them, for the docs; a test parses each."""

    @property
    def usage(self) -> str:
        """``/migrate apply [app] [migration] [--at TIME]``."""
        options = [f"[--{option.name} {option.value}]" for option in self.options]
        return " ".join(["/migrate", self.name, *self.words, *options])


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A command with its plain words and its options by name."""

    command: Command
    words: tuple[str, ...]
    options: Mapping[str, str]


def parse(text: str, rows: Mapping[str, Command]) -> Parsed:
    """Read one line. Nothing typed means ``help``. Raises CommandUnknown, CommandUnreadable."""
    tokens = tokenize(text)
    if not tokens:
        return Parsed(command=rows["help"], words=(), options={})
    typed = tokens[0].lower().lstrip("/")
    if typed not in rows:
        close = difflib.get_close_matches(typed, rows, n=1, cutoff=0.5)
        nearest = rows[close[0]] if close else rows["help"]
        meant = f"Did you mean `{nearest.name}`? " if close else ""
        raise CommandUnknown(typed=tokens[0][:40], meant=meant, usage=nearest.usage)
    return _arguments(rows[typed], tokens[1:])


def _arguments(command: Command, tokens: Sequence[str]) -> Parsed:
    words: list[str] = []
    options: dict[str, str] = {}
    known = {option.name for option in command.options}
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if not token.startswith("--"):
            words.append(token)
            continue
        name, equals, value = token[2:].partition("=")
        name = name.lower()
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean --{close[0]}?" if close else ""
            raise CommandUnreadable(
                because=f"there is no --{name[:40]}.{hint}", usage=command.usage
            )
        if not equals:
            if index >= len(tokens) or tokens[index].startswith("--"):
                raise CommandUnreadable(because=f"--{name} needs a value.", usage=command.usage)
            value = tokens[index]
            index += 1
        options[name] = value
    if len(words) > len(command.words):
        extra = words[len(command.words)]
        raise CommandUnreadable(because=f'"{extra[:40]}" is too much.', usage=command.usage)
    needed = sum(not word.startswith("[") for word in command.words)
    if len(words) < needed:
        missing = command.words[len(words)]
        raise CommandUnreadable(because=f"{missing} is missing.", usage=command.usage)
    return Parsed(command=command, words=tuple(words), options=options)


def tokenize(text: str) -> list[str]:
    """Split as a shell would, but forgiving: a quote that is never closed ends with the line."""
    text = clean(text)
    tokens: list[str] = []
    current, quote, started = "", "", False
    for position, character in enumerate(text):
        if quote:
            if character == quote and _closes(text, position):
                quote = ""
            else:
                current += character
        elif character == '"' or (character == "'" and not current):
            quote, started = character, True
        elif character.isspace():
            if current or started:
                tokens.append(current)
            current, started = "", False
        else:
            current += character
    if current or started:
        tokens.append(current)
    return tokens


def _closes(text: str, position: int) -> bool:
    """Whether a quote here ends its word: an apostrophe inside ``don't`` does not."""
    return text[position] == '"' or position + 1 == len(text) or text[position + 1].isspace()


def clean(text: str) -> str:
    """The line as it was meant: straight quotes, real dashes, no code marks, no link marks."""
    text = _INVISIBLE.sub("", text)
    text = _LINK.sub(lambda match: match.group(1) or "", text)
    text = html.unescape(text)
    text = text.translate(str.maketrans(_QUOTES))
    text = _DASHES.sub("--", text)
    return text.replace("`", " ").strip()
