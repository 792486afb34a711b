"""The parts of the pages that are made from code, so that they cannot disagree with it.

Between ``<!-- made: NAME -->`` and ``<!-- end -->`` stands what the function NAME returns.
``make docs`` writes them anew; a test fails while one is out of date.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from bot.checks.rows import ROWS
from bot.conf import Settings
from bot.management.exits import Exit
from bot.route.events import Denied, Event
from bot.route.risks.judge import rules
from bot.slack.commands import ROWS as COMMANDS

ROOT = Path(__file__).resolve().parent.parent.parent
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_DEPENDENCY = re.compile(r'^\s+"([^"]+)",\s*# (.+)$')
_TABLE = re.compile(r"^(dependencies|\w+) = \[$")


def pages() -> list[Path]:
    """Every page for people."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def settings() -> str:
    """The table of ``MIGRATION_BOT``'s keys."""
    types = get_type_hints(Settings)
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for one in fields(Settings):
        kind, default = _kind(types[one.name]), f"`{_default(one)!r}`"
        lines.append(f"| `{one.name}` | {kind} | {default} | {_cell(one.metadata['doc'])} |")
    return "\n".join(lines)


def dependencies() -> str:
    """What is installed, and why, as ``pyproject.toml`` has it."""
    lines = ["| package | for | why |", "|---|---|---|"]
    group = ""
    project = (ROOT / "pyproject.toml").read_text().split("\n[tool.", 1)[0]
    for line in project.splitlines():
        if found := _TABLE.match(line):
            group = found[1]
        elif (found := _DEPENDENCY.match(line)) and group != "dev":
            who = "everybody" if group == "dependencies" else f"`[{group}]`"
            lines.append(f"| `{found[1]}` | {who} | {_cell(found[2])} |")
    return "\n".join(lines)


def exit_codes() -> str:
    """The exit codes of the command line."""
    lines = ["| code | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| {int(code)} | {code.meaning} |" for code in Exit)])


def checks() -> str:
    """Every system check: what it says, and what to do."""
    lines = ["| id | what is wrong | what to do |", "|---|---|---|"]
    for row in ROWS.values():
        message, hint = (_readable(text) for text in (row.message, row.hint))
        lines.append(f"| `migration_bot.{row.id}` | {_cell(message)} | {_cell(hint)} |")
    return "\n".join(lines)


def commands() -> str:
    """Each slash command: its usage, what it takes to use it, and examples."""
    parts = []
    for row in COMMANDS:
        if row.unlinked:
            needed = "Anybody whose Slack account nothing bars."
        elif row.permission:
            needed = f"A linked staff account with `migration_bot.{row.permission}`."
        else:
            needed = "A linked staff account."
        examples = "\n".join(row.examples)
        parts.append(
            f"### {row.name}\n\n{row.summary} {needed}\n\n"
            f"```text\n{row.usage}\n```\n\nFor example:\n\n```text\n{examples}\n```"
        )
    return "\n\n".join(parts)


def events() -> str:
    """Every event of the audit and what its ``data`` holds."""
    lines = ["| event | data |", "|---|---|"]
    # ``slots=True`` makes a second class of each; the first one lives on for a while.
    found = {event.name: event for event in _events(Event)}
    for event in sorted(found.values(), key=lambda event: event.name):
        held = ", ".join(f"`{one.name}`" for one in fields(event))
        if event.name == Denied.name:
            held = "`code`, `because`, and `repeated` where it stands for more than one"
            lines.append(f"| `<what was wished>{event.name}` | {held} |")
        elif event.name:
            lines.append(f"| `{event.name}` | {held} |")
    return "\n".join(lines)


def _events(kind: type[Event]) -> Iterator[type[Event]]:
    for below in kind.__subclasses__():
        yield below
        yield from _events(below)


def _readable(template: str) -> str:
    """A format string as a reader of a table wants it."""
    text = template.replace("{nearest}", "").replace("!r}", "}")
    return text.replace("{{", "{").replace("}}", "}")


def risks() -> str:
    """Every finding: each rule's docstring."""
    parts = []
    for rule in rules():
        title, text = (inspect.getdoc(rule) or "").split("\n\n", 1)
        parts.append(f"### `{rule.CODE}`\n\n**{title}**\n\n{text}\n")
    return "\n" + "\n".join(parts)


MADE: dict[str, Callable[[], str]] = {
    "settings": settings,
    "dependencies": dependencies,
    "exit_codes": exit_codes,
    "checks": checks,
    "risks": risks,
    "commands": commands,
    "events": events,
}


def remade(text: str) -> str:
    """The page's text with each made part as it should be now."""
    return _BLOCK.sub(lambda found: f"{found[1]}{MADE[found[2]]()}\n{found[3]}", text)


def _kind(kind: Any) -> str:
    """A type in words that also fit somebody who reads no Python."""
    if NoneType in get_args(kind):
        return f"{_kind(next(one for one in get_args(kind) if one is not NoneType))} or None"
    names = {"str": "text", "bool": "True or False", "int": "whole number", "float": "number"}
    name = getattr(kind, "__name__", str(kind))
    return names.get(name) or {"tuple": "list of texts", "dict": "dict"}[name]


def _default(one: Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _cell(text: str) -> str:
    return text.replace("|", "\\|").strip()


def main() -> None:
    """Write every page anew; says which ones changed."""
    for page in pages():
        text = page.read_text()
        if (new := remade(text)) != text:
            page.write_text(new)
            print(f"written: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
