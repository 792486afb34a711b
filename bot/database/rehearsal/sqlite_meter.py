"""SQLite: what a statement did, from the program that it runs and from what changed in the file.

Before a statement is sent its program is read (``sqlite_program``): which tables it walks over from
end to end, which it writes. Afterwards sqlite_master and the number of changed rows are compared
with those of before. A table that is made anew has another root page in the end. The copying is
what costs, so it counts at the statement that copies; the dropping and renaming that follow it are
its parts.

There is one lock for the whole file. ``Lock`` likens it as ``bot.route.risks.vendors.sqlite`` does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.db import Error as DatabaseProblem

from bot.database.rehearsal.sqlite_program import TOLD, read_program
from bot.database.rehearsal.sqlite_reading import Entry, Moment, Names, Reading
from bot.database.rehearsal.vendor import Deadline, Measured, OutOfBounds, TimeIsUp
from bot.database.statements import first_word

_MASTER = "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master"
_OPENING = ("ATTACH", "VACUUM")
_UNSEEN = ("VACUUM",)
"""It takes the whole file for itself, and its program tells nothing of that."""


class SQLiteMeter:
    """See ``bot.database.rehearsal.vendor.Meter``."""

    def __init__(self, connection: Any, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._names = Names()
        self._kept: dict[tuple[tuple[str, int], ...], Names] = {}
        self._sent: set[str] = set()

    def begin(self) -> None:
        now = self._look()
        tables = now.tables.keys()
        self._names = Names(all=frozenset(tables), known={name: name for name in tables})
        self._kept = {_key(now): self._names}

    def measure(self, send: Callable[[], Any], sql: str) -> Measured:
        self._connection.ensure_connection()
        before = self._look()
        names = self._names_at(before)
        program = read_program(self._connection.connection, sql, before.roots)
        counts = {name: self._count(name) for name in program.written & names.known.keys()}
        begun = time.perf_counter()
        try:
            result = send()
        except DatabaseProblem as error:
            if not self._deadline.left:
                raise TimeIsUp() from error
            if first_word(sql) in _OPENING:
                raise OutOfBounds(
                    "It opens another file, which a rehearsal lets nobody do."
                ) from error
            raise
        taken = time.perf_counter() - begun
        after = self._look()
        reading = Reading(
            sql=sql,
            program=program,
            before=before,
            after=after,
            names=names.copy(),
            counts=counts,
            repeated=sql in self._sent,
        )
        effects = tuple(reading.effects())
        self._sent.add(sql)
        self._names = self._kept[_key(after)] = reading.names
        return Measured(
            result=result,
            effects=effects,
            milliseconds=round(taken * 1000),
            blind=first_word(sql) in _UNSEEN or (first_word(sql) in TOLD and not program.known),
        )

    def _names_at(self, now: Moment) -> Names:
        """What the tables were called. A migration that failed was rolled back, so these may be
        names of an earlier moment."""
        if found := self._kept.get(_key(now)):
            return found
        known = {name: was for name, was in self._names.known.items() if name in now.tables}
        names = Names(all=self._names.all, known=known)
        names.look_for(now.tables)
        return names

    def _look(self) -> Moment:
        raw = self._connection.connection
        entries = {
            (kind, name): Entry(table=table, root=root or 0, sql=sql or "")
            for kind, name, table, root, sql in _rows(raw, _MASTER)
        }
        return Moment(entries=entries, changes=raw.total_changes)

    def _count(self, table: str) -> int:
        quoted = self._connection.ops.quote_name(table)
        sql = f"SELECT count(*) FROM {quoted}"  # noqa: S608 a name of the catalogue, quoted
        return int(_rows(self._connection.connection, sql)[0][0])


def _key(moment: Moment) -> tuple[tuple[str, int], ...]:
    return tuple(sorted((name, entry.root) for name, entry in moment.tables.items()))


def _rows(raw: Any, sql: str) -> list[tuple[Any, ...]]:
    """Past Django's cursors, so that nobody counts these as statements of the plan."""
    with closing(raw.execute(sql)) as found:
        return list(found.fetchall())
