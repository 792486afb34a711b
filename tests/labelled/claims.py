"""What each judge's findings claim about the questions: the one table that scores rest on.

A rule of a tool claims what its own documentation says of it. Where that hedges (a changed type
"may break other clients", "could be backward compatible") it counts where the tool scores better on
this set.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.route.findings import Finding, Risk
from bot.route.plan import Plan
from tests.labelled.case import Data, Labels, Lock, Release, Undo


class Question(StrEnum):
    BLOCKS = "blocks others while work grows"
    BREAKS = "breaks the running release"
    DATA = "loses data, or rows may stop it"
    UNDO = "going back fails or cannot be"


BLOCKS, BREAKS, DATA, UNDO = Question

OURS: dict[str, frozenset[Question]] = {
    "brief_lock": frozenset(),
    "concurrent_in_atomic": frozenset(),
    "cuts_values": frozenset({DATA}),
    "drops_used": frozenset({BREAKS}),
    "indexes_under_lock": frozenset({BLOCKS}),
    "insert_breaks": frozenset({BREAKS}),
    "invents_values": frozenset(),
    "long_under_lock": frozenset({BLOCKS}),
    "loses_data": frozenset({DATA}),
    "mass_write": frozenset({BLOCKS}),
    "meets_own_rows": frozenset(),
    "name_taken": frozenset(),
    "name_too_long": frozenset(),
    "narrows_type": frozenset({BREAKS, DATA}),
    "no_lock_timeout": frozenset(),
    "not_checked": frozenset(),
    "not_enforced": frozenset(),
    "opaque_python": frozenset(),
    "opaque_sql": frozenset(),
    "partial_failure": frozenset(),
    "renames_used": frozenset({BREAKS}),
    "rewrites_table": frozenset({BLOCKS}),
    "same_value_for_all": frozenset({DATA}),
    "scans_online": frozenset(),
    "scans_under_lock": frozenset({BLOCKS}),
    "tightens": frozenset({DATA}),
    "touches_other_table": frozenset({BLOCKS}),
    "undo_fails_with_rows": frozenset({UNDO}),
    "undo_impossible": frozenset({UNDO}),
    "undo_meets_new_rows": frozenset({UNDO}),
    "value_too_early": frozenset(),
    # From data checks and rehearsals.
    "data_breaks_rule": frozenset({DATA}),
    "data_would_be_cut": frozenset({DATA}),
    "data_not_checked": frozenset(),
    "old_release_fails": frozenset({BREAKS}),
    "rehearsal_fails": frozenset(),
    "rows_decide": frozenset({DATA}),
}
"""Blocking is claimed where it is called dangerous: the tables are large, and a lock for a moment
is not what is asked. ``tightens`` claims something about the rows where it says that they can stop
the migration."""

SQUAWK: dict[str, frozenset[Question]] = {
    "adding-field-with-default": frozenset({BLOCKS}),
    "adding-foreign-key-constraint": frozenset({BLOCKS}),
    "adding-not-nullable-field": frozenset({BLOCKS, BREAKS, DATA}),
    "adding-required-field": frozenset({BREAKS, DATA}),
    "adding-serial-primary-key-field": frozenset({BLOCKS}),
    "adding-primary-key-constraint": frozenset({BLOCKS}),
    "ban-drop-column": frozenset({BREAKS, DATA}),
    "ban-drop-table": frozenset({BREAKS, DATA}),
    "ban-truncate-cascade": frozenset({DATA}),
    "changing-column-type": frozenset({BLOCKS}),
    "constraint-missing-not-valid": frozenset({BLOCKS}),
    "disallowed-unique-constraint": frozenset({BLOCKS}),
    "prefer-repack": frozenset({BLOCKS}),
    "renaming-column": frozenset({BREAKS}),
    "renaming-table": frozenset({BREAKS}),
    "require-concurrent-index-creation": frozenset({BLOCKS}),
    "require-concurrent-partition-detach": frozenset({BLOCKS}),
    "require-concurrent-reindex": frozenset({BLOCKS}),
}
"""``require-concurrent-index-deletion`` is about a lock for a moment, ``ban-drop-not-null`` about
clients that may not expect NULL; the rest is how a schema is written."""

LINTER: dict[str, frozenset[Question]] = {
    "NOT_NULL": frozenset({BREAKS}),
    "DROP_COLUMN": frozenset({BREAKS, DATA}),
    "DROP_TABLE": frozenset({BREAKS, DATA}),
    "RENAME_COLUMN": frozenset({BREAKS}),
    "RENAME_TABLE": frozenset({BREAKS}),
    "ALTER_COLUMN": frozenset({BLOCKS}),
    "ADD_UNIQUE": frozenset({BLOCKS, DATA}),
    "CREATE_INDEX": frozenset({BLOCKS}),
    "CREATE_INDEX_EXCLUSIVE": frozenset({BLOCKS}),
    "REINDEX": frozenset({BLOCKS}),
    "RUNPYTHON_REVERSIBLE": frozenset({UNDO}),
    "RUNSQL_REVERSIBLE": frozenset({UNDO}),
}
"""``ADD_UNIQUE`` says that the old release may break on equal values, which is scored for nobody;
that and ``ALTER_COLUMN`` say nothing of locks, and are let count for blocking all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a judge says of a case. ``level`` is None for judges that have none; ``codes`` are kept
    for people."""

    claims: frozenset[Question]
    level: Risk | None = None
    codes: tuple[str, ...] = ()


def truth(labels: Labels) -> dict[Question, bool | None]:
    """The labels as answers; None is scored for nobody."""
    return {
        BLOCKS: labels.lock is Lock.GROWS,
        BREAKS: None if labels.release is Release.DEPENDS else labels.release is Release.BREAKS,
        DATA: labels.data is not Data.KEPT,
        UNDO: labels.undo is not Undo.WORKS,
    }


def answer_of_plan(plan: Plan) -> Answer:
    claims: set[Question] = set()
    for one in plan.all_findings:
        claims |= _claimed(one)
    codes = tuple(sorted({one.code for one in plan.all_findings}))
    return Answer(claims=frozenset(claims), level=plan.risk, codes=codes)


def _claimed(finding: Finding) -> frozenset[Question]:
    if finding.code == "tightens" and "stop the migration" not in finding.because:
        return frozenset()
    claimed = OURS.get(finding.code, frozenset())
    return claimed if finding.level is Risk.DANGEROUS else claimed - {BLOCKS}


def with_its_rows(answer: Answer, spoiled: Answer | None) -> Answer:
    """With what the same plan said of the data once rows were there that it meets."""
    told = spoiled.claims & {DATA} if spoiled is not None else frozenset()
    return replace(answer, claims=answer.claims | told)


def answer_of_tool(codes: Iterable[str], table: dict[str, frozenset[Question]]) -> Answer:
    found = tuple(sorted(set(codes)))
    claims: frozenset[Question] = frozenset().union(*(table.get(code, ()) for code in found))
    return Answer(claims=claims, codes=found)
