"""Which locks an operation takes and which work it does: one file for each database.

From facts measured on PostgreSQL 14, 15 and 18, MariaDB 10.11 and SQLite 3.40.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.route.risks.effects import Effect
from bot.route.risks.facts import OperationFacts, Situation
from bot.route.risks.vendors import mysql, postgresql, sqlite

_BY_VENDOR: dict[str, Callable[[OperationFacts, Situation], list[Effect]]] = {
    "postgresql": postgresql.effects,
    "mysql": mysql.effects,
    "sqlite": sqlite.effects,
}


def is_known(vendor: str) -> bool:
    return vendor in _BY_VENDOR


def effects_of(facts: OperationFacts, situation: Situation) -> list[Effect]:
    """What the operation's statements do to tables, in order, those kept back last."""
    return _BY_VENDOR[situation.vendor](facts, situation) if is_known(situation.vendor) else []
