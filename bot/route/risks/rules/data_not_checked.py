"""Whether today's data satisfies what the step demands could not be asked.

A step before it writes these rows first, the table is too large for the time that data checks may
take, the replica is down, or nobody here knows the question. The finding says which.

Instead: look by hand, or give the checks more time (`data_check_seconds`) or a replica
(`data_check_databases`).
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import UNASKED, Answer
from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case
from bot.route.risks.matters import Matter
from bot.route.risks.words import finding

CODE = UNASKED
ABOUT = frozenset({Matter.ANSWERS})


def look(case: Case) -> Iterator[Finding]:
    for one in case.answers:
        if one.answer is Answer.UNKNOWN:
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                one.sentence,
                "Look by hand before it is approved.",
                table=one.check.table,
                evidence=Evidence.NOT_CHECKED,
            )
