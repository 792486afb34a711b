"""Every row is written in one go.

One UPDATE or DELETE without WHERE, or the one with which Django fills NULLs, locks every row until
the migration commits (about 7.5 µs a row on an idle machine), and doubles the table on PostgreSQL.

Instead: batches by primary key, each in a transaction of its own, in a migration with
`atomic = False` or outside of migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case, Lock, Work
from bot.route.risks.words import Weight, finding, sized, waiting, weight

CODE = "mass_write"


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.work is Work.ROWS:
            if effect.lock >= Lock.SHARE:
                because = waiting(case, effect)
            else:
                because = (
                    f"Writes all rows of {sized(case, effect.table)} in one statement; each stays "
                    "locked until the end."
                )
            small = weight(case.size(effect.table)) is Weight.SMALL
            yield finding(
                case,
                CODE,
                Risk.CAUTION if small else Risk.DANGEROUS,
                because,
                "Batches by primary key in a migration of their own with atomic = False.",
                table=effect.table,
                evidence=effect.evidence,
            )
