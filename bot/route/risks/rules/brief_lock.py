"""Everybody waits for a moment, and for whoever is before it in the queue.

ALTER TABLE and DROP take ACCESS EXCLUSIVE (on MariaDB the metadata lock) for an instant. But behind
one long reader it waits, and everybody else waits behind it.

Instead: a short `lock_timeout`, which the bot sets, and a time without long queries.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.effects import Lock
from bot.route.risks.facts import StepCase
from bot.route.risks.words import finding

CODE = "brief_lock"


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """One for each table of the step, unless worse is said of it."""
    worse = {
        effect.table
        for case in step.cases
        for effect in case.effects
        if effect.grows and effect.lock >= Lock.SHARE
    }
    seen: set[str] = set()
    for case in step.cases:
        tables = _own(case.facts.table, case.facts.table_after)
        for effect in case.effects:
            is_other = tables and effect.table not in tables and effect.over == ""
            # Of what Django itself sends, a weaker lock is told with the table that it is for.
            least = Lock.SHARE if case.facts.deed == "sql" else Lock.ALL
            if effect.lock < least or effect.grows or effect.table in (worse | seen):
                continue
            if is_other and case.facts.deed not in ("sql",):
                continue
            seen.add(effect.table)
            what = "the file" if step.situation.vendor == "sqlite" else effect.table
            yield finding(
                case,
                CODE,
                Risk.CAUTION,
                f"Locks {what} for a moment; waiting for the lock comes on top, with everybody "
                "else behind it.",
                table=effect.table,
                evidence=effect.evidence,
            )


def _own(*tables: str) -> set[str]:
    return {table for table in tables if table}
