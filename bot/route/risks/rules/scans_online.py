"""Long work that lets others read and write.

CREATE INDEX CONCURRENTLY and VALIDATE CONSTRAINT on PostgreSQL, rows that are copied into another
table there, and what MariaDB does INPLACE or NOCOPY, take as long as the table is large, but nobody
waits for more than a moment. A concurrent build that breaks off leaves an INVALID index behind.

Instead: nothing; this is the careful way. Plan for the time, and for one try more.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.effects import Lock, Work
from bot.route.risks.facts import Case
from bot.route.risks.words import finding, sized_work

CODE = "scans_online"
ABOUT = frozenset({Work.INDEX, Work.REWRITE, Work.SCAN})


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        reads = effect.grows and effect.work is not Work.ROWS
        if reads and effect.lock in (Lock.NONE, Lock.ONLINE):
            after = " If it breaks off, an INVALID index stays." if case.facts.concurrently else ""
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Takes longer the larger {sized_work(case, effect)} is; others read and write "
                f"while {effect.words}.{after}",
                table=effect.table,
                evidence=effect.evidence,
            )
