"""CONCURRENTLY does not work inside a transaction.

Django and PostgreSQL refuse it there: the migration fails.

Instead: `atomic = False` on the migration, and nothing else in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case
from bot.route.risks.reading import actions
from bot.route.risks.words import finding

CODE = "concurrent_in_atomic"


def look(case: Case) -> Iterator[Finding]:
    concurrently = case.facts.concurrently or any(
        action.concurrently for sql in case.facts.all_statements for action in actions(sql)
    )
    if concurrently and case.step.atomic:
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            "CONCURRENTLY inside a transaction: it fails.",
            "atomic = False on the migration, with this operation alone in it.",
        )
