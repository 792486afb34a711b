"""CONCURRENTLY does not work inside a transaction.

Django and PostgreSQL refuse it there: the migration fails. PostgreSQL makes a transaction of
several statements that it is sent as one string too.

Instead: `atomic = False` on the migration, and nothing else in it; a list of statements in RunSQL.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case
from bot.route.risks.matters import Matter
from bot.route.risks.reading import Verb, actions
from bot.route.risks.words import finding

CODE = "concurrent_in_atomic"
ABOUT = frozenset({Matter.CONCURRENTLY})


def look(case: Case) -> Iterator[Finding]:
    texts = case.facts.all_statements
    concurrently = case.facts.concurrently or any(map(_runs_alone, texts))
    if concurrently and case.step.atomic:
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            "CONCURRENTLY inside a transaction: it fails.",
            "atomic = False on the migration, with this operation alone in it.",
        )
    elif case.situation.vendor == "postgresql" and any(map(_is_beside_others, texts)):
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            "CONCURRENTLY in one string with another statement, which makes a transaction: it "
            "fails.",
            "A list of statements in RunSQL, which are sent one by one.",
        )


def _runs_alone(sql: str) -> bool:
    """Whether a statement needs to be alone. REFRESH … CONCURRENTLY may be in a transaction."""
    return any(one.concurrently and one.verb is not Verb.REFRESH for one in actions(sql))


def _is_beside_others(sql: str) -> bool:
    return len(actions(sql)) > 1 and _runs_alone(sql)
