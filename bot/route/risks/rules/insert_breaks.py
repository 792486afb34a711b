"""The running release cannot insert any more: a value is demanded that it does not send.

Django keeps a Python default to itself and drops it from the column again. The old code does not
name a column that it does not know, and the database has nothing to put there. A column that
becomes NOT NULL refuses the NULL that the old code still writes.

Instead: `db_default`, or null=True until the old release is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import Outcome
from bot.route.risks.changes import demanded
from bot.route.risks.facts import Case, Deed
from bot.route.risks.tried import tried
from bot.route.risks.words import finding

CODE = "insert_breaks"
ABOUT = frozenset({Deed.ADD_COLUMN, Deed.ALTER_COLUMN, Deed.SQL})


def look(case: Case) -> Iterator[Finding]:
    for one in demanded(case):
        word = tried(case, one.table, Does.INSERT)
        if word.outcome is Outcome.WORKS:
            continue
        if one.to == "set":
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"{one.table}.{one.column} becomes NOT NULL: a running release that still writes "
                "NULL fails.",
                "Deploy code that always writes a value first.",
                table=one.table,
                evidence=word.evidence,
            )
        else:
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"{one.table}.{one.column} is NOT NULL without a default in the database: INSERT "
                "by the running release fails.",
                "Give the field db_default=... (Django 5.0 and later), or null=True for now.",
                table=one.table,
                evidence=word.evidence,
            )
