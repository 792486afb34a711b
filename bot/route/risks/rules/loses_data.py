"""Data goes that no undo brings back.

Dropping a column or a table, TRUNCATE, and DELETE without WHERE: going back makes the column or
table anew, but empty.

Instead: a copy of it first, or a release in which nothing uses it any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.changes import dropped
from bot.route.risks.facts import Case
from bot.route.risks.reading import Verb, actions
from bot.route.risks.words import finding, size_words

CODE = "loses_data"


def look(case: Case) -> Iterator[Finding]:
    for gone in dropped(case):
        size = size_words(case.size(gone.table))
        what = f"What {gone.table}.{gone.column} holds" if gone.column else f"All of {gone.table}"
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"{what} is gone for good ({size}).",
            "Keep a copy until nobody misses it.",
            table=gone.table,
        )
    for sql in case.facts.all_statements:
        for action in actions(sql):
            emptied = action.verb is Verb.TRUNCATE or (
                action.verb is Verb.DELETE and not action.narrowed
            )
            if emptied and action.table not in case.fresh:
                yield finding(
                    case,
                    CODE,
                    Risk.DANGEROUS,
                    f"Every row of {action.table} is deleted "
                    f"({size_words(case.size(action.table))}).",
                    "Keep a copy, or narrow it with WHERE.",
                    table=action.table,
                )
