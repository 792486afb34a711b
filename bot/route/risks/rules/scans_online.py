"""Long work that lets others read and write.

CREATE INDEX CONCURRENTLY and VALIDATE CONSTRAINT on PostgreSQL, and what MariaDB does INPLACE or
NOCOPY, take as long as the table is large, but nobody waits for more than a moment. A concurrent
build that breaks off leaves an INVALID index behind.

Instead: nothing; this is the careful way. Plan for the time, and for one try more.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case, Lock
from bot.route.risks.words import finding, sized

CODE = "scans_online"


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.grows and effect.lock is Lock.ONLINE:
            after = " If it breaks off, an INVALID index stays." if case.facts.concurrently else ""
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Takes longer the larger {sized(case, effect.table)} is; others read and write "
                f"while {effect.words}.{after}",
                table=effect.table,
                evidence=effect.evidence,
            )
