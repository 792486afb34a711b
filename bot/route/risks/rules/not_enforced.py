"""The database silently makes nothing of a rule.

MariaDB and MySQL have no conditional indexes, and Django then sends no SQL at all; the same goes
for deferrable, NULLS DISTINCT and covering unique constraints where the database lacks them.

Instead: a rule this database knows, or a check in the application that everybody knows to be the
only one.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "not_enforced"
ABOUT = frozenset({Deed.ADD_INDEX, Deed.ADD_RULE, Deed.CREATE_TABLE})


def look(case: Case) -> Iterator[Finding]:
    if case.facts.deed not in (Deed.ADD_RULE, Deed.ADD_INDEX, Deed.CREATE_TABLE):
        return
    for rule in case.facts.rules:
        if not rule.enforced:
            why = f": {rule.why_not}" if rule.why_not else ""
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"{rule.name} on {case.facts.table} is not made, and nothing says so{why}.",
                "A rule that this database has, or the knowledge that there is none.",
                evidence=Evidence.MEASURED if _sent_nothing(case) else Evidence.PREDICTED,
            )


def _sent_nothing(case: Case) -> bool:
    """Whether the operation ran to its end in a rehearsal and no statement was sent for it."""
    rehearsed = case.rehearsed
    if rehearsed is None or rehearsed.blind or not rehearsed.complete:
        return False
    return all(one.operation != case.facts.place for one in rehearsed.measured)
