"""The name is longer than the database takes.

PostgreSQL cuts it to 63 bytes without an error, so two may become one; MariaDB and MySQL refuse
more than 64.

Instead: a shorter `name=`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "name_too_long"
ABOUT = frozenset({Deed.ADD_INDEX, Deed.ADD_RULE, Deed.CREATE_TABLE, Deed.RENAME_INDEX})


def look(case: Case) -> Iterator[Finding]:
    limit = case.situation.name_limit
    if limit is None or case.facts.deed not in ABOUT:
        return
    for rule in case.facts.rules:
        if len(rule.name.encode()) > limit and rule.enforced:
            cut = case.situation.vendor == "postgresql"
            yield finding(
                case,
                CODE,
                Risk.CAUTION if cut else Risk.DANGEROUS,
                f"{rule.name} has more than {limit} bytes: "
                + ("PostgreSQL cuts it." if cut else "the server refuses it."),
                "A shorter name=.",
            )
