"""Every row is read to be checked, while others wait.

A CHECK, a NOT NULL or a foreign key that is added is checked against all rows. PostgreSQL holds
ACCESS EXCLUSIVE meanwhile (SHARE ROW EXCLUSIVE on both tables for a foreign key).

Instead: add the constraint NOT VALID, then validate it in a migration of its own, which lets others
read and write: `AddConstraintNotValid` and `ValidateConstraint`. A valid CHECK (… IS NOT NULL)
spares SET NOT NULL its scan.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding
from bot.route.risks.effects import Lock, Work
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding, level_of, waiting

CODE = "scans_under_lock"
ABOUT = frozenset({Work.SCAN})
_CHECK = (
    "AddConstraintNotValid(...) first, ValidateConstraint(...) in the next migration "
    "(django.contrib.postgres.operations)."
)
_NOT_NULL = (
    "AddConstraintNotValid with CheckConstraint(condition=Q({name}__isnull=False), ...), then "
    "ValidateConstraint, then AlterField: PostgreSQL then scans nothing."
)
_FOREIGN_KEY = (
    "Add the column with db_constraint=False, then RunSQL: ADD CONSTRAINT ... FOREIGN KEY ... NOT "
    "VALID, and VALIDATE CONSTRAINT in a migration of its own."
)


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.work is Work.SCAN and effect.lock >= Lock.SHARE and not effect.over:
            yield finding(
                case,
                CODE,
                level_of(case, effect),
                waiting(case, effect),
                _instead(case, effect.lock),
                table=effect.table,
                evidence=effect.evidence,
            )


def _instead(case: Case, lock: Lock) -> str:
    if case.situation.vendor != "postgresql":
        return "Run it when few people use the table."
    if lock is Lock.SHARE_ROW:
        return _FOREIGN_KEY
    after = case.facts.after
    if case.facts.deed is Deed.ALTER_COLUMN and after is not None and not after.null:
        return _NOT_NULL.format(name=after.name)
    return _CHECK
