"""PostgreSQL: every ALTER TABLE takes ACCESS EXCLUSIVE until COMMIT; what counts is how long."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.route.risks import types
from bot.route.risks.facts import Deed, Effect, Lock, OperationFacts, Situation, Work
from bot.route.risks.reading import Action, Verb, actions

BUILDING = "its index is built"
CHECKING = "its rows are checked"
REWRITING = "the table is rewritten"
CHANGING = "the definition changes"

_STEADY = {
    "now", "statement_timestamp", "transaction_timestamp", "current_timestamp", "current_date",
    "lower", "upper", "concat", "coalesce", "length", "abs", "md5", "round", "trunc", "left",
    "right", "array", "jsonb_build_object", "json_build_object", "numeric", "varchar", "decimal",
    "char", "make_date", "make_interval", "interval", "timezone", "date_trunc", "extract", "pi",
    "replace", "greatest", "least", "nullif", "substring", "trim", "sqrt", "power", "sign", "floor",
    "ceiling", "exp", "ln", "timestamp", "time",
}  # fmt: skip
"""Functions that are immutable or stable: PostgreSQL then keeps one value and rewrites nothing."""


def effects(facts: OperationFacts, situation: Situation) -> list[Effect]:
    """One or two for each clause; the second is on a table that a foreign key points to."""
    found: list[Effect] = []
    for sql in facts.all_statements:
        for action in actions(sql):
            found += _of(action, facts, situation)
    if facts.deed is Deed.DROP_TABLE:
        found += [_brief(parent, "its foreign key is dropped") for parent in facts.parents]
    return found


def _of(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    make = _BY_VERB.get(action.verb)
    if make is not None:
        yield from make(action, facts, situation)


def _brief(table: str, words: str = CHANGING, lock: Lock = Lock.ALL) -> Effect:
    return Effect(table=table, lock=lock, words=words)


def _light(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table)


def _add_column(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    rest = action.rest
    if rewrites(rest):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.REWRITE, words=REWRITING)
    else:
        yield _brief(action.table)
    if re.search(r"\bunique\b|\bprimary key\b", rest):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.INDEX, words=BUILDING)
    elif re.search(r"\bcheck\b", rest) and default_of(rest):
        yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)
    if action.to:
        words = "a foreign key to it is made"
        yield _brief(action.to, words, Lock.SHARE_ROW)
        if default_of(rest) not in ("", "null"):
            yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)


def default_of(rest: str) -> str:
    """The default in a column's definition, in lower case; empty without one."""
    found = re.search(
        r"\bdefault\s+(.+?)(?=\s+(?:not null|null|constraint|unique|primary key|references|check"
        r"|collate|generated)\b|$)",
        rest,
    )
    return found[1] if found else ""


def rewrites(rest: str) -> bool:
    """Whether adding a column with this definition writes every row anew."""
    if re.search(r"\bgenerated\b.*\bstored\b|\bas identity\b|\b(?:small|big)?serial\b", rest):
        return True
    default = re.sub(r"::\s*\"?[a-z ]+\"?(?:\(\d+(?:, *\d+)?\))?", "", default_of(rest))
    return any(name not in _STEADY for name in re.findall(r"([a-z_][\w.]*)\s*\(", default))


def _drop_column(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table)
    if facts.before is not None and facts.before.references and action.table == facts.table:
        yield _brief(facts.before.references, "a foreign key to it is dropped")


def _alter_type(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    before, after = facts.before, facts.after
    known = before is not None and after is not None and facts.deed is Deed.ALTER_COLUMN
    if known and before is not None and after is not None:
        old, new = types.read(before.type), types.read(after.type)
        if types.is_same(before.type, after.type):
            yield _brief(action.table)
            return
        if types.is_wider(before.type, after.type) and "collate" not in action.rest:
            indexed = before.index or before.unique or before.primary_key
            if indexed and old.length is not None and new.length is None and new.word == "text":
                yield Effect(table=action.table, lock=Lock.ALL, work=Work.SCAN, words=CHECKING)
            else:
                yield _brief(action.table)
            return
    yield Effect(table=action.table, lock=Lock.ALL, work=Work.REWRITE, words=REWRITING)


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
    lock = Lock.ONLINE if action.concurrently else Lock.SHARE
    yield Effect(table=action.table, lock=lock, work=Work.INDEX, words=BUILDING)


def _drop_index(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    table = action.table or facts.table
    if table:
        lock = Lock.ONLINE if action.concurrently else Lock.ALL
        yield _brief(table, "an index is dropped", lock)


def _drop_table(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    yield _brief(action.table, "it is dropped")


def _rows(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    work = Work.NONE if action.narrowed and facts.deed is Deed.SQL else Work.ROWS
    yield Effect(table=action.table, lock=Lock.ROWS, work=work, words="its rows are written")


def _insert(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if action.to:
        yield Effect(table=action.table, lock=Lock.ROWS, work=Work.ROWS, words="rows are copied")
    else:
        yield Effect(table=action.table, lock=Lock.ROWS, words="rows are written")


def _create_table(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    for parent in re.findall(r'references\s+"?([\w$]+)"?', action.rest):
        yield _brief(parent, "a foreign key to it is made", Lock.SHARE_ROW)


def _comment(action: Action, facts: OperationFacts, situation: Situation) -> Iterator[Effect]:
    if facts.table:
        yield Effect(table=facts.table, lock=Lock.ONLINE, words=CHANGING)


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
}
