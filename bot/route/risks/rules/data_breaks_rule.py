"""Today's data does not satisfy what the step demands: it would fail.

The database was asked, and counted rows that break the new rule: NULL where NOT NULL comes, values
that are there twice, rows that point to nothing, values that the new type refuses.

Instead: mend these rows first and plan again. It forbids the run (setting `forbidden`), unless
somebody with the permission `override_findings` approves in spite of it, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.data_checks import BREAKS
from bot.route.findings import Finding
from bot.route.risks.data import counted
from bot.route.risks.facts import Case
from bot.route.risks.matters import Matter

CODE = BREAKS
ABOUT = frozenset({Matter.ANSWERS})


def look(case: Case) -> Iterator[Finding]:
    yield from counted(case, CODE)
