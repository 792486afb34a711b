"""SQL that the rules cannot read.

A statement of RunSQL that is none of those the rules know: a DO block, a function, a trigger.

Instead: Django's own operations where there is one; else let somebody who knows it read it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Verb, actions
from bot.route.risks.words import finding

CODE = "opaque_sql"


def look(case: Case) -> Iterator[Finding]:
    for sql in case.facts.all_statements:
        unknown = [action for action in actions(sql) if action.verb is Verb.UNKNOWN]
        if unknown:
            who = "SQL" if case.facts.deed is Deed.SQL else "A statement"
            words = " ".join(unknown[0].rest.split()[:4]).upper() or "?"
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"{who} that no rule can read: {words[:60]} ...",
                "Have it read by somebody who knows what it locks.",
                evidence=Evidence.NOT_CHECKED,
            )
            return
