"""The name is in use already.

A table of that name is there, or an index. Index names are unique in a whole schema on PostgreSQL
and in the whole file on SQLite, not only in their table: the migration fails.

Instead: another `name=`; or find out who made the one that is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import Case, Deed, RuleKind
from bot.route.risks.reading import Verb
from bot.route.risks.words import finding

CODE = "name_taken"
ABOUT = frozenset({Deed.ADD_INDEX, Deed.ADD_RULE, Deed.CREATE_TABLE, Verb.CREATE_TABLE})


def look(case: Case) -> Iterator[Finding]:
    for action in case.facts.actions:
        again = action.verb is Verb.CREATE_TABLE and action.table in case.there
        if again and not re.match(r"create \w*\s*table if not exists\b", action.rest):
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"The table {action.table} exists already, so it fails.",
                "Another db_table, or SeparateDatabaseAndState where the table is meant.",
                table=action.table,
            )
    if case.facts.deed not in (Deed.ADD_RULE, Deed.ADD_INDEX, Deed.CREATE_TABLE):
        return
    for rule in case.facts.rules:
        if rule.kind is RuleKind.CHECK or not rule.enforced:
            continue
        limit = case.situation.name_limit or 10_000
        if rule.name.encode()[:limit].decode(errors="ignore") in case.taken:
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"{rule.name} exists already, so it fails.",
                "Another name=, unless the one that is there is a leftover to be dropped first.",
            )
