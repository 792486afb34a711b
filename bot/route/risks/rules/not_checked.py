"""Nobody has examined this operation.

An operation of somebody's own, one that could not be previewed, or a database that the rules do not
know. Unknown is never safe.

Instead: `migration_bot_preview = True` on an operation's class that uses the schema editor alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.matters import Matter
from bot.route.risks.vendors import is_known
from bot.route.risks.words import finding

CODE = "not_checked"
ABOUT = frozenset({Deed.UNKNOWN, Matter.STRANGER})


def look(case: Case) -> Iterator[Finding]:
    facts = case.facts
    because = ""
    if facts.deed is Deed.UNKNOWN:
        because = facts.note or f"What {facts.kind} does is not known."
    elif not is_known(case.situation.vendor) and facts.deed is not Deed.NOTHING:
        because = f"No rule knows {case.situation.vendor}."
    if because:
        yield finding(
            case, CODE, Risk.CAUTION, f"Not checked: {because}", evidence=Evidence.NOT_CHECKED
        )
