"""SQLite: one writer for the whole file. Much of what others alter, Django does by making the table
anew and copying every row. Lengths and types of columns bind nothing there."""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Deed, OperationFacts, Situation
from bot.route.risks.reading import Action, Verb

NEW = "new__"
"""Django's prefix for the table that takes the old one's place."""
REMAKING = "the table is made anew and every row copied"
CHANGING = "the definition changes"
BUILDING = "its index is built"


def effects(facts: OperationFacts, situation: Situation) -> list[Effect]:
    """A remade table gives one effect, not one for each of its four statements."""
    found: dict[Effect, None] = {}
    remade = {
        action.table[len(NEW) :]
        for action in facts.actions
        if action.verb is Verb.CREATE_TABLE and action.table.startswith(NEW)
    }
    for table in sorted(remade):
        found[Effect(table=table, lock=Lock.SHARE_ROW, work=Work.REWRITE, words=REMAKING)] = None
    made = {action.table for action in facts.actions if action.verb is Verb.CREATE_TABLE}
    for action in facts.actions:
        if action.verb is Verb.INSERT and action.table in made - remade and action.to:
            # A many to many table is made anew under its other name.
            copied = Effect(table=action.to, lock=Lock.SHARE_ROW, work=Work.REWRITE, words=REMAKING)
            if action.table.removeprefix(NEW) not in remade:
                found[copied] = None
            continue
        own = action.table.removeprefix(NEW)
        if own in remade and action.verb in _PARTS:
            continue
        for effect in _of(action, facts):
            found[effect] = None
    return list(found)


_PARTS = {Verb.CREATE_TABLE, Verb.DROP_TABLE, Verb.RENAME_TABLE, Verb.INSERT, Verb.CREATE_INDEX}


def _of(action: Action, facts: OperationFacts) -> Iterator[Effect]:
    table = action.table or facts.table
    if action.verb in (Verb.UPDATE, Verb.DELETE):
        narrowed = action.narrowed and facts.deed is Deed.SQL
        work = Work.NONE if narrowed else Work.ROWS
        lock = Lock.ROWS if narrowed else Lock.SHARE_ROW
        yield Effect(table=table, lock=lock, work=work, words="its rows are written")
    elif action.verb is Verb.INSERT:
        lock = Lock.SHARE_ROW if action.to else Lock.ROWS
        work = Work.ROWS if action.to else Work.NONE
        yield Effect(table=table, lock=lock, work=work, words="rows are written")
    elif action.verb is Verb.CREATE_INDEX:
        yield Effect(table=table, lock=Lock.SHARE_ROW, work=Work.INDEX, words=BUILDING)
    elif action.verb is Verb.DROP_COLUMN:
        # Its manual, ALTER TABLE DROP COLUMN: the content is rewritten to purge the column.
        words = "the column is purged from every row"
        yield Effect(table=table, lock=Lock.SHARE_ROW, work=Work.REWRITE, words=words)
    elif action.verb in _BRIEF and table:
        yield Effect(table=table, lock=Lock.ALL, words=CHANGING)


_BRIEF = {
    Verb.DROP_TABLE,
    Verb.RENAME_TABLE,
    Verb.ADD_COLUMN,
    Verb.RENAME_COLUMN,
    Verb.DROP_INDEX,
    Verb.RENAME_INDEX,
}
