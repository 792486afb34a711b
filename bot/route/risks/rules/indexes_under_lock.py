"""An index is built while others wait.

CREATE INDEX keeps PostgreSQL's writers out until it is done; a UNIQUE that is added with its column
or as a constraint keeps out readers too.

Instead: `AddIndexConcurrently` in a migration with `atomic = False`. For a unique constraint build
a unique index concurrently and add the constraint USING INDEX.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding
from bot.route.risks.effects import Lock, Work
from bot.route.risks.facts import Case
from bot.route.risks.words import finding, level_of, waiting

CODE = "indexes_under_lock"
ABOUT = frozenset({Work.INDEX})
_INDEX = (
    "AddIndexConcurrently (django.contrib.postgres.operations), alone in a migration with "
    "atomic = False."
)
_UNIQUE = (
    "RunSQL: CREATE UNIQUE INDEX CONCURRENTLY ... with atomic = False, then ADD CONSTRAINT ... "
    "UNIQUE USING INDEX."
)
_COLUMN = "Add the column without db_index and unique, then its index concurrently."


def look(case: Case) -> Iterator[Finding]:
    for effect in case.effects:
        if effect.work is Work.INDEX and effect.lock >= Lock.SHARE:
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
        return "Run it when few people write."
    if case.facts.after is not None and case.facts.before is None:
        return _COLUMN
    return _UNIQUE if lock is Lock.ALL else _INDEX
