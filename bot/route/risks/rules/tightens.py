"""A new rule refuses what was allowed until now.

Rows that break it stop the migration; code that still breaks it fails from then on.

Instead: look for such rows first, and deploy code that keeps the rule before the rule.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.changes import tightened
from bot.route.risks.facts import Case
from bot.route.risks.words import finding

CODE = "tightens"


def look(case: Case) -> Iterator[Finding]:
    for rule in tightened(case):
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"{rule.what} on {rule.table}: rows that break it stop the migration, and writes that "
            "break it fail.",
            "Look for such rows first; deploy code that keeps the rule before it.",
            table=rule.table,
        )
