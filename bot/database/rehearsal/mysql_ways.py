"""How online MariaDB or MySQL makes a change: each way is asked for, the most online one first.

``ALGORITHM`` and ``LOCK`` in a statement are demands. A server that cannot meet one refuses before
it has done anything, so the first one that it accepts is what it does without being asked. The
change is made then, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.database.statements import first_word
from bot.route.risks.reading import Verb, actions, bare, statements


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A demand on a change. ``lock`` is empty where the algorithm leaves no choice."""

    algorithm: str
    lock: str = ""

    def __str__(self) -> str:
        return f"ALGORITHM={self.algorithm}" + (f", LOCK={self.lock}" if self.lock else "")


def _ways(*algorithms: str) -> tuple[Way, ...]:
    """Instantly; then others read and write, whatever is copied; then they read; then they wait."""
    return (
        Way(algorithm="INSTANT"),
        *(Way(algorithm=one, lock="NONE") for one in algorithms),
        *(Way(algorithm=one, lock="SHARED") for one in algorithms),
        *(Way(algorithm=one, lock="EXCLUSIVE") for one in algorithms),
    )


MARIADB = _ways("NOCOPY", "INPLACE", "COPY")
MYSQL = _ways("INPLACE", "COPY")
REFUSED = frozenset({1064, 1221, 1235, 1800, 1801, 1845, 1846, 1911})
"""ER_ALTER_OPERATION_NOT_SUPPORTED(_REASON), an unknown algorithm or lock, and a clause that cannot
stand there: https://mariadb.com/kb/en/mariadb-error-code-reference/."""

_TAKES_WAYS = re.compile(
    r"\s*(?:ALTER\s+(?:ONLINE\s+|IGNORE\s+)*TABLE|CREATE\s+(?:OR\s+REPLACE\s+)?"
    r"(?:UNIQUE\s+|FULLTEXT\s+|SPATIAL\s+)?INDEX|DROP\s+INDEX)\b",
    re.IGNORECASE,
)
_ALGORITHM = re.compile(
    r"\bALGORITHM\s*=?\s*(INSTANT|NOCOPY|INPLACE|COPY|DEFAULT)\b", re.IGNORECASE
)
_LOCK = re.compile(r"\bLOCK\s*=?\s*(NONE|SHARED|EXCLUSIVE|DEFAULT)\b", re.IGNORECASE)


def takes_ways(sql: str) -> bool:
    """Whether ALGORITHM and LOCK may be asked for: one statement, of the kind that has them."""
    parts = statements(sql)
    return len(parts) == 1 and bool(_TAKES_WAYS.match(parts[0]))


_DROP_INDEX = re.compile(
    r"\A\s*DROP\s+INDEX\s+((?:IF\s+EXISTS\s+)?(?:`(?:[^`]|``)+`|[\w$]+))\s+ON\s+(`(?:[^`]|``)+`"
    r"|[\w$]+)\s*\Z",
    re.IGNORECASE,
)
"""The same as a clause of ALTER TABLE, which takes demands; MariaDB's DROP INDEX takes none."""


@contextmanager
def asking(raw: Any, sql: str, ways: tuple[Way, ...]) -> Iterator[list[Way]]:
    """The next statement that the driver's connection sends is sent with each of ``ways`` until one
    is accepted, which is then in the list; else as it is.

    A driver puts values into the text just before it sends it, so that is where we stand.
    """
    own, says = _own_demand(sql)
    chosen: list[Way] = []
    query: Callable[..., Any] = raw.query
    asked = says

    def querying(text: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal asked
        if asked:
            return query(text, *args, **kwargs)
        asked = True
        for way in ways:
            try:
                found = query(_with(text, way), *args, **kwargs)
            except raw.Error as error:
                if not error.args or error.args[0] not in REFUSED:
                    raise
            else:
                chosen.append(way)
                return found
        return query(text, *args, **kwargs)

    raw.query = querying
    try:
        yield chosen
    finally:
        # The shadow goes, and the class's own is seen again; mysqlclient forbids `del raw.query`.
        del vars(raw)["query"]
    if own is not None:
        chosen.append(own)


def _own_demand(sql: str) -> tuple[Way | None, bool]:
    """What the statement demands itself, where that says how it is done; and whether it demands
    anything."""
    text = bare(sql)
    algorithm, lock = _ALGORITHM.search(text), _LOCK.search(text)
    says = algorithm is not None or lock is not None
    if algorithm is None or algorithm[1].upper() == "DEFAULT":
        return None, says
    wanted = lock[1].upper() if lock and lock[1].upper() != "DEFAULT" else ""
    if not wanted and algorithm[1].upper() == "COPY":
        wanted = "SHARED"
    return Way(algorithm=algorithm[1].upper(), lock=wanted), says


def _with(text: Any, way: Way) -> Any:
    """The statement with the demand; on a line of its own, since a comment may end the text."""
    if isinstance(text, (bytes, bytearray)):
        return _with(bytes(text).decode("utf-8", "surrogateescape"), way).encode(
            "utf-8", "surrogateescape"
        )
    statement = _DROP_INDEX.sub(r"ALTER TABLE \2 DROP INDEX \1", text.rstrip().rstrip(";"))
    demand = str(way)
    if first_word(statement) == "ALTER":
        return f"{statement}\n, {demand}"
    return f"{statement}\n{demand.replace(',', '')}"


_DROPS = {Verb.DROP_INDEX, Verb.DROP_CONSTRAINT, Verb.DROP_COLUMN}


def builds_index(sql: str) -> bool:
    """Whether a clause makes an index."""
    return any(
        action.verb in (Verb.CREATE_INDEX, Verb.ADD_UNIQUE, Verb.ADD_PRIMARY_KEY)
        or (
            action.verb is Verb.ADD_COLUMN
            and re.search(r"\b(?:unique|primary key|auto_increment)\b", action.rest)
        )
        or action.verb is Verb.ADD_FOREIGN_KEY
        for action in actions(sql)
    )


def only_drops(sql: str) -> bool:
    """Whether every clause takes something away."""
    found = actions(sql)
    return bool(found) and all(action.verb in _DROPS for action in found)
