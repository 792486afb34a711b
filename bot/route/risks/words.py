"""Sentences that several rules share, and what counts as large."""

from __future__ import annotations

from enum import StrEnum

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.durations import range_words
from bot.route.risks.effects import Effect, Lock
from bot.route.risks.facts import Case, Size

LARGE_ROWS = 100_000
"""Rows from which work that grows with a table is felt: a tenth to most of a second on an idle
machine (0.08 to 7.5 µs a row were measured), and much more on a busy one."""
LARGE_BYTES = 100 * 1024**2
"""Bytes with indexes; wide rows and many indexes cost more than their number says."""


LOCKED = "its rows are locked"
"""What no measurement shows: nothing counts rows that are locked and not written."""
QUERY = "the query of "
"""Before the name of a view: what it reads is not told by the view's own size."""


class Weight(StrEnum):
    SMALL = "small"
    LARGE = "large"
    UNKNOWN = "unknown"


def weight(size: Size | None) -> Weight:
    """Whether work over the table is felt. Nothing known is unknown, never small."""
    if size is None or (size.rows is None and size.bytes is None):
        return Weight.UNKNOWN
    if (size.rows or 0) >= LARGE_ROWS or (size.bytes or 0) >= LARGE_BYTES:
        return Weight.LARGE
    return Weight.SMALL


def level_of(case: Case, effect: Effect) -> Risk:
    """Dangerous where others wait for work over a table that is large or of unknown size. One that
    the plan itself makes and fills has few rows more often than not."""
    if not effect.grows or effect.lock < Lock.SHARE:
        return Risk.CAUTION
    small = weight(case.size(effect.measure)) is Weight.SMALL or effect.measure in case.filled
    return Risk.CAUTION if small else Risk.DANGEROUS


def size_words(size: Size | None) -> str:
    """``40M rows, 12 GB``; what is not known is said."""
    if size is None or (size.rows is None and size.bytes is None):
        return "size unknown"
    if size.rows is None:
        rows = "rows never counted by ANALYZE" if not size.analysed else "rows unknown"
    else:
        few = "at most " if size.at_most and size.rows else "about " if size.rows >= 1000 else ""
        rows = f"{few}{_short(size.rows)} {'row' if size.rows == 1 else 'rows'}"
    return rows if size.bytes is None else f"{rows}, {_bytes(size.bytes)}"


def _short(number: int) -> str:
    for unit, word in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            places = 1 if number < 10 * unit else 0
            return f"{number / unit:.{places}f}".removesuffix(".0") + word
    return str(number)


def _bytes(number: int) -> str:
    for power, word in ((4, "TB"), (3, "GB"), (2, "MB"), (1, "kB")):
        if number >= 1024**power:
            value = number / 1024**power
            return f"{value:.1f} {word}" if value < 10 else f"{value:.0f} {word}"
    return f"{number} bytes"


def sized(case: Case, table: str) -> str:
    """``shop_order (40M rows, 12 GB)``."""
    return f"{table} ({size_words(case.size(table))})"


def lasting(case: Case, effect: Effect) -> str:
    """``3 to 9 s, by 5 recorded runs here``; empty where nothing allows to say it."""
    rate = case.situation.rates.get(str(effect.work))
    return range_words(case.size(effect.measure), rate)


def sized_work(case: Case, effect: Effect) -> str:
    """``shop_order (40M rows, 12 GB; 3 to 9 s, by 5 recorded runs here)``."""
    told = filter(None, (size_words(case.size(effect.measure)), lasting(case, effect)))
    return f"{effect.measure} ({'; '.join(told)})"


def waiting(case: Case, effect: Effect) -> str:
    """Who waits for what, and how long: ``Blocks writes to shop_order while its index is built
    (40M rows, 12 GB; grows with size, waiting for the lock comes on top).`` Where runs were
    recorded: ``…; 3 to 9 s, by 5 recorded runs here; waiting for the lock comes on top``."""
    if case.situation.vendor == "sqlite":
        who = f"{effect.table}: blocks every other writer of the database file"
    else:
        what = "reads and writes of" if effect.lock is Lock.ALL else "writes to"
        who = f"Blocks {what} {effect.table}"
    size = size_words(case.size(effect.measure))
    if effect.measure in case.filled:
        size = f"rows not known, {case.filled[effect.measure]}"
    if effect.measure != effect.table:
        size = f"{effect.measure}: {size}"
    known = lasting(case, effect)
    how_long = f"{known}; " if known else "grows with size, "
    how_long += "waiting for the lock comes on top"
    return f"{who} while {effect.words} ({size}; {how_long})."


def finding(
    case: Case,
    code: str,
    level: Risk,
    because: str,
    instead: str = "",
    *,
    table: str = "",
    evidence: Evidence = Evidence.PREDICTED,
) -> Finding:
    """A finding about the case's operation; of its own table unless another is named."""
    return Finding(
        code=code,
        level=level,
        because=because,
        instead=instead,
        evidence=evidence,
        step=case.step.key,
        operation=case.facts.place,
        table=table or case.facts.table,
    )
