"""What SQLite is going to do for a statement: the program that EXPLAIN shows, read.

SQLite compiles each statement into a program for its virtual machine. EXPLAIN lists the program
and runs nothing. A b-tree that a cursor walks over with Rewind and Next is read from end to end,
however few rows there are; one that is opened for writing is written. Programs of triggers are
listed too. The opcodes are described on https://www.sqlite.org/opcode.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.database.statements import first_word

TOLD = ("CREATE", "ALTER", "DROP", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "REINDEX")
"""First words of statements whose programs are read."""
_P2_IS_A_REGISTER = 0x10
_OPENS = ("OpenRead", "OpenWrite", "ReopenIdx")
_OPENS_ELSE = ("OpenEphemeral", "OpenAutoindex", "OpenPseudo", "OpenDup", "SorterOpen", "VOpen")
_PLACEHOLDER = re.compile(r"(?<!%)%s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The tables that a statement walks over, writes to or clears, under the names they have now.

    ``known`` is False where nobody could tell. ``checks`` says that a whole table is checked in
    another way (``PRAGMA quick_check``, for the CHECK of a new column).
    """

    known: bool = False
    walked: frozenset[str] = frozenset()
    written: frozenset[str] = frozenset()
    cleared: frozenset[str] = frozenset()
    checks: bool = False


UNKNOWN = Program()


def read_program(raw: Any, sql: str, roots: Mapping[int, str]) -> Program:
    """The program of one statement as Django would send it. ``roots`` names the table that each
    b-tree belongs to by its root page."""
    if first_word(sql) not in TOLD:
        return UNKNOWN
    for text, values in _forms(sql):
        try:
            rows = raw.execute(f"EXPLAIN {text}", values).fetchall()
        except (raw.Error, raw.Warning):
            continue
        return _read(rows, roots)
    return UNKNOWN


def _forms(sql: str) -> list[tuple[str, list[None]]]:
    """The text without parameters, and as Django makes it where there are some: which values they
    have does not change what is walked over."""
    marked = _PLACEHOLDER.sub("?", sql).replace("%%", "%")
    forms: list[tuple[str, list[None]]] = []
    if places := len(_PLACEHOLDER.findall(sql)):
        forms.append((marked, [None] * places))
    forms += [(sql, []), (marked, [])]
    return forms


def _read(rows: list[tuple[Any, ...]], roots: Mapping[int, str]) -> Program:
    at: dict[int, str] = {}
    begun: set[int] = set()
    walked, written, cleared, checks = set(), set(), set(), False
    for address, opcode, one, two, three, _, five, _ in rows:
        if not address:
            at, begun = {}, set()  # The program of a trigger counts its cursors anew.
        if opcode in _OPENS:
            here = three == 0 and not five & _P2_IS_A_REGISTER
            at[one] = roots.get(two, "") if here else ""
            begun.discard(one)
            if opcode == "OpenWrite" and at[one]:
                written.add(at[one])
        elif opcode in _OPENS_ELSE:
            at[one] = ""
            checks |= opcode == "VOpen"
        elif opcode in ("Rewind", "Last"):
            begun.add(one)
        elif opcode in ("Next", "Prev") and one in begun and at.get(one):
            walked.add(at[one])
        elif opcode == "Clear" and two == 0 and one in roots:
            cleared.add(roots[one])
    return Program(
        known=True,
        walked=frozenset(walked),
        written=frozenset(written | cleared),
        cleared=frozenset(cleared),
        checks=checks,
    )
