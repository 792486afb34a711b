"""PostgreSQL: every ALTER TABLE takes ACCESS EXCLUSIVE until COMMIT; what counts is how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from bot.route.risks import types
from bot.route.risks.definitions import default_of, keeps_rows, rewrites
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.facts import Deed, OperationFacts, Situation
from bot.route.risks.reading import Action, Verb
from bot.route.risks.words import LOCKED, QUERY

BUILDING = "its index is built"
CHECKING = "its rows are checked"
REWRITING = "the table is rewritten"
CHANGING = "the definition changes"
COPYING = "its rows are copied"
_UNIQUE = re.compile(r"\bunique\b|\bprimary key\b")
_CHECK = re.compile(r"\bcheck\b")


def effects(facts: OperationFacts, situation: Situation) -> list[Effect]:
    """One or two for each clause; the second is on a table that a foreign key points to."""
    found: list[Effect] = []
    for action in facts.actions:
        situation = in_its_time_zone(action, situation)
        if make := _BY_VERB.get(action.verb):
            found += make(action, facts, situation)
    if facts.deed is Deed.DROP_TABLE:
        found += [_brief(parent, "its foreign key is dropped") for parent in facts.parents]
    return found


def in_its_time_zone(action: Action, situation: Situation) -> Situation:
    """After SET TIME ZONE nobody knows which one the session is in."""
    if action.verb is Verb.HARMLESS and re.match(r"set\b.*\btime ?zone\b", action.rest):
        return replace(situation, known=replace(situation.known, utc=False))
    return situation


def _brief(table: str, words: str = CHANGING, lock: Lock = Lock.ALL) -> Effect:
    return Effect(table=table, lock=lock, words=words)


def _light(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table)


def _add_column(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    rest = action.rest
    if rewrites(rest, situation.known):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.REWRITE, words=REWRITING)
    else:
        yield _brief(action.table)
    if _UNIQUE.search(rest):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.INDEX, words=BUILDING)
    elif _CHECK.search(rest):  # Read with all rows, though the column is NULL in them.
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)
    if action.to:
        words = "a foreign key to it is made"
        yield _brief(action.to, words, Lock.SHARE_ROW)
        if default_of(rest) not in ("", "null"):
            yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)


def _drop_column(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table)
    if facts.before is not None and facts.before.references and action.table == facts.table:
        yield _brief(facts.before.references, "a foreign key to it is dropped")


def _alter_type(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    before = facts.before
    if not _keeps_rows(action, facts, situation):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.REWRITE, words=REWRITING)
    elif "collate" in action.rest and before is not None and before.in_index:
        # Its indexes are sorted by it.
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.INDEX, words=BUILDING)
    elif (action.table, action.name) in situation.in_checks:
        # Even the same type again makes the checks of the column anew.
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)
    else:
        yield _brief(action.table)


def _keeps_rows(action: Action, facts: OperationFacts, situation: Situation) -> bool:
    before, after = facts.before, facts.after
    if before is None or after is None:
        return keeps_rows(action, situation.known)
    same = types.is_same(before.type, after.type) or types.is_wider(before.type, after.type)
    return facts.deed is Deed.ALTER_COLUMN and same


def _not_null(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if (action.table, action.name) in situation.checked_not_null:
        yield _brief(action.table)
    else:
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)


def _check(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if action.not_valid:
        yield _brief(action.table)
    else:
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)


def _indexed(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if re.match(r"using index\b", action.rest):
        yield _brief(action.table)
    else:
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.INDEX, words=BUILDING)


def _foreign_key(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    work = Work.NONE if action.not_valid else Work.SCAN
    yield Effect(
        table=action.table,
        lock=Lock.SHARE_ROW,
        work=work,
        words=CHANGING if action.not_valid else CHECKING,
    )
    if action.to and action.to != action.table:
        # The parent is locked for as long as the rows of the other table are compared with it.
        words = f"a foreign key of {action.table} to it is made"
        yield Effect(
            table=action.to, lock=Lock.SHARE_ROW, work=work, words=words, over=action.table
        )


def _validate(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield Effect(table=action.table, lock=Lock.ONLINE, work=Work.SCAN, words=CHECKING)


def _drop_rule(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table)
    parent = facts.before.references if facts.before is not None else ""
    if parent and "_fk" in action.name and parent != action.table:
        yield _brief(parent, "a foreign key to it is dropped")


def _create_index(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if " on only " in action.rest and action.table in situation.known.default_partitions:
        yield _brief(action.table, "it gets an index of none of its partitions", Lock.SHARE)
        return
    lock = Lock.ONLINE if action.concurrently else Lock.SHARE
    yield Effect(table=action.table, lock=lock, work=Work.INDEX, words=BUILDING)


def _drop_index(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    table = action.table or facts.table or situation.known.index_tables.get(action.name, "")
    if table:
        lock = Lock.ONLINE if action.concurrently else Lock.ALL
        yield _brief(table, "an index is dropped", lock)


def _drop_table(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table, "it is dropped")


def _rows(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    work = Work.NONE if action.narrowed and facts.deed is Deed.SQL else Work.ROWS
    words = LOCKED if action.verb is Verb.LOCK_ROWS else "its rows are written"
    yield Effect(table=action.table, lock=Lock.ROWS, work=work, words=words)


def _insert(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield Effect(table=action.table, lock=Lock.ROWS, words="rows are written")
    if action.to:
        yield Effect(table=action.to, lock=Lock.NONE, work=Work.SCAN, words=COPYING)


def _create_table(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if action.to:
        yield Effect(table=action.to, lock=Lock.NONE, work=Work.SCAN, words=COPYING)
    for parent in re.findall(r'references\s+"?([\w$]+)"?', action.rest):
        yield _brief(parent, "a foreign key to it is made", Lock.SHARE_ROW)
    if action.name:
        yield _brief(action.name, "it gets a partition")
        yield from _default_partition(action.name, situation)


def _default_partition(parent: str, situation: Situation) -> Iterator[Effect]:
    """No row of the default partition may belong to one that is new."""
    if default := situation.known.default_partitions.get(parent):
        yield Effect(table=default, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)


def _comment(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if facts.table:
        yield Effect(table=facts.table, lock=Lock.ONLINE, words=CHANGING)


def _tune(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table, lock=Lock.ONLINE)


def _rewrite(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield Effect(table=action.table, lock=Lock.ALL, work=Work.REWRITE, words=REWRITING)


def _vacuum(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield Effect(table=action.table, lock=Lock.ONLINE, work=Work.SCAN, words="it is cleaned up")


def _attach(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.to, "it gets a partition", Lock.ONLINE)
    yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)
    yield from _default_partition(action.to, situation)


def _rename_index(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if action.table:  # ALTER TABLE … RENAME CONSTRAINT; ALTER INDEX locks the index alone.
        yield _brief(action.table)


def _refresh(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    work = Work.SCAN if action.concurrently else Work.REWRITE
    lock = Lock.ONLINE if action.concurrently else Lock.ALL
    over = f"{QUERY}{action.table}"
    yield Effect(table=action.table, lock=lock, work=work, words="it is filled anew", over=over)


def _check_domain(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    for table in situation.known.domain_tables.get(action.name, ()):
        if not action.not_valid:
            yield Effect(table=table, lock=Lock.SHARE, work=Work.SCAN, words=CHECKING)


def _drop_all_of(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    for table, _ in situation.known.takes_along.get(action.name, ()):
        yield _brief(table, f"what depends on {action.name} is dropped")


_Make = Callable[[Action, OperationFacts, Situation], Iterator[Effect]]
_BY_VERB: dict[Verb, _Make] = {
    Verb.CREATE_TABLE: _create_table,
    Verb.DROP_TABLE: _drop_table,
    Verb.RENAME_TABLE: _light,
    Verb.ADD_COLUMN: _add_column,
    Verb.DROP_COLUMN: _drop_column,
    Verb.RENAME_COLUMN: _light,
    Verb.ALTER_TYPE: _alter_type,
    Verb.SET_NOT_NULL: _not_null,
    Verb.ALTER_LIGHT: _light,
    Verb.DROP_DEFAULT: _light,
    Verb.LOCK_ROWS: _rows,
    Verb.RENAME_INDEX: _rename_index,
    Verb.REFRESH: _refresh,
    Verb.CHECK_DOMAIN: _check_domain,
    Verb.DROP_ALL_OF: _drop_all_of,
    Verb.ADD_CHECK: _check,
    Verb.ADD_UNIQUE: _indexed,
    Verb.ADD_PRIMARY_KEY: _indexed,
    Verb.ADD_EXCLUDE: _indexed,
    Verb.ADD_FOREIGN_KEY: _foreign_key,
    Verb.VALIDATE: _validate,
    Verb.DROP_CONSTRAINT: _drop_rule,
    Verb.CREATE_INDEX: _create_index,
    Verb.DROP_INDEX: _drop_index,
    Verb.COMMENT: _comment,
    Verb.UPDATE: _rows,
    Verb.DELETE: _rows,
    Verb.INSERT: _insert,
    Verb.TRUNCATE: _light,
    Verb.LOCK: _light,
    Verb.TUNE: _tune,
    Verb.REWRITE: _rewrite,
    Verb.REINDEX: _create_index,
    Verb.VACUUM: _vacuum,
    Verb.ATTACH: _attach,
}
