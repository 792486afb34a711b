"""What happened between two looks at an SQLite file, as effects on tables of before the plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bot.database.rehearsal.sqlite_program import Program
from bot.database.statements import first_word
from bot.route.findings import Evidence
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.risks.reading import actions
from bot.route.risks.vendors.sqlite import BUILDING, CHANGING, NEW, REMAKING

DROPPING = "it is dropped"
CHECKING = "its rows are checked"
READING = "its rows are read"
PURGING = "every row is written anew"
WRITING = "its rows are written"
_ROW_WORDS = ("INSERT", "REPLACE", "UPDATE", "DELETE", "WITH")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row of sqlite_master. ``root`` is 0 for views and triggers."""

    table: str
    root: int
    sql: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Everything in the file by kind and name, and how many rows the session has changed so far."""

    entries: Mapping[tuple[str, str], Entry]
    changes: int

    @cached_property
    def tables(self) -> dict[str, Entry]:
        return self.of("table")

    @cached_property
    def roots(self) -> dict[int, str]:
        """The table that each b-tree belongs to."""
        return {entry.root: entry.table for entry in self.entries.values() if entry.root}

    def of(self, kind: str) -> dict[str, Entry]:
        """The entries of one kind, without what SQLite keeps for itself."""
        return {
            name: entry
            for (its, name), entry in self.entries.items()
            if its == kind and entry.sql and not name.startswith("sqlite_")
        }


@dataclass(kw_only=True)
class Names:
    """``known``: the tables of before the plan, by the names that they have now, with those of
    then. ``copies``: tables into which every row of another was copied, with the name that the
    other has now. ``lost``: names of the indexes that went with a table which was made anew.
    ``all``: what the tables were called before the plan."""

    all: frozenset[str] = frozenset()
    known: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def copy(self) -> Names:
        return Names(
            all=self.all, known=dict(self.known), copies=dict(self.copies), lost=set(self.lost)
        )

    def look_for(self, there: Iterable[str]) -> None:
        """A table that undoing a step has brought back is the one that was there before."""
        missing = self.all - set(self.known.values()) - self.known.keys()
        self.known |= {name: name for name in missing & set(there)}


@dataclass(kw_only=True)
class Reading:
    """One statement. ``names`` are those of before it, and of after it once ``effects`` has been
    read to its end. ``counts`` has the rows of tables that it writes; ``repeated`` says that the
    same text was sent before, as Python does for each row."""

    sql: str
    program: Program
    before: Moment
    after: Moment
    names: Names
    counts: Mapping[str, int]
    repeated: bool
    _parts: set[str] = field(default_factory=set)
    """Tables that are walked over as a part of making them anew."""

    def effects(self) -> Iterator[Effect]:
        """One for each table, the work that grows before what is brief."""
        found: dict[str, Effect] = {}
        for effect in (*self._schema(), *self._rows(), *self._walks()):
            kept = found.setdefault(effect.table, effect)
            if effect.grows and not kept.grows:
                found[effect.table] = effect
        yield from found.values()

    def _schema(self) -> Iterator[Effect]:
        before, after = self.before.tables, self.after.tables
        roots = {entry.root: name for name, entry in after.items() if name not in before}
        for name, entry in before.items():
            if name in after:
                if after[name] != entry and self._is_named(name):
                    yield from self._changed(name)
            elif (new := roots.get(entry.root)) and entry.root:
                yield from self._renamed(name, new)
            else:
                yield from self._dropped(name)
        self.names.look_for(after.keys() - before.keys())
        yield from self._indexes()

    def _is_named(self, table: str) -> bool:
        """Renaming also changes the text of tables that refer to it, at no cost to them."""
        named = {action.table.lower() for action in actions(self.sql)}
        named &= {name.lower() for name in self.before.tables}
        return not named or table.lower() in named

    def _changed(self, name: str) -> Iterator[Effect]:
        program = self.program
        if name in program.walked and name in program.written:
            yield from self._effect(name, Lock.SHARE_ROW, Work.REWRITE, PURGING)
        elif name in program.walked or program.checks:
            yield from self._effect(name, Lock.SHARE_ROW, Work.SCAN, CHECKING)
        else:
            yield from self._effect(name, Lock.ALL, Work.NONE, CHANGING)

    def _renamed(self, name: str, new: str) -> Iterator[Effect]:
        made_anew = name in self.names.copies
        self.names.copies.pop(name, None)
        if not made_anew:
            yield from self._effect(name, Lock.ALL, Work.NONE, CHANGING)
        if name in self.names.known:
            self.names.known[new] = self.names.known.pop(name)

    def _dropped(self, name: str) -> Iterator[Effect]:
        heir = next((new for new, old in self.names.copies.items() if old == name), None)
        if heir is None:
            yield from self._effect(name, Lock.ALL, Work.NONE, DROPPING)
            self.names.known.pop(name, None)
            return
        if name in self.names.known:
            self.names.known[heir] = self.names.known.pop(name)
        self.names.lost |= {i for i, e in self.before.of("index").items() if e.table == name}

    def _indexes(self) -> Iterator[Effect]:
        before, after = self.before.of("index"), self.after.of("index")
        for name in after.keys() - before.keys():
            if name in self.names.lost:
                self.names.lost.discard(name)
                self._parts.add(after[name].table)
            else:
                yield from self._effect(after[name].table, Lock.SHARE_ROW, Work.INDEX, BUILDING)
        gone = [before[name].table for name in before.keys() - after.keys()]
        triggers = set(self.before.of("trigger").items()) ^ set(self.after.of("trigger").items())
        for table in (*gone, *(entry.table for _, entry in triggers)):
            if table in self.after.tables:
                yield from self._effect(table, Lock.ALL, Work.NONE, CHANGING)

    def _rows(self) -> Iterator[Effect]:
        """Rows that are written; a table that is filled from another in one go is its copy."""
        for table in sorted(self.program.written - self.names.known.keys()):
            for source in sorted(self.program.walked & self.names.known.keys()):
                if table in self.after.tables and self._copies(table):
                    self.names.copies[table] = source
                    yield from self._effect(source, Lock.SHARE_ROW, Work.REWRITE, _copying(table))
        if first_word(self.sql) not in _ROW_WORDS:
            return
        for table in sorted(self.program.written & self.names.known.keys()):
            if self._is_every_row(table):
                yield from self._effect(table, Lock.SHARE_ROW, Work.ROWS, WRITING)
            elif self.program.walked:
                yield from self._effect(table, Lock.SHARE_ROW, Work.SCAN, READING)
            else:
                yield from self._effect(table, Lock.ROWS, Work.NONE, "rows are written")

    def _copies(self, table: str) -> bool:
        return first_word(self.sql) == "INSERT" and table in self.before.tables

    def _is_every_row(self, table: str) -> bool:
        changed = self.after.changes - self.before.changes
        is_insert = first_word(self.sql) in ("INSERT", "REPLACE")
        if is_insert:
            return bool(self.program.walked)
        narrowed = re.search(r"\bWHERE\b|\bLIMIT\b", self.sql, re.IGNORECASE)
        whole = bool(self.counts.get(table)) and changed >= self.counts[table]
        return not narrowed or whole or self.repeated or table in self.program.cleared

    def _walks(self) -> Iterator[Effect]:
        """Tables that are read from end to end for the sake of others."""
        for table in sorted(self.program.walked - self._parts):
            yield from self._effect(table, Lock.SHARE_ROW, Work.SCAN, READING)

    def _effect(self, table: str, lock: Lock, work: Work, words: str) -> Iterator[Effect]:
        """On a table that was there before the plan, and under the name that it had then."""
        if table in self.names.known:
            yield Effect(
                table=self.names.known[table],
                lock=lock,
                work=work,
                words=words,
                evidence=Evidence.MEASURED,
            )


def _copying(table: str) -> str:
    return REMAKING if table.startswith(NEW) else f"every row is copied into {table}"
