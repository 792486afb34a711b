"""The only way anything changes. One operation, one transaction, no network.

Each takes who acts and the time, checks the live account, moves a run through the table in
``bot.route.states``, writes its audit entries and its deliveries, and wakes whom it concerns once
it has committed. What is refused raises a ``bot.route.refusals.Refused`` and changes nothing.
"""

from bot.operations.asking import ask_for_plan
from bot.operations.deciding import approve, asks_for_override, cancel, expire, queue_due, reject
from bot.operations.planning import (
    claim_plan,
    find_plan,
    keep_plan,
    plan_progress,
    prune_plans,
    refuse_plan,
    store_plan,
)
from bot.operations.rehearsing import (
    ask_for_rehearsal,
    keep_rehearsal,
    refuse_rehearsal,
    rehearsal_progress,
    store_rehearsal,
)
from bot.operations.requesting import request

__all__ = [
    "approve",
    "ask_for_plan",
    "ask_for_rehearsal",
    "asks_for_override",
    "cancel",
    "claim_plan",
    "expire",
    "find_plan",
    "keep_plan",
    "keep_rehearsal",
    "plan_progress",
    "prune_plans",
    "queue_due",
    "refuse_plan",
    "refuse_rehearsal",
    "rehearsal_progress",
    "reject",
    "request",
    "store_plan",
    "store_rehearsal",
]
