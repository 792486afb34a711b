"""The text of a CREATE TABLE statement, taken apart into its columns and rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_WORD = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/
    | [(),] | [^\s'"`\[(),/-]+ | .""",
    re.VERBOSE | re.DOTALL,
)
_RULES = ("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN")
"""First words of clauses that are no columns: https://www.sqlite.org/lang_createtable.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clauses:
    """``columns`` by name, without quotes; ``options`` is what follows the brackets (STRICT)."""

    columns: Mapping[str, str]
    rules: tuple[str, ...]
    options: str


def clauses(sql: str) -> Clauses | None:
    """The parts of a CREATE TABLE statement; None of one that lists no columns."""
    words = list(_words(sql))
    if "(" not in words or words[1:2] == ["VIRTUAL"]:
        return None
    start = words.index("(")
    parts: list[list[str]] = [[]]
    depth, at = 1, start
    for at in range(start + 1, len(words)):
        word = words[at]
        depth += (word == "(") - (word == ")")
        if not depth:
            break
        if word == "," and depth == 1:
            parts.append([])
        else:
            parts[-1].append(word)
    columns, rules = {}, []
    for part in filter(None, parts):
        if part[0].upper() in _RULES:
            rules.append(" ".join(part))
        else:
            columns[_bare(part[0])] = " ".join(part[1:])
    return Clauses(columns=columns, rules=tuple(rules), options=" ".join(words[at + 1 :]))


def one_line(sql: str) -> str:
    """The statement without comments, one blank between any two words."""
    return " ".join(_words(sql))


def _words(sql: str) -> Iterator[str]:
    for found in _WORD.finditer(sql):
        word = found[0]
        if word.strip() and not word.startswith(("--", "/*")):
            yield word


def _bare(name: str) -> str:
    return name[1:-1] if name[:1] in ('"', "`", "[", "'") else name
