"""The slash commands, a row each. Help, parsing, usage, the manifest and the docs derive from them.

To add one: a row here, an operation, a line in ``on_command.LINKED`` or ``UNLINKED``, a block
function; then ``make docs``.
"""

from __future__ import annotations

from bot.slack.parsing import Command, Option

SLASH = "/migrate"
"""The slash command of the manifest; a stored name."""

_DATABASE = Option(name="database", value="ALIAS")
_TARGET = ("[app]", "[migration]")

ROWS = (
    Command(
        name="help",
        summary="What you can type here.",
        unlinked=True,
        examples=("/migrate", "/migrate help"),
    ),
    Command(
        name="status",
        summary="What is pending, waiting, running and frozen.",
        examples=("/migrate status",),
    ),
    Command(
        name="plan",
        summary="Show what would run, its SQL and its risk. Changes nothing.",
        words=_TARGET,
        options=(_DATABASE,),
        examples=(
            "/migrate plan",
            "/migrate plan shop",
            "/migrate plan shop 0007",
            "/migrate plan shop zero --database replica",
        ),
    ),
    Command(
        name="apply",
        summary="Ask for a run. Somebody else approves it.",
        words=_TARGET,
        options=(
            _DATABASE,
            Option(name="at", value="TIME"),
            Option(name="reason", value='"WHY"'),
        ),
        permission="request_run",
        examples=(
            "/migrate apply",
            '/migrate apply shop 0007 --reason "new totals"',
            '/migrate apply --at 02:00 --reason "while nobody shops"',
            '/migrate apply shop --at 2026-12-24T02:00Z --reason "don’t wait for me"',
        ),
    ),
    Command(
        name="rehearse",
        summary="Try a plan on a scratch database and measure it.",
        words=_TARGET,
        options=(_DATABASE,),
        permission="request_run",
        examples=("/migrate rehearse", "/migrate rehearse shop 0007 --database replica"),
    ),
    Command(
        name="show",
        summary="Everything about one run.",
        words=("run",),
        examples=("/migrate show 12", "/migrate show #12"),
    ),
    Command(
        name="cancel",
        summary="Take back a run that has not begun.",
        words=("run",),
        options=(Option(name="reason", value='"WHY"'),),
        permission="request_run",
        examples=("/migrate cancel 12", '/migrate cancel 12 --reason "wrong release"'),
    ),
    Command(
        name="history",
        summary="The last runs, who asked, who approved, how they ended.",
        options=(_DATABASE, Option(name="app", value="APP"), Option(name="state", value="STATE")),
        examples=("/migrate history", "/migrate history --app shop --state failed"),
    ),
    Command(
        name="link",
        summary="Tie your Slack account to your staff account.",
        unlinked=True,
        examples=("/migrate link",),
    ),
    Command(name="unlink", summary="End that tie.", examples=("/migrate unlink",)),
    Command(
        name="whoami",
        summary="Who the bot takes you for, and what you may.",
        unlinked=True,
        examples=("/migrate whoami",),
    ),
)

COMMANDS = {row.name: row for row in ROWS}
