"""From a parsed command line to an exit code: the outermost edge of every subcommand."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from django.core.checks import run_checks
from django.db import Error as DatabaseError

from bot.checks import TAG
from bot.conf import get_settings
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.setting_up import own_tables_pending
from bot.management.table import BY_NAME
from bot.operations.changing import is_setup_missing
from bot.route.refusals import DatabaseDown, Refused, SetupNeeded
from bot.route.visible import visible

logger = logging.getLogger("migration_bot")


def carry_out(options: Mapping[str, Any], desk: Desk) -> Exit:
    """Do what was asked for; every way it can end is an exit code with its words."""
    row = BY_NAME[options["subcommand"]]
    # What a migration prints while it is loaded must not stand in the middle of a document.
    away = contextlib.redirect_stdout(sys.stderr) if desk.as_json else contextlib.nullcontext()
    try:
        with away:
            if not _configured(desk, warnings=row.long_lived):
                return Exit.REFUSED
            return row.run(options, desk)
    except Refused as refused:
        return _refused(refused, desk)
    except DatabaseError as error:
        told = _as_refusal(error)
        return _refused(told, desk) if told else _broke(error, desk, options)
    except KeyboardInterrupt:
        desk.say("\nStopped.")
        return Exit.STOPPED
    except BrokenPipeError:
        # Whoever read us has gone (`| head`); what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except Exception as error:  # noqa: BLE001 - the outermost edge: told with a reference, logged
        return _broke(error, desk, options)


def _configured(desk: Desk, *, warnings: bool) -> bool:
    """Whether the bot's own system checks find no error; what they find is said."""
    found = [message for message in run_checks(tags=[TAG]) if not message.is_silenced()]
    errors = [message for message in found if message.is_serious()]
    if desk.as_json and errors:
        words = " ".join(f"{message.msg} {message.hint or ''}".strip() for message in errors)
        desk.document({"error": "misconfigured", "message": words})
    for message in found:
        words = f"{message.id}: {message.msg}\n    {message.hint or ''}".rstrip()
        if message in errors:
            desk.err.write(words)
        elif warnings:
            desk.say(words)
    return not errors


def _as_refusal(error: DatabaseError) -> Refused | None:
    """What is wrong with the state database, where reading it failed in a way we know."""
    if is_setup_missing(error):
        return SetupNeeded()
    alias = get_settings().state_database
    try:
        # A server's words for a missing column do not always name the table.
        return SetupNeeded() if own_tables_pending(alias) else None
    except Refused as refused:
        return refused
    except DatabaseError:
        words = " ".join(str(error).split()).rstrip(".")
        return DatabaseDown(database=alias, detail=words)


def _refused(refused: Refused, desk: Desk) -> Exit:
    if desk.as_json:
        desk.document({"error": refused.code, "message": refused.sentence})
    else:
        desk.err.write(visible(refused.sentence))
    return Exit.REFUSED


def _broke(error: Exception, desk: Desk, options: Mapping[str, Any]) -> Exit:
    reference = secrets.token_hex(4)
    words = f"Something broke; its reference is {reference}. --traceback shows where."
    if options["traceback"]:
        # Not through logging as well: a log's handlers may print it a second time.
        desk.err.write("".join(traceback.format_exception(error)))
    else:
        logger.error("reference %s: %s", reference, error, exc_info=error)
    if desk.as_json:
        desk.document({"error": "broken", "message": words})
    else:
        desk.err.write(words)
    return Exit.REFUSED
