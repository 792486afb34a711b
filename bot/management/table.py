"""The subcommands of ``manage.py migration_bot``, one row each.

To add one: write a module with its two functions, and add its row here. Its help, its parsing,
``--json``, its errors and its exit codes follow; ``docs/operating.md`` must name it, or a test
fails.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.management import (
    audit,
    deciding,
    doctor,
    history,
    planning,
    rehearsing,
    requesting,
    setting_up,
    socket,
    status,
    working,
)
from bot.management.desk import Desk
from bot.management.exits import Exit

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subcommand:
    """``arguments`` declares what it takes; ``run`` does it and says how it ended.

    ``run`` raises ``bot.route.refusals.Refused`` for what is refused. ``long_lived`` ones print
    the warnings of the system checks too, for they are started where somebody reads a log.
    """

    name: str
    summary: str
    arguments: Callable[[ArgumentParser], None]
    run: Callable[[Options, Desk], Exit]
    long_lived: bool = False


SUBCOMMANDS = (
    Subcommand(
        name="setup",
        summary="make or update the bot's own tables, the audit's triggers and the permissions",
        arguments=setting_up.arguments,
        run=setting_up.run,
        long_lived=True,
    ),
    Subcommand(
        name="worker",
        summary="run what one machine needs: the queues and the clock",
        arguments=working.arguments,
        run=working.run,
        long_lived=True,
    ),
    Subcommand(
        name="socket",
        summary="take Slack's requests over Socket Mode, where Slack cannot reach the site",
        arguments=socket.arguments,
        run=socket.run,
        long_lived=True,
    ),
    Subcommand(
        name="doctor",
        summary="check everything the bot needs, and say what to do where it is missing",
        arguments=doctor.arguments,
        run=doctor.run,
    ),
    Subcommand(
        name="plan",
        summary="show what would run, in order, without running any of it",
        arguments=planning.arguments,
        run=planning.run,
    ),
    Subcommand(
        name="rehearse",
        summary="carry a plan out on a scratch database, and show what was measured there",
        arguments=rehearsing.arguments,
        run=rehearsing.run,
    ),
    Subcommand(
        name="status",
        summary="show what is pending, what is under way, and how the bot is",
        arguments=status.arguments,
        run=status.run,
    ),
    Subcommand(
        name="request",
        summary="plan, and ask for that plan to be run",
        arguments=requesting.arguments,
        run=requesting.run,
    ),
    Subcommand(
        name="approve",
        summary="approve a run that somebody else asked for",
        arguments=deciding.approve_arguments,
        run=deciding.approve,
    ),
    Subcommand(
        name="reject",
        summary="reject a run, with a reason",
        arguments=deciding.arguments_for(reason_needed=True),
        run=deciding.reject,
    ),
    Subcommand(
        name="cancel",
        summary="take back a run that has not begun",
        arguments=deciding.arguments_for(reason_needed=False),
        run=deciding.cancel,
    ),
    Subcommand(
        name="history",
        summary="list runs, the newest first",
        arguments=history.history_arguments,
        run=history.history,
    ),
    Subcommand(
        name="show",
        summary="show one run and all that became of it",
        arguments=history.show_arguments,
        run=history.show,
    ),
    Subcommand(
        name="audit",
        summary="verify, export or list the audit",
        arguments=audit.arguments,
        run=audit.run,
    ),
)

BY_NAME = {row.name: row for row in SUBCOMMANDS}
