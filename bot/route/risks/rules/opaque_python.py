"""Python runs, and nobody can say before what it sends.

RunPython may read every row and write as many. Linters see a comment there and call it clean.

Instead: have the code reviewed for how many rows it writes, in batches, in a migration of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.route.findings import Evidence, Finding, Risk
from bot.route.risks.facts import Case, Deed
from bot.route.risks.words import finding

CODE = "opaque_python"
ABOUT = frozenset({Deed.PYTHON})


def look(case: Case) -> Iterator[Finding]:
    if case.facts.deed is Deed.PYTHON:
        yield finding(
            case,
            CODE,
            Risk.CAUTION,
            f"{case.facts.note or 'Python runs here.'} What it reads and writes is not known.",
            "Read it: batches, no change of tables beside it, and code that can run twice.",
            evidence=Evidence.NOT_CHECKED,
        )
