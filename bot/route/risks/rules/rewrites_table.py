"""Every row is written anew while others wait.

A changed type, a volatile default or a stored generated column makes PostgreSQL write the whole
table again under ACCESS EXCLUSIVE; MariaDB copies it while nobody may write; on SQLite Django makes
the table anew. It takes longer the more rows there are, and needs the space twice.

Instead: add a new nullable column, fill it in batches, let the code use it, and drop the old one a
release later.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding
from bot.route.risks.effects import Lock, Work
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding, level_of, waiting

CODE = "rewrites_table"
ABOUT = frozenset({Work.REWRITE})
_INSTEAD = {
    Deed.ALTER_COLUMN: "Add a new nullable column, fill it in batches, switch the code to it, and "
    "drop the old column a release later.",
    Deed.ADD_COLUMN: "Add the column with null=True, fill it in batches in a migration of its own, "
    "then set the default and NOT NULL.",
    Deed.ADD_RULE: "Run it when few people write, or hold the rule in the application.",
}


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.work is Work.REWRITE and effect.lock >= Lock.SHARE:
            instead = _INSTEAD.get(case.facts.deed, "Run it when few people use the table.")
            if case.situation.vendor == "sqlite":
                instead = "Run it when few people write; SQLite has no other way."
            because = waiting(case, effect)
            yield finding(
                case,
                CODE,
                level_of(case, effect),
                because,
                instead,
                table=effect.table,
                evidence=effect.evidence,
            )
