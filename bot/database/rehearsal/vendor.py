"""What a rehearsal needs of a database: a scratch one, and to see what a statement does there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bot.route.risks.effects import Effect

Schema = Mapping[str, str]
"""A schema to compare: what there is (``table shop_order column total``), and how it is made."""


class NotRehearsed(Exception):
    """Nothing can be measured. Its text is a sentence: what is missing, and what to do about it."""


def nowhere(folder: Path, error: OSError) -> NotRehearsed:
    """Nothing can be made in the folder for temporary files."""
    return NotRehearsed(
        f"No scratch file can be made in {folder} ({error.strerror}). Let the worker write there,"
        " or set TMPDIR to a folder where it may."
    )


class OutOfBounds(NotRehearsed):
    """A statement is not run: it would reach further than the scratch database."""


class TimeIsUp(Exception):
    """The rehearsal has taken as long as it may."""


class Deadline:
    """A moment at which a rehearsal is given up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def check(self) -> None:
        """Raise TimeIsUp when there is none left."""
        if not self.left:
            raise TimeIsUp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What one statement did. ``blind``: it ran, and nobody could see what it held meanwhile."""

    result: Any
    effects: tuple[Effect, ...] = ()
    milliseconds: int = 0
    blind: bool = False


class Meter(Protocol):
    """Measures statements on the scratch database's connection."""

    def begin(self) -> None:
        """The plan begins: the tables that are there now are those whose effects count."""

    def measure(self, send: Callable[[], Any], sql: str) -> Measured:
        """Send a statement and see what it does. Raises what ``send`` raises.

        ``send`` sends it on the connection, inside a transaction or not, as it would be without
        us. Tables are named as they were called when the plan began.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Where the schema came from, in words (``pg_dump of the target's schema``), and what is to be
    said of it."""

    schema_from: str
    notes: tuple[str, ...] = ()


class Scratch(Protocol):
    """An empty scratch database. ``connection`` has the target's alias, and leads here; ``where``
    is in words (``a throwaway PostgreSQL 15.19 cluster``), ``notes`` say how it is unlike."""

    connection: Any
    where: str
    notes: tuple[str, ...]

    def copy_schema(self, target: Any) -> Loaded | str:
        """Load the schema of ``target``, a read-only connection, and nothing but the schema.

        A text says why that cannot be done here: then the tables are made from Django's models.
        The scratch database is empty again then.
        """

    def prepare(self, target: Any) -> tuple[str, ...]:
        """Before tables are made from Django's models: what they need that is no table
        (extensions, a schema). Returns notes."""

    def shut(self) -> None:
        """The schema is there: from now on no statement reaches further than this database, as
        far as that can be had. One that would raises OutOfBounds, or the database refuses it."""

    def meter(self) -> Meter:
        """A new meter for the connection."""

    def schema(self) -> Schema:
        """The schema as it is now, django_migrations' rows left out."""

    def empty(self, tables: Iterable[str]) -> None:
        """Take every row out of these tables, and out of those that refer to them."""

    def limit(self, seconds: float) -> None:
        """From now on a statement is broken off after so long."""


class Vendor(Protocol):
    """One kind of database."""

    def scratch(self, target: Any, deadline: Deadline) -> AbstractContextManager[Scratch]:
        """An empty scratch database, gone at the end. ``target`` is the alias's own connection,
        which is read at most. Raises NotRehearsed."""

    def sweep(self) -> tuple[str, ...]:
        """Remove what rehearsals left behind that were killed; the names of what was removed."""
