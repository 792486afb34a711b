"""``manage.py migration_bot``: a thin shell around the table of subcommands."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bot.management.desk import Desk
from bot.management.dispatch import carry_out
from bot.management.exits import Exit
from bot.management.table import BY_NAME, SUBCOMMANDS


class Parser(CommandParser):
    """A subcommand's parser. It takes Django's common options and ``--json`` after its name too."""

    def error(self, message: str) -> NoReturn:
        if self.called_from_command_line and "--json" in sys.argv:
            sys.stdout.write(json.dumps({"error": "usage", "message": message}) + "\n")
        super().error(message)
        raise AssertionError("it ends the process, or raises CommandError")


class Command(BaseCommand):
    help = "Plan, request, approve and watch migrations; run the worker; verify the audit."
    requires_system_checks: list[str] = []  # noqa: RUF012 - dispatch runs the bot's own; all take seconds

    def add_arguments(self, parser: CommandParser) -> None:
        rows = parser.add_subparsers(
            dest="subcommand",
            metavar="subcommand",
            required=True,
            parser_class=Parser,
        )
        for row in SUBCOMMANDS:
            one = rows.add_parser(row.name, help=row.summary, description=row.summary)
            row.arguments(one)
            for leaf in _leaves(one):
                _common_arguments(leaf)

    def run_from_argv(self, argv: list[str]) -> None:
        """Answer an unknown subcommand with the nearest one, before argparse lists them all."""
        word = next((word for word in argv[2:] if not word.startswith("-")), "")
        if word and word not in BY_NAME:
            near = difflib.get_close_matches(word, BY_NAME, n=1)
            words = f"There is no subcommand {word}."
            words += f" Did you mean {near[0]}?" if near else f" There are: {', '.join(BY_NAME)}."
            if "--json" in argv:
                sys.stdout.write(json.dumps({"error": "usage", "message": words}) + "\n")
            sys.stderr.write(words + "\n")
            sys.exit(Exit.USAGE)
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        self.stderr.style_func = None  # words and progress are no errors
        desk = Desk(
            out=self.stdout,
            err=self.stderr,
            style=self.style,
            as_json=options.get("json", False),
            quiet=options["verbosity"] == 0,
            force_colour=options["force_color"],
        )
        code = carry_out({"traceback": False, **options}, desk)
        if code and getattr(self, "_called_from_command_line", False):
            sys.exit(code)
        if code:
            raise CommandError(code.meaning, returncode=code)


def _leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser itself, or the parsers of its own subcommands."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return [leaf for one in action.choices.values() for leaf in _leaves(one)]
    return [parser]


def _common_arguments(parser: argparse.ArgumentParser) -> None:
    """What people type after the subcommand; unset, the value given before it stands."""
    parser.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    parser.add_argument(
        "--traceback",
        action="store_true",
        default=argparse.SUPPRESS,
        help="show where it broke; `show`: the traceback of the run",
    )
    parser.add_argument(
        "-v",
        "--verbosity",
        type=int,
        choices=[0, 1, 2, 3],
        default=argparse.SUPPRESS,
        help="0: say nothing but what was asked for with --json, and errors",
    )
    for option in ("--no-color", "--force-color"):
        parser.add_argument(
            option, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
    for option in ("--settings", "--pythonpath"):
        parser.add_argument(option, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
