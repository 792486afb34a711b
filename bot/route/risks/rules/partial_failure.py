"""When it fails halfway, what it has done stays done.

Outside a transaction (atomic = False, and always on MariaDB and MySQL) a second try meets what the
first one left.

Instead: one operation a migration where there is no transaction.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Deed, StepCase
from bot.route.risks.matters import Matter
from bot.route.risks.reading import Verb, is_write, statements
from bot.route.risks.words import finding

CODE = "partial_failure"
ABOUT = frozenset({Matter.PIECEMEAL})


def look_at_step(step: StepCase) -> Iterator[Finding]:
    if step.step.atomic:
        return
    writing = 0
    may_fail = False
    for case in step.cases:
        if case.facts.deed in (Deed.PYTHON, Deed.UNKNOWN):
            writing, may_fail = writing + 1, True
        for sql in case.facts.all_statements:
            writes = sum(is_write(one) for one in statements(sql))
            # PostgreSQL makes one transaction of one string.
            writing += min(writes, 1) if step.situation.vendor == "postgresql" else writes
        for action in case.facts.actions:
            may_fail |= action.verb is not Verb.HARMLESS and case.may_have_rows(action.table)
    if writing > 1 and (may_fail or not step.step.says_atomic):
        because = "not one transaction"
        if step.step.says_atomic and step.situation.vendor == "mysql":
            because = "no transaction holds DDL on this database"
        yield finding(
            step.cases[0],
            CODE,
            Risk.CAUTION,
            f"{writing} statements, and {because}: if one fails, those before it stay.",
            "One operation a migration.",
        )
