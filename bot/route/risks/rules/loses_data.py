"""Data goes that no undo brings back.

Dropping a column or a table, TRUNCATE, and DELETE: going back makes the column or table anew, but
empty, and brings no row back.

Instead: a copy of it first, or a release in which nothing uses it any more.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.changes import dropped, of_old_tables
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Verb
from bot.route.risks.words import finding, size_words

CODE = "loses_data"
ABOUT = frozenset({Deed.DROP_COLUMN, Deed.DROP_TABLE, Deed.SQL, Verb.DELETE, Verb.TRUNCATE})


def look(case: Case) -> Iterator[Finding]:
    for gone in dropped(case):
        if gone.is_view:
            continue
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
    for action in of_old_tables(case):
        if action.verb in (Verb.TRUNCATE, Verb.DELETE):
            rows = f"Every row of {action.table} is"
            if action.narrowed:
                rows = f"The rows of {action.table} that its WHERE finds are"
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"{rows} deleted ({size_words(case.size(action.table))}).",
                "Keep a copy." if action.narrowed else "Keep a copy, or narrow it with WHERE.",
                table=action.table,
            )
