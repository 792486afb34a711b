"""Every row is written in one go.

One UPDATE, DELETE or SELECT … FOR UPDATE without WHERE, or with one that finds what is NULL, locks
every row until the migration commits (about 7.5 µs a row on an idle machine), and writing them
doubles the table on PostgreSQL. How many rows another WHERE finds nobody has counted, unless it
names few of them by `id`.

Instead: batches by primary key, each in a transaction of its own, in a migration with
`atomic = False` or outside of migrations.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.changes import of_old_tables
from bot.route.risks.effects import Lock, Work
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Verb
from bot.route.risks.words import LOCKED, Weight, finding, sized, sized_work, waiting, weight

CODE = "mass_write"
ABOUT = frozenset({Deed.SQL, Work.ROWS})
_OF_ROWS = (Verb.UPDATE, Verb.DELETE, Verb.LOCK_ROWS)


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.work is Work.ROWS:
            if effect.lock >= Lock.SHARE:
                because = waiting(case, effect)
            else:
                does = "Locks" if effect.words == LOCKED else "Writes"
                because = (
                    f"{does} all rows of {sized_work(case, effect)} in one statement; each stays "
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
    yield from _some(case)


def _some(case: Case) -> Iterator[Finding]:
    """An UPDATE or DELETE by hand, of rows that its WHERE finds."""
    if case.facts.deed is not Deed.SQL:
        return
    written = {effect.table for effect in case.effects if effect.work is Work.ROWS}
    for action in of_old_tables(case):
        some = action.verb in _OF_ROWS and action.narrowed
        if some and not action.by_key and action.table not in written:
            does = "Locks" if action.verb is Verb.LOCK_ROWS else "Writes"
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"{does} the rows of {sized(case, action.table)} that its WHERE finds, and "
                "nobody has counted them; each stays locked until the end.",
                "Count them first; batches by primary key if they are many.",
                table=action.table,
            )
