"""A new value of an enum is used before it is committed.

PostgreSQL lets a transaction add a value to a type, but not use it: the migration fails.

Instead: ALTER TYPE … ADD VALUE in a migration of its own, before the one that uses the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.route.findings import Finding, Risk
from bot.route.risks.facts import StepCase
from bot.route.risks.words import finding

CODE = "value_too_early"
_ADDS = re.compile(
    r"\bALTER\s+TYPE\s+(\S+)\s+ADD\s+VALUE\s+(?:IF\s+NOT\s+EXISTS\s+)?('(?:[^']|'')+')",
    re.IGNORECASE,
)


def look_at_step(step: StepCase) -> Iterator[Finding]:
    """A type that the same transaction makes gives its values away at once."""
    if step.situation.vendor != "postgresql" or not step.step.atomic:
        return
    added: dict[str, str] = {}
    before = ""
    for case in step.cases:
        for sql in case.facts.all_statements:
            for value, name in added.items():
                if value in sql:
                    yield finding(
                        case,
                        CODE,
                        Risk.DANGEROUS,
                        f"Uses {value} in the transaction that adds it to the type {name}: it "
                        "fails.",
                        "Add the value in a migration of its own, before this one.",
                    )
                    return
            before += f"{sql}\n"
            if "value" in sql.lower():  # Most SQL needs no closer look.
                found = _ADDS.findall(sql)
                added |= {value: name for name, value in found if not _makes(before, name)}


def _makes(before: str, name: str) -> bool:
    return bool(re.search(rf"CREATE\s+TYPE\s+{re.escape(name)}\b", before, re.IGNORECASE))
