"""What an operation changes for code that is running: dropped, renamed, demanded.

From Django's operation where there is one, else from what SQL says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.route.risks.definitions import default_of
from bot.route.risks.facts import Case, Column, Deed
from bot.route.risks.reading import Action, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """``column`` is empty for a table; ``to`` is a new name. ``is_view`` says that nothing is lost
    with it."""

    table: str
    column: str = ""
    to: str = ""
    is_view: bool = False


def dropped(case: Case) -> Iterator[Change]:
    """Tables and columns that go and that were there before the plan."""
    for gone in _dropped(case):
        if (gone.table, gone.column) not in case.new_columns:
            yield gone


def _dropped(case: Case) -> Iterator[Change]:
    facts = case.facts
    if not facts.all_statements:
        return
    if facts.deed is Deed.DROP_COLUMN and not case.is_fresh and facts.before is not None:
        if facts.before.column:
            yield Change(table=facts.table, column=facts.before.column)
        elif facts.before.through:
            yield Change(table=facts.before.through)
    elif facts.deed is Deed.DROP_TABLE:
        for action in of_old_tables(case):
            if action.verb is Verb.DROP_TABLE:
                yield Change(table=action.table)
    elif facts.deed is Deed.SQL:
        yield from _dropped_by_sql(case)


def _dropped_by_sql(case: Case) -> Iterator[Change]:
    for action in of_old_tables(case):
        if action.verb is Verb.DROP_TABLE:
            yield Change(table=action.table)
        elif action.verb is Verb.DROP_VIEW and action.table not in case.views:
            yield Change(table=action.table, is_view=True)
        elif action.verb is Verb.DROP_COLUMN:
            yield Change(table=action.table, column=action.name)
        elif action.verb is Verb.DROP_ALL_OF:
            for table, column in case.situation.known.takes_along.get(action.name, ()):
                yield Change(table=table, column=column)


def renamed(case: Case) -> Iterator[Change]:
    """Tables and columns that were there before the plan and get another name."""
    for one in _renamed(case):
        if (one.table, one.column) not in case.new_columns:
            yield one


def _renamed(case: Case) -> Iterator[Change]:
    facts = case.facts
    if not facts.all_statements:
        return
    before, after = facts.before, facts.after
    if before is not None and after is not None and before.column and after.column:
        if before.column != after.column and not case.is_fresh:
            yield Change(table=facts.table, column=before.column, to=after.column)
    elif before is not None and after is not None and before.through != after.through:
        if before.through and after.through and before.through not in case.fresh:
            yield Change(table=before.through, to=after.through)
    elif facts.deed in (Deed.SQL, Deed.RENAME_TABLE, Deed.ALTER_COLUMN):
        for action in of_old_tables(case):
            if action.table in case.views:
                continue  # A view takes its place, with all its columns.
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
        if before.null and (facts.table, after.column) not in case.situation.refuses_null:
            yield Change(table=facts.table, column=after.column, to="set")
        elif before.db_default and not after.db_default:
            yield Change(table=facts.table, column=after.column)
    elif facts.deed is Deed.SQL:
        yield from _demanded_by_sql(case)


def _demanded_by_sql(case: Case) -> Iterator[Change]:
    for action in of_old_tables(case):
        at = (action.table, action.name)
        loses_default = action.verb is Verb.DROP_DEFAULT and at in case.situation.known.no_null
        if needs_a_value(action) or loses_default:
            yield Change(table=action.table, column=action.name)
        elif action.verb is Verb.SET_NOT_NULL and at not in case.situation.refuses_null:
            yield Change(table=action.table, column=action.name, to="set")


def needs_a_value(action: Action) -> bool:
    """Whether it adds a column that is NOT NULL and that the database has no value for."""
    given = default_of(action.rest) or re.search(r"serial\b|generated|auto_increment", action.rest)
    return action.verb is Verb.ADD_COLUMN and "not null" in action.rest and not given


def _counts(column: Column) -> bool:
    return column.kind in ("AutoField", "BigAutoField", "SmallAutoField")


def of_old_tables(case: Case) -> Iterator[Action]:
    """What the statements do to tables that were there before the plan."""
    for action in case.facts.actions:
        if action.table not in case.fresh:
            yield action
