"""SQL that the rules cannot read.

A statement of RunSQL that is none of those the rules know: a DO block, a function, a trigger.

Instead: Django's own operations where there is one; else let somebody who knows it read it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Action, Verb
from bot.route.risks.words import finding

CODE = "opaque_sql"


def look(case: Case) -> Iterator[Finding]:
    unknown = [action for action in case.facts.actions if not _is_known(action, case)]
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


_POSTGRESQLS = (Verb.TUNE, Verb.REWRITE, Verb.REINDEX, Verb.VACUUM, Verb.ATTACH)


def _is_known(action: Action, case: Case) -> bool:
    if action.verb in _POSTGRESQLS:
        return case.situation.vendor == "postgresql"
    if action.verb is Verb.CHECK_DOMAIN:
        return action.name in case.situation.known.domain_tables
    if action.verb is Verb.DROP_INDEX and case.situation.vendor == "postgresql":
        of_table = action.table or case.facts.table or action.concurrently
        return bool(of_table) or action.name in case.situation.known.index_tables
    if action.verb is Verb.DROP_ALL_OF:
        return False  # Functions and indexes go too, and nobody has asked who needs them.
    return action.verb is not Verb.UNKNOWN
