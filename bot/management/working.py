"""``worker``: everything one machine needs, until it is told to stop."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from bot.management.desk import Desk
from bot.management.exits import Exit


def arguments(parser: ArgumentParser) -> None:
    """It takes none: the settings say which queues and which engine."""


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    from bot.worker import supervise  # which loads the engine: other subcommands need none

    supervise(say=desk.say)
    if desk.as_json:
        desk.document({"stopped": True})
    return Exit.FINE
