"""SQLite: a scratch file in a temporary folder of its own, far from the target's file.

The connection may open no other file (ATTACH, VACUUM INTO), so whatever a migration sends, the
target's file is out of its reach.
"""

from __future__ import annotations

import copy
import logging
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.database.rehearsal.leftovers import is_left_behind
from bot.database.rehearsal.names import new_name
from bot.database.rehearsal.opening import closed_at_end, connection_like
from bot.database.rehearsal.sqlite_meter import SQLiteMeter
from bot.database.rehearsal.sqlite_rows import empty_tables
from bot.database.rehearsal.sqlite_schema import WORDS, copy_definitions, read_schema
from bot.database.rehearsal.vendor import (
    Deadline,
    Loaded,
    Meter,
    NotRehearsed,
    Schema,
    nowhere,
)

logger = logging.getLogger(__name__)

SUFFIX = ".sqlite"
"""Folders of ours end so, to be told from those of throwaway clusters."""
FILE = "scratch.sqlite3"
_STEPS = 10_000
"""SQLite's virtual machine instructions between two looks at the clock."""
_OURS_ALONE = ("", ":memory:")
"""What VACUUM attaches while it works: no file of anybody else's."""


class SQLite:
    """See ``bot.database.rehearsal.vendor.Vendor``."""

    @contextmanager
    def scratch(self, target: Any, deadline: Deadline) -> Iterator[SQLiteScratch]:
        sweep()
        with (
            _folder() as folder,
            closed_at_end(stand_in(target, folder / FILE, deadline)) as connection,
        ):
            yield SQLiteScratch(connection, deadline)

    def sweep(self) -> tuple[str, ...]:
        return sweep()


@contextmanager
def _folder() -> Iterator[Path]:
    """A new folder that only this user can enter, gone at the end. Raises NotRehearsed."""
    folder = Path(tempfile.gettempdir()) / f"{new_name()}{SUFFIX}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise nowhere(folder.parent, error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> tuple[str, ...]:
    """Remove the folders that killed rehearsals of this user left; their names."""
    gone = []
    for folder in Path(tempfile.gettempdir()).glob(f"*{SUFFIX}"):
        if not is_left_behind(folder.name.removesuffix(SUFFIX)):
            continue
        try:
            is_ours = not folder.is_symlink() and folder.stat().st_uid == os.geteuid()
            if is_ours:
                shutil.rmtree(folder)
                gone.append(folder.name)
        except FileNotFoundError:
            continue  # Another process sweeps at the same time.
        except OSError as error:
            logger.warning("the scratch folder %s could not be removed: %s", folder.name, error)
    return tuple(gone)


def stand_in(target: Any, file: Path, deadline: Deadline) -> Any:
    """A connection with the target's alias and ways, to the scratch file."""
    own = copy.deepcopy(target.settings_dict)
    if "attach" in str(own["OPTIONS"].get("init_command", "")).lower():
        raise NotRehearsed(
            "The init_command of this database attaches another file, which a rehearsal would"
            " write to. Attach it elsewhere than in OPTIONS."
        )
    own["OPTIONS"].pop("database", None)
    connection = connection_like(target, {**own, "NAME": str(file)})
    connect = connection.get_new_connection

    def get_new_connection(parameters: Any) -> Any:
        raw = connect(parameters)
        # Nothing of it has to outlive a power cut.
        raw.execute("PRAGMA synchronous = OFF")
        raw.set_authorizer(_no_other_file)
        raw.set_progress_handler(lambda: not deadline.left, _STEPS)
        return raw

    connection.get_new_connection = get_new_connection
    return connection


def _no_other_file(action: int, first: str | None, *rest: str | None) -> int:
    if action == sqlite3.SQLITE_ATTACH and first not in _OURS_ALONE:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


class SQLiteScratch:
    """See ``bot.database.rehearsal.vendor.Scratch``."""

    def __init__(self, connection: Any, deadline: Deadline) -> None:
        self.connection = connection
        self.where = f"a scratch file (SQLite {sqlite3.sqlite_version})"
        self.notes: tuple[str, ...] = ()
        self._deadline = deadline

    def copy_schema(self, target: Any) -> Loaded | str:
        self.connection.ensure_connection()
        notes = copy_definitions(target, self.connection.connection)
        return Loaded(schema_from=WORDS, notes=notes)

    def prepare(self, target: Any) -> tuple[str, ...]:
        return ()

    def shut(self) -> None:
        """It can open no other file, whatever is sent."""

    def meter(self) -> Meter:
        return SQLiteMeter(self.connection, self._deadline)

    def schema(self) -> Schema:
        self.connection.ensure_connection()
        return read_schema(self.connection.connection)

    def empty(self, tables: Iterable[str]) -> None:
        self.connection.ensure_connection()
        empty_tables(self.connection.connection, tables)

    def limit(self, seconds: float) -> None:
        """The deadline is looked at while a statement runs, whatever its own limit."""
