"""Today's data has values that would be cut, and no error would say so.

The database was asked, and counted values that lose something: text that is longer, digits after
the point, the time of day.

Instead: shorten or convert these values first, or fill a new column and look at what becomes of
each.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import CUTS
from bot.route.findings import Finding
from bot.route.risks.data import counted
from bot.route.risks.facts import Case
from bot.route.risks.matters import Matter

CODE = CUTS
ABOUT = frozenset({Matter.ANSWERS})


def look(case: Case) -> Iterator[Finding]:
    yield from counted(case, CODE)
