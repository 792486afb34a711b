"""What an operation changes for code that is running: dropped, renamed, demanded, tightened.

From Django's operation where there is one, else from what SQL says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.route.risks.facts import Case, Column, Deed, RuleKind
from bot.route.risks.reading import Action, Verb, actions
from bot.route.risks.vendors.postgresql import default_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``column`` is empty for a table; ``to`` is a new name."""

    table: str
    column: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tightened:
    what: str
    table: str


def dropped(case: Case) -> Iterator[Change]:
    """Tables and columns that go and that were there before the plan."""
    facts = case.facts
    if not facts.all_statements:
        return
    if facts.deed is Deed.DROP_COLUMN and not case.is_fresh and facts.before is not None:
        if facts.before.column:
            yield Change(table=facts.table, column=facts.before.column)
        elif facts.before.through:
            yield Change(table=facts.before.through)
    elif facts.deed is Deed.DROP_TABLE:
        for action in _sql(case):
            if action.verb is Verb.DROP_TABLE:
                yield Change(table=action.table)
    elif facts.deed is Deed.SQL:
        for action in _sql(case):
            if action.verb is Verb.DROP_TABLE:
                yield Change(table=action.table)
            elif action.verb is Verb.DROP_COLUMN:
                yield Change(table=action.table, column=action.name)


def renamed(case: Case) -> Iterator[Change]:
    """Tables and columns that get another name."""
    facts = case.facts
    if not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if before is not None and after is not None and before.column and after.column:
        if before.column != after.column and not case.is_fresh:
            yield Change(table=facts.table, column=before.column, to=after.column)
    elif facts.deed in (Deed.SQL, Deed.RENAME_TABLE, Deed.ALTER_COLUMN):
        for action in _sql(case):
            if action.verb is Verb.RENAME_TABLE and not action.table.startswith("new__"):
                yield Change(table=action.table, to=action.to)
            elif action.verb is Verb.RENAME_COLUMN:
                yield Change(table=action.table, column=action.name, to=action.to)


def demanded(case: Case) -> Iterator[Change]:
    """Columns that from now on need a value which the running release does not send."""
    facts = case.facts
    if not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.ADD_COLUMN and after is not None and after.column and not case.is_fresh:
        if not (after.null or after.db_default or after.generated or _counts(after)):
            yield Change(table=facts.table, column=after.column)
    elif facts.deed is Deed.ALTER_COLUMN and before is not None and after is not None:
        if after.null or not after.column or case.is_fresh:
            return
        if before.null:
            yield Change(table=facts.table, column=after.column, to="set")
        elif before.db_default and not after.db_default:
            yield Change(table=facts.table, column=after.column)
    elif facts.deed is Deed.SQL:
        for action in _sql(case):
            if action.verb is Verb.ADD_COLUMN:
                needs = "not null" in action.rest and not default_of(action.rest)
                if needs and not re.search(r"serial\b|generated|auto_increment", action.rest):
                    yield Change(table=action.table, column=action.name)
            elif action.verb is Verb.SET_NOT_NULL:
                yield Change(table=action.table, column=action.name, to="set")


def _counts(column: Column) -> bool:
    return column.kind in ("AutoField", "BigAutoField", "SmallAutoField")


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
}


def tightened(case: Case) -> Iterator[Tightened]:
    """Rules that existing rows and the running release have to keep from now on."""
    facts = case.facts
    if case.is_fresh or not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if facts.deed is Deed.ADD_RULE:
        for rule in facts.rules:
            if rule.enforced and rule.kind in _WORDS:
                yield Tightened(what=f"{_WORDS[rule.kind]} ({rule.name})", table=facts.table)
    elif facts.deed is Deed.ALTER_COLUMN and before is not None and after is not None:
        if after.unique and not before.unique:
            yield Tightened(what=f"Unique {after.column}", table=facts.table)
        if after.check and not before.check:
            yield Tightened(what=f"A check of {after.column}", table=facts.table)
        if after.references and after.references != before.references:
            yield Tightened(
                what=f"A foreign key from {after.column} to {after.references}", table=facts.table
            )
    elif facts.deed is Deed.SQL:
        for action in _sql(case):
            unique = action.verb is Verb.CREATE_INDEX and action.rest.startswith("create unique")
            if action.verb in _VERBS or unique:
                what = _VERBS.get(action.verb, "A unique index")
                yield Tightened(what=f"{what} ({action.name})", table=action.table)


def _sql(case: Case) -> Iterator[Action]:
    """What the statements do to tables that were there before the plan."""
    for sql in case.facts.all_statements:
        for action in actions(sql):
            if action.table not in case.fresh:
                yield action
