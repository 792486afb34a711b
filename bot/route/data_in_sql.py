"""What a RunSQL demands of the rows that are there, as far as it can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.route.data_sql import quoted
from bot.route.risks import types
from bot.route.risks.changes import needs_a_value
from bot.route.risks.claims import Claim, few_rows, no_null, unasked
from bot.route.risks.facts import Deed, OperationFacts
from bot.route.risks.reading import Action, Verb
from bot.route.risks.tightening import rules_in_sql

_ONLY_IF = re.compile(r"\bADD\s+(COLUMN\s+)?IF\s+NOT\s+EXISTS\b", re.IGNORECASE)


def claims_of_sql(facts: OperationFacts, vendor: str) -> Iterator[Claim]:
    """What it demands; nothing of other operations."""
    if facts.deed is not Deed.SQL:
        return
    for action in facts.actions:
        if action.verb is Verb.SET_NOT_NULL:
            yield no_null(action.table, action.name, quote=_quoted)
        elif needs_a_value(action) and vendor != "mysql":  # There rows get 0 or an empty text.
            yield _without_value(facts, action, vendor)
    for rule in rules_in_sql(facts):
        what = f"{rule.what[:1].lower()}{rule.what[1:]}"
        yield unasked(rule.table, f"{rule.table} keeps {what}", "it is SQL of the migration's own")


def _without_value(facts: OperationFacts, action: Action, vendor: str) -> Claim:
    """A column that is NOT NULL, for which rows that are there get no value."""
    claim = few_rows(action.table, action.name, allowed=0)
    if any(_ONLY_IF.search(sql) for sql in facts.all_statements):
        return unasked(action.table, claim.words, "it is only added where it is not there yet")
    word = re.match(r"\w*", action.rest)
    if vendor == "postgresql" and not (word and types.is_known(word[0])):
        return unasked(action.table, claim.words, "its type may have a default of its own")
    return claim


def _quoted(name: str) -> str:
    """SET NOT NULL is PostgreSQL's alone."""
    return quoted(name, "postgresql")
