"""What a step that was cut off has left, told from what the database's catalogue shows.

An operation is expected to change things: a table, a column, an index. Each thing has a look before
and after the operation; what the catalogue shows of it now is like the one, like the other, like
both or like neither, and that is all that is said. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Look = Mapping[str, str] | None
"""How a thing is: its aspects, each a text; None when it is not there.

An aspect whose name begins with ``~`` is known to the code and not shown by a catalogue.
"""

UNSEEN = "~"
MUST_AGREE = frozenset({"null", "default", "valid"})
"""Aspects that have to be as the code says, also where the operation does not change them: Django
sets some on the way and takes them away again. A type is only compared where it changes, since one
type has many names."""


class Kind(StrEnum):
    """What stands in a catalogue."""

    TABLE = "table"
    COPY = "copy"
    COLUMN = "column"
    INDEX = "index"
    """By its name, where the code gives it one."""
    AUTO_INDEX = "auto_index"
    """By its columns: Django makes up the names of what a field asks for."""
    LIKE_INDEX = "like_index"
    KEY_INDEX = "key_index"
    """That MySQL makes for a foreign key, or has for it: whatever index begins with its column."""
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN_KEY = "foreign_key"
    CONSTRAINT = "constraint"
    EXTENSION = "extension"
    COLLATION = "collation"


_WORDS = {
    Kind.TABLE: "table {table}",
    Kind.COPY: "table {table}, a copy that SQLite makes on the way,",
    Kind.COLUMN: "column {name} of {table}",
    Kind.INDEX: "index {name}",
    Kind.AUTO_INDEX: "an index on {name} of {table}",
    Kind.LIKE_INDEX: "an index for LIKE on {name} of {table}",
    Kind.KEY_INDEX: "an index that begins with {name} of {table}",
    Kind.UNIQUE: "the uniqueness of {name} in {table}",
    Kind.CHECK: "the check of {name} in {table}",
    Kind.FOREIGN_KEY: "the foreign key of {name} in {table}",
    Kind.CONSTRAINT: "constraint {name}",
    Kind.EXTENSION: "extension {name}",
    Kind.COLLATION: "collation {name}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing of a catalogue. ``name`` is a name or, of what has none, ``column, column``."""

    kind: Kind
    table: str = ""
    name: str = ""

    def __str__(self) -> str:
        return _WORDS[self.kind].format(table=self.table, name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A thing before and after one operation; the same, where the operation should leave it."""

    thing: Thing
    before: Look
    after: Look

    @property
    def is_one(self) -> bool:
        """Whether the operation changes it."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An operation in the order of running, in words, and what it changes.

    ``hidden`` says why its effect does not show in a catalogue; ``idle`` that it has none.
    """

    words: str
    changes: tuple[Change, ...] = ()
    hidden: str = ""
    idle: bool = False


class Shown(StrEnum):
    """What the catalogue shows of an operation. Shown to people as it stands."""

    DONE = "done"
    NOT_DONE = "not done"
    HALF = "half done"
    UNTOLD = "cannot be told"
    NOTHING = "nothing to do"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One operation and what is shown of it.

    ``invalid`` are indexes that are of no use; ``once_dropped`` is what will be shown of the
    operation when they are gone, where they are all that is wrong with it.
    """

    words: str
    shown: Shown
    because: str = ""
    invalid: tuple[str, ...] = ()
    once_dropped: Shown | None = None

    @property
    def line(self) -> str:
        return f"{self.shown}: {self.words}{f' ({self.because})' if self.because else ''}"


class Left(StrEnum):
    """What is left of a whole step."""

    NOTHING = "nothing"
    ALL = "all"
    PART = "part"
    UNTOLD = "untold"
