"""Rehearsals as a page shows them: plain values with words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.route.rehearsing import Standing, schema_words, standing_words, step_words, where_words


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalShown:
    """``steps`` has the sentences of each step by its ``app.name``."""

    stage: str
    line: str
    under_way: bool
    may_ask: bool
    at: datetime | None
    where: str
    words: list[str]
    notes: list[str]
    steps: dict[str, list[str]]

    @property
    def key(self) -> str:
        """The same for as long as the plan's findings are."""
        return f"{self.stage}-{self.at.timestamp() if self.at else ''}"


def rehearsal_shown(standing: Standing) -> RehearsalShown:
    found = standing.rehearsal
    return RehearsalShown(
        stage=str(standing.stage),
        line=standing_words(standing),
        under_way=standing.under_way,
        may_ask=standing.may_ask,
        at=standing.at,
        where=where_words(found) if found else "",
        words=list(schema_words(found)) if found else [],
        notes=list(found.notes) if found else [],
        steps={step.key: list(step_words(step, found.vendor)) for step in found.steps}
        if found
        else {},
    )
