"""``setup``: the bot's own tables, the audit's triggers, the permissions. It moves nothing else.

Made to be run at every release, by every machine at once: whoever comes second waits, and finds
that there is nothing left to do. Where nothing is missing it takes no lock and writes nothing.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import Error as DatabaseError
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor

from bot import triggers
from bot.conf import OWN_LABELS, get_settings
from bot.database.lock import DatabaseLock
from bot.database.osuser import os_user, place
from bot.database.targets import connect
from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.management.history import positive
from bot.management.noting import note_on_targets
from bot.management.permitting import Permissions, make_permissions
from bot.route.refusals import LockHeld, SetupFailed

LOOK_EVERY = 0.5
"""Seconds between two tries for the lock."""

_TRIGGER_REMEDY = (
    "Give the database's user the right to create triggers on the bot's tables (MySQL and MariaDB: "
    "TRIGGER, and SUPER or log_bin_trust_function_creators with the binary log), "
    'or set "audit_triggers" to False.'
)
_TABLE_REMEDY = (
    "Give the database's user the right to create tables there, or mend what the error names, and "
    "run it again: what was done stays, the rest follows."
)


def arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--timeout",
        type=positive,
        default=120,
        metavar="SECONDS",
        help="wait for at most so long for whoever migrates the state database now (120)",
    )


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    alias = get_settings().state_database
    applied: list[str] = []
    made: tuple[str, ...] = ()
    if own_tables_pending(alias) or _missing_triggers(alias):
        with _locked(alias, desk, timeout=options["timeout"]):
            # Somebody else may have done it while this one waited.
            applied = _migrate(alias, desk)
            made = _make_triggers(alias)
    permissions = make_permissions()
    noted = note_on_targets()
    if desk.as_json:
        desk.document(
            {
                "database": alias,
                "applied": applied,
                "triggers": _trigger_state(alias, made),
                "permissions": permissions.to_json(),
                "noted": noted,
            }
        )
    else:
        _tell(alias, applied, made, permissions, desk)
    return Exit.FINE


def _plan(executor: MigrationExecutor) -> list[tuple[Any, bool]]:
    """What of the bot's own apps is not applied. Refuses to move any other app along."""
    leaves = [key for key in executor.loader.graph.leaf_nodes() if key[0] in OWN_LABELS]
    plan = executor.migration_plan(leaves)
    for migration, _ in plan:
        if migration.app_label not in OWN_LABELS:
            raise SetupFailed(
                database=executor.connection.alias,
                error=f"they would take {migration.app_label}.{migration.name} along",
                remedy=f"Apply it first: manage.py migrate {migration.app_label}.",
            )
    return plan


def own_tables_pending(alias: str) -> bool:
    """Whether the bot's own tables on the state database are missing or old.

    Raises DatabaseDown, and SetupFailed where other apps would have to be moved along.
    """
    connect(connections[alias])
    return bool(_plan(MigrationExecutor(connections[alias])))


def _missing_triggers(alias: str) -> tuple[str, ...]:
    """The triggers that are wanted and not there. Before the table is there, there are none."""
    return triggers.missing(connections[alias]) if triggers.wanted() else ()


@contextmanager
def _locked(alias: str, desk: Desk, *, timeout: float) -> Iterator[None]:
    """The lock that runs take too: old code must not be writing while its tables change."""
    lock = DatabaseLock(alias, holder=f"migration_bot setup by {os_user()} {place()}")
    until = desk.clock() + timeout
    waiting = False
    while True:
        try:
            lock.take()
            break
        except LockHeld as held:
            if desk.clock() >= until:
                raise
            if not waiting:
                desk.say(f"{alias} is being migrated by {held.facts['holder']}; waiting for it.")
                waiting = True
            desk.sleep(LOOK_EVERY)
    try:
        yield
    finally:
        lock.release()


def _migrate(alias: str, desk: Desk) -> list[str]:
    """Apply what is pending of the bot's own, without migrate's signals: nobody else is moved."""
    executor = MigrationExecutor(connections[alias])
    plan = _plan(executor)
    done: list[str] = []

    with desk.progress("setting up") as progress:

        def told(action: str, migration: Any = None, fake: bool = False, /) -> None:
            if action == "apply_start":
                progress.update(len(done), len(plan), f"{migration.app_label}.{migration.name}")
            elif action == "apply_success":
                done.append(f"{migration.app_label}.{migration.name}")

        executor.progress_callback = told  # type: ignore[assignment]  # the stub wants a protocol
        try:
            if plan:
                targets = [(migration.app_label, migration.name) for migration, _ in plan]
                executor.migrate(targets, plan=plan)
        except DatabaseError as error:
            remedy = _TRIGGER_REMEDY if "trigger" in str(error).lower() else _TABLE_REMEDY
            raise SetupFailed(database=alias, error=_words(error), remedy=remedy) from error
    return done


def _make_triggers(alias: str) -> tuple[str, ...]:
    """Make what is missing; the names of what was made."""
    missing = _missing_triggers(alias)
    if not missing:
        return ()
    try:
        with transaction.atomic(using=alias):
            triggers.make_triggers(connections[alias])
    except DatabaseError as error:
        raise SetupFailed(database=alias, error=_words(error), remedy=_TRIGGER_REMEDY) from error
    return missing


def _trigger_state(alias: str, made: tuple[str, ...]) -> str:
    if not triggers.wanted():
        return "off"
    return "made" if made else "present"


def _tell(
    alias: str, applied: list[str], made: tuple[str, ...], permissions: Permissions, desk: Desk
) -> None:
    labels = [label for label in OWN_LABELS if apps.is_installed(_app_name(label))]
    if applied:
        desk.write(f"Own tables on {alias}: applied {len(applied)} migrations of {_and(labels)}.")
    else:
        desk.write(f"Own tables on {alias}: up to date.")
    words = {
        "off": 'not wanted by the setting "audit_triggers"',
        "made": f"made {_and(list(made))}",
        "present": "in place",
    }
    desk.write(f"Triggers of the audit: {words[_trigger_state(alias, made)]}.")
    desk.write("\n".join(desk.wrapped(permissions.words, indent="    ", first="")))


def _app_name(label: str) -> str:
    return next((config.name for config in apps.get_app_configs() if config.label == label), label)


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _words(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
