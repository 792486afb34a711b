"""The only way anything changes. One operation, one transaction, no network.

Each takes who acts and the time, checks the live account, moves a run through the table in
``bot.route.states``, writes its audit entries and its deliveries, and wakes whom it concerns once
it has committed. What is refused raises a ``bot.route.refusals.Refused`` and changes nothing.
"""

from bot.operations.deciding import approve, cancel, expire, queue_due, reject
from bot.operations.planning import (
    ask_for_plan,
    claim_plan,
    find_plan,
    keep_plan,
    plan_progress,
    prune_plans,
    refuse_plan,
    store_plan,
)
from bot.operations.requesting import request

__all__ = [
    "approve",
    "ask_for_plan",
    "cancel",
    "claim_plan",
    "expire",
    "find_plan",
    "keep_plan",
    "plan_progress",
    "prune_plans",
    "queue_due",
    "refuse_plan",
    "reject",
    "request",
    "store_plan",
]
