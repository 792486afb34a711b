"""What a statement does to a table: the lock it holds, and the work it does under it.

``vendors`` predict them from a plan. A rehearsal makes the same values from what it has measured,
and the rules need not know the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from bot.route.findings import Evidence


class Lock(IntEnum):
    """How much a lock keeps others from: names and order are PostgreSQL's, others are likened."""

    NONE = 0
    ROWS = 1
    """ROW EXCLUSIVE: rows that are written are locked."""
    ONLINE = 2
    """SHARE UPDATE EXCLUSIVE: others read and write."""
    SHARE = 3
    """SHARE: others read."""
    SHARE_ROW = 4
    """SHARE ROW EXCLUSIVE: others read."""
    ALL = 5
    """ACCESS EXCLUSIVE: others wait."""


class Work(StrEnum):
    """What takes longer the more rows there are."""

    NONE = "none"
    SCAN = "scan"
    INDEX = "index"
    REWRITE = "rewrite"
    ROWS = "rows"
    """Every row is written (UPDATE, DELETE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one statement does to one table: the lock it holds, and the work it does under it."""

    table: str
    lock: Lock
    work: Work = Work.NONE
    words: str = ""
    """What goes on meanwhile: ``its rows are checked``."""
    evidence: Evidence = Evidence.PREDICTED
    over: str = ""
    """The table whose rows make the work, where it is another: a parent waits for its child."""

    raised: bool = False
    """Whether the lock is so strong because of an earlier operation of the same transaction."""

    @property
    def measure(self) -> str:
        """The table whose size says how long it takes."""
        return self.over or self.table

    @property
    def grows(self) -> bool:
        """Whether it takes longer the more rows there are."""
        return self.work is not Work.NONE
