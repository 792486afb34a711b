"""Rules that an operation adds, which rows and writes must keep, and those that it takes away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.route.risks import types
from bot.route.risks.changes import of_old_tables
from bot.route.risks.definitions import default_of
from bot.route.risks.facts import Case, Column, Deed, OperationFacts, RuleKind
from bot.route.risks.reading import Action, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightened:
    """``of_rows`` is whether rows that are there are held against it, ``of_writes`` whether it is
    new to what is written."""

    what: str
    table: str
    of_rows: bool = True
    of_writes: bool = True


_WORDS = {
    RuleKind.UNIQUE: "A unique constraint",
    RuleKind.CHECK: "A check",
    RuleKind.EXCLUDE: "An exclusion constraint",
}
_VERBS = {
    Verb.ADD_CHECK: "A check",
    Verb.ADD_UNIQUE: "A unique constraint",
    Verb.ADD_EXCLUDE: "An exclusion constraint",
    Verb.ADD_FOREIGN_KEY: "A foreign key",
    Verb.ADD_PRIMARY_KEY: "A primary key",
    Verb.ATTACH: "The bounds of a partition",
}


def tightened(case: Case) -> Iterator[Tightened]:
    """Rules that existing rows and the running release have to keep from now on."""
    facts = case.facts
    if case.is_fresh or not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.ADD_RULE:
        later = any(action.not_valid for action in of_old_tables(case))
        for rule in facts.rules:
            if rule.enforced and rule.kind in _WORDS:
                what = f"{_WORDS[rule.kind]} ({rule.name})"
                yield Tightened(what=what, table=facts.table, of_rows=not later)
    elif facts.deed is Deed.ALTER_COLUMN and before is not None and after is not None:
        yield from _of_column(case, before, after)
    elif facts.deed in (Deed.SQL, Deed.VALIDATE_RULE):
        yield from _of_partitions(case)
        for action in of_old_tables(case):
            yield from _of_sql(case, action)


def _of_column(case: Case, before: Column, after: Column) -> Iterator[Tightened]:
    table = case.facts.table
    for action in of_old_tables(case) if before.through else ():
        if action.verb is Verb.ADD_FOREIGN_KEY:
            yield Tightened(what=f"A foreign key to {action.to}", table=action.table)
    if after.unique and not before.unique:
        yield Tightened(what=f"Unique {after.column}", table=table)
    if after.check and not before.check:
        yield Tightened(what=f"A check of {after.column}", table=table)
    if after.references and after.references != before.references:
        what = f"A foreign key from {after.column} to {after.references}"
        yield Tightened(what=what, table=table)
    proven = (table, after.column) in case.situation.checked_not_null
    if before.null and not after.null and not after.fills_rows and not proven:
        yield Tightened(what=f"NOT NULL of {after.column}", table=table)


def rules_in_sql(facts: OperationFacts) -> Iterator[Tightened]:
    """What a RunSQL demands of rows that are there, on whatever table; NOT NULL is not among it."""
    if facts.deed is Deed.SQL:
        for action in facts.actions:
            yield from (rule for rule in _rule_of_sql(action) if rule.of_rows)


def _rule_of_sql(action: Action) -> Iterator[Tightened]:
    unique = action.verb is Verb.CREATE_INDEX and action.rest.startswith("create unique")
    if action.rest.startswith("using index"):
        return  # The index keeps the rule already.
    if action.verb in _VERBS or unique:
        what = f"{_VERBS.get(action.verb, 'A unique index')} ({action.name or action.to})"
        yield Tightened(what=what, table=action.table, of_rows=not action.not_valid)
    elif action.verb is Verb.CHECK_DOMAIN:
        what = f"A rule of the domain {action.name}"
        yield Tightened(what=what, table="its columns", of_rows=not action.not_valid)
    elif action.verb is Verb.VALIDATE:
        yield Tightened(what=action.name, table=action.table, of_writes=False)


def _of_sql(case: Case, action: Action) -> Iterator[Tightened]:
    yield from _rule_of_sql(action)
    if action.verb is Verb.ADD_COLUMN and action.to and default_of(action.rest) not in ("", "null"):
        yield Tightened(what=f"A foreign key to {action.to}", table=action.table, of_writes=False)
    proven = (action.table, action.name) in case.situation.checked_not_null
    if action.verb is Verb.SET_NOT_NULL and not proven:
        yield Tightened(what=f"NOT NULL of {action.name}", table=action.table)


def _of_partitions(case: Case) -> Iterator[Tightened]:
    """No row of a default partition may belong to one that comes."""
    for action in case.facts.actions:
        if default := case.situation.known.default_partitions.get(_parent_of(action)):
            what = f"The bounds of the partition {action.table}"
            yield Tightened(what=what, table=default, of_writes=False)


def _parent_of(action: Action) -> str:
    """The table that gets a partition."""
    if action.verb is Verb.ATTACH:
        return action.to
    return action.name if action.verb is Verb.CREATE_TABLE else ""


def loosened(case: Case) -> Iterator[str]:
    """What going back would put in force again, in words: rows written since may not keep it.

    NULL and UNIQUE of a column that Django alters are not among them.
    """
    facts = case.facts
    if case.is_fresh or not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.DROP_RULE:
        for rule in facts.rules:
            if rule.enforced and rule.kind in _WORDS:
                yield f"puts {rule.name} back on {facts.table}"
    elif facts.deed is Deed.ALTER_COLUMN and before is not None and after is not None:
        column = f"{facts.table}.{after.column}"
        if before.type and after.type and not types.holds(after.type, before.type):
            yield f"makes {column} {before.type} again"
        if before.check and not after.check:
            yield f"puts the check of {column} back"
        for action in of_old_tables(case) if before.through else ():
            if action.verb is Verb.ADD_FOREIGN_KEY:
                yield f"makes {action.table} refer to another table than {action.to} again"
        if before.references and before.references != after.references:
            yield f"makes {column} refer to {before.references} again"
