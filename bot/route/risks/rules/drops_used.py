"""The running release still uses what is dropped.

Between the migration and the deploy of the new code, every query of the old code that names the
table or the column fails; Django names every column of a model. A table that left Django's state
before is told of too: SQL of the project's own may still name it, and nobody here can see that.

Instead: take the field or model out of Django's state first (`SeparateDatabaseAndState`), deploy,
and drop it a release later. A column that is NOT NULL needs null=True before that.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import Outcome
from bot.route.risks.changes import dropped
from bot.route.risks.facts import Case, Deed
from bot.route.risks.tried import tried
from bot.route.risks.words import finding

CODE = "drops_used"
ABOUT = frozenset({Deed.DROP_COLUMN, Deed.DROP_TABLE, Deed.SQL})
_FIELD = (
    "One release earlier: make it null=True and remove it with "
    "SeparateDatabaseAndState(state_operations=[RemoveField(...)]); drop the column now."
)
_TABLE = (
    "One release earlier: SeparateDatabaseAndState(state_operations=[DeleteModel(...)]); drop the "
    "table now."
)


def look(case: Case) -> Iterator[Finding]:
    for gone in dropped(case):
        if "." in gone.table:
            continue  # Django's models look for tables where no schema is named.
        word = tried(case, gone.table, Does.SELECT)
        if word.outcome is Outcome.WORKS:
            continue
        what = f"{'view' if gone.is_view else 'table'} {gone.table}"
        if gone.column:
            what = f"column {gone.column} of {gone.table}"
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"Drops the {what}: a running release that still knows it fails.",
            _FIELD if gone.column else _TABLE,
            table=gone.table,
            evidence=word.evidence,
        )
