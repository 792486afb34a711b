"""Which of the tables that a plan makes may have rows by now, and why.

Nobody uses such a table, so nothing on it keeps anybody waiting or breaks the running release,
whether it is empty or not. But what costs nothing and cannot fail over no rows does over some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.route.risks.facts import Deed, OperationFacts
from bot.route.risks.reading import Action, Verb
from bot.route.risks.vendors.sqlite import NEW


def filled_after(
    step: str, facts: OperationFacts, fresh: Iterable[str], filled: Mapping[str, str]
) -> Mapping[str, str]:
    """Tables among ``fresh`` that may have rows once the operation is done, each with why, as it
    follows ``The plan makes it, and``. An UPDATE or DELETE brings no row into an empty one."""
    if why := _any_table(step, facts):
        filled = {**dict.fromkeys(fresh, why), **filled}
    for action in facts.actions:
        if action.verb is Verb.INSERT and action.table in fresh:
            why = f"SQL of {step} writes to it before"
            filled = {action.table: why, **filled}
        elif action.verb is Verb.RENAME_TABLE and action.table in filled:
            filled = {**without(filled, {action.table}), action.to: filled[action.table]}
    return filled


def made_empty(read: Iterable[Action]) -> set[str]:
    """Tables that are made and stay empty: one that old rows are copied into is no fresh one."""
    filled = {action.table for action in read if action.verb is Verb.INSERT and action.to}
    return {
        action.table
        for action in read
        if action.verb is Verb.CREATE_TABLE
        and not action.table.startswith(NEW)
        and action.table not in filled
        and not action.to
    }


def remade(read: Iterable[Action]) -> set[str]:
    """Tables that SQLite makes anew under their own name, with the rows that they have."""
    return {
        action.table[len(NEW) :]
        for action in read
        if action.verb is Verb.CREATE_TABLE and action.table.startswith(NEW)
    }


def without(filled: Mapping[str, str], tables: Iterable[str]) -> Mapping[str, str]:
    """``filled`` without those of ``tables``: they are gone, or were made anew."""
    gone = set(tables)
    return {one: why for one, why in filled.items() if one not in gone}


def _any_table(step: str, facts: OperationFacts) -> str:
    """Why any table may have got rows; empty where that is not so."""
    if facts.deed is Deed.PYTHON:
        return f"{step} runs Python before it, which may fill it"
    if facts.deed is Deed.UNKNOWN:
        return f"nobody could look into what {step} does before it"
    if not facts.verbs.isdisjoint((Verb.UNKNOWN, Verb.ATTACH)):
        return f"{step} runs SQL before it that could not be read"  # A partition brings rows along.
    return ""
