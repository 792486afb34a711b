"""The slash commands, a row each. Help, parsing, usage, the manifest and the docs derive from them.

To add one: a row here, an operation, a line in ``answers.COMMANDS``, a block function.
"""

from __future__ import annotations

from bot.slack.parsing import Command, Option

SLASH = "/migrate"
"""The slash command of the manifest; a stored name."""

_DATABASE = Option(name="database", value="ALIAS")
_TARGET = ("[app]", "[migration]")

ROWS = (
    Command(name="help", summary="What you can type here.", unlinked=True),
    Command(name="status", summary="What is pending, waiting, running and frozen."),
    Command(
        name="plan",
        summary="Show what would run, its SQL and its risk. Changes nothing.",
        words=_TARGET,
        options=(_DATABASE,),
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
    ),
    Command(name="show", summary="Everything about one run.", words=("run",)),
    Command(
        name="cancel",
        summary="Take back a run that has not begun.",
        words=("run",),
        options=(Option(name="reason", value='"WHY"'),),
        permission="request_run",
    ),
    Command(
        name="history",
        summary="The last runs, who asked, who approved, how they ended.",
        options=(_DATABASE, Option(name="app", value="APP"), Option(name="state", value="STATE")),
    ),
    Command(name="link", summary="Tie your Slack account to your staff account.", unlinked=True),
    Command(name="unlink", summary="End that tie."),
    Command(name="whoami", summary="Who the bot takes you for, and what you may.", unlinked=True),
)

COMMANDS = {row.name: row for row in ROWS}
