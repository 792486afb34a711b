"""The running release knows only the old name, the new one only the new.

There is no moment at which both work.

Instead: keep the name in the database: `db_column` for a field, `db_table` for a model.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.rehearsal import Deed as Does
from bot.route.rehearsal import Outcome
from bot.route.risks.changes import renamed
from bot.route.risks.facts import Case, Deed
from bot.route.risks.reading import Verb
from bot.route.risks.tried import tried
from bot.route.risks.words import finding

CODE = "renames_used"
ABOUT = frozenset(
    {Deed.ALTER_COLUMN, Deed.RENAME_COLUMN, Deed.RENAME_TABLE, Deed.SQL, Verb.RENAME_VALUE}
)


def look(case: Case) -> Iterator[Finding]:
    yield from _tables_and_columns(case)
    for action in case.facts.actions:
        if action.verb is Verb.RENAME_VALUE:
            yield finding(
                case,
                CODE,
                Risk.DANGEROUS,
                f"Renames a value of the type {action.name}: a running release that writes or "
                "compares the old one fails.",
                "Add the new value, deploy code that knows both, then change the rows.",
            )


def _tables_and_columns(case: Case) -> Iterator[Finding]:
    for one in renamed(case):
        word = tried(case, one.table, Does.SELECT)
        if word.outcome is Outcome.WORKS:
            continue
        if one.column:
            what = f"column {one.column} of {one.table} to {one.to}"
            instead = f'Keep the column: rename the field with db_column="{one.column}".'
        else:
            what = f"table {one.table} to {one.to}"
            instead = f'Keep the table: rename the model with db_table = "{one.table}".'
        yield finding(
            case,
            CODE,
            Risk.DANGEROUS,
            f"Renames the {what}: a running release that knows the old name fails.",
            instead,
            table=one.table,
            evidence=word.evidence,
        )
