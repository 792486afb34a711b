"""MariaDB and MySQL: what an ALTER costs is its ALGORITHM. INSTANT changes the definition, NOCOPY
and INPLACE let others read and write, COPY copies the table while nobody may write to it.

DDL commits by itself, so no lock is held on to the next statement. MySQL 8 was not measured; its
manual says the same of these, but for RENAME and CHECK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.route.risks import types
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Deed, OperationFacts, Situation
from bot.route.risks.reading import Action, Verb
from bot.route.risks.words import LOCKED

CHANGING = "the definition changes"
COPYING = "the table is copied"
BUILDING = "its index is built"
ONE_BYTE = 63
"""Characters of four bytes up to which MariaDB keeps a varchar's length in one byte."""


def effects(facts: OperationFacts, situation: Situation) -> list[Effect]:
    """One for each clause of each statement."""
    return [effect for action in facts.actions for effect in _of(action, facts)]


def _of(action: Action, facts: OperationFacts) -> Iterator[Effect]:
    make = _BY_VERB.get(action.verb)
    if make is not None:
        yield make(action, facts)


def _instant(action: Action, facts: OperationFacts) -> Effect:
    return Effect(table=action.table or facts.table, lock=Lock.ALL, words=CHANGING)


def _copy(action: Action, facts: OperationFacts) -> Effect:
    return Effect(table=action.table, lock=Lock.SHARE, work=Work.REWRITE, words=COPYING)


def _online(action: Action, facts: OperationFacts) -> Effect:
    return Effect(
        table=action.table or facts.table, lock=Lock.ONLINE, work=Work.INDEX, words=BUILDING
    )


def _add_column(action: Action, facts: OperationFacts) -> Effect:
    if action.to or re.search(r"\b(?:stored|persistent)\b", action.rest):
        return _copy(action, facts)
    if re.search(r"\bunique\b|\bprimary key\b|\bauto_increment\b", action.rest):
        return _online(action, facts)
    if re.search(r"\bdefault\s*\(", action.rest) and not re.search(
        r"\bdefault\s*\(\s*(?:''|[\d.]+|now\(\d*\)|current_timestamp(?:\(\d*\))?)\s*\)", action.rest
    ):
        return _copy(action, facts)
    return _instant(action, facts)


def _modify(action: Action, facts: OperationFacts) -> Effect:
    before, after = facts.before, facts.after
    if before is None or after is None or facts.deed is not Deed.ALTER_COLUMN:
        return _copy(action, facts)
    if types.is_same(before.type, after.type):
        if before.null and not after.null:
            return Effect(
                table=action.table,
                lock=Lock.ONLINE,
                work=Work.REWRITE,
                words="the table is made anew beside it",
            )
        return _instant(action, facts)
    old, new = types.read(before.type), types.read(after.type)
    if old.word == new.word == "varchar" and old.length is not None and new.length is not None:
        together = (old.length <= ONE_BYTE) == (new.length <= ONE_BYTE)
        if new.length >= old.length and together and before.null == after.null:
            return _instant(action, facts)
    return _copy(action, facts)


def _rows(action: Action, facts: OperationFacts) -> Effect:
    work = Work.NONE if action.narrowed and facts.deed is Deed.SQL else Work.ROWS
    words = LOCKED if action.verb is Verb.LOCK_ROWS else "its rows are written"
    return Effect(table=action.table, lock=Lock.ROWS, work=work, words=words)


def _insert(action: Action, facts: OperationFacts) -> Effect:
    work = Work.ROWS if action.to else Work.NONE
    return Effect(table=action.table, lock=Lock.ROWS, work=work, words="rows are written")


_BY_VERB: dict[Verb, Callable[[Action, OperationFacts], Effect]] = {
    Verb.DROP_TABLE: _instant,
    Verb.RENAME_TABLE: _instant,
    Verb.ADD_COLUMN: _add_column,
    Verb.DROP_COLUMN: _instant,
    Verb.RENAME_COLUMN: _instant,
    Verb.MODIFY: _modify,
    Verb.ALTER_LIGHT: _instant,
    Verb.DROP_DEFAULT: _instant,
    Verb.LOCK_ROWS: _rows,
    Verb.ADD_CHECK: _copy,
    Verb.ADD_UNIQUE: _online,
    Verb.ADD_PRIMARY_KEY: _copy,
    Verb.ADD_FOREIGN_KEY: _copy,
    Verb.DROP_CONSTRAINT: _instant,
    Verb.CREATE_INDEX: _online,
    Verb.DROP_INDEX: _instant,
    Verb.RENAME_INDEX: _instant,
    Verb.COMMENT: _instant,
    Verb.UPDATE: _rows,
    Verb.DELETE: _rows,
    Verb.INSERT: _insert,
    Verb.TRUNCATE: _instant,
    Verb.LOCK: _instant,
}
