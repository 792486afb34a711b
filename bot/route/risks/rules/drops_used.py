"""The running release still uses what is dropped.

Between the migration and the deploy of the new code, every query of the old code that names the
table or the column fails; Django names every column of a model.

Instead: take the field or model out of Django's state first (`SeparateDatabaseAndState`), deploy,
and drop it a release later. A column that is NOT NULL needs null=True before that.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.changes import dropped
from bot.route.risks.facts import Case
from bot.route.risks.words import finding

CODE = "drops_used"
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
        what = f"column {gone.column} of {gone.table}" if gone.column else f"table {gone.table}"
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"Drops the {what}: a running release that still knows it fails.",
            _FIELD if gone.column else _TABLE,
            table=gone.table,
        )
