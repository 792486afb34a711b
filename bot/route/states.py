"""A run's life: one table of every edge, with a reason for each. No other code sets a state."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STALE = "stale"
    INTERRUPTED = "interrupted"
    NEEDS_ATTENTION = "needs_attention"


class Action(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    EXPIRE = "expire"
    GO_STALE = "go_stale"
    QUEUE = "queue"
    START = "start"
    SUCCEED = "succeed"
    FAIL = "fail"
    INTERRUPT = "interrupt"
    RECONCILE_SUCCEEDED = "reconcile_succeeded"
    RECONCILE_FAILED = "reconcile_failed"
    RECONCILE_UNSURE = "reconcile_unsure"


@dataclass(frozen=True, slots=True)
class Edge:
    to: State
    reason: str


EDGES: MappingProxyType[tuple[State, Action], Edge] = MappingProxyType(
    {
        (State.REQUESTED, Action.APPROVE): Edge(
            State.APPROVED, "Enough people other than the requester have approved this plan."
        ),
        (State.REQUESTED, Action.REJECT): Edge(
            State.REJECTED, "One approver's no is enough: a doubt is cheaper than a repair."
        ),
        (State.REQUESTED, Action.CANCEL): Edge(
            State.CANCELLED, "The requester, or somebody who may approve, took it back."
        ),
        (State.REQUESTED, Action.EXPIRE): Edge(
            State.EXPIRED, "Nobody decided in time; the world has moved on since it was asked."
        ),
        (State.REQUESTED, Action.GO_STALE): Edge(
            State.STALE, "The plan is known to be no longer the one that was asked for."
        ),
        (State.APPROVED, Action.QUEUE): Edge(
            State.QUEUED, "Its time has come, nothing is frozen, and its database is free."
        ),
        (State.APPROVED, Action.CANCEL): Edge(
            State.CANCELLED, "Taken back before it was handed to a worker."
        ),
        (State.APPROVED, Action.EXPIRE): Edge(
            State.EXPIRED, "It could not start in time; an old approval must not fire later."
        ),
        (State.APPROVED, Action.GO_STALE): Edge(
            State.STALE, "The plan is known to be no longer the one that was approved."
        ),
        (State.QUEUED, Action.START): Edge(
            State.RUNNING, "A worker holds the database's lock and found the approved fingerprint."
        ),
        (State.QUEUED, Action.GO_STALE): Edge(
            State.STALE, "Under the lock the fingerprint was not the approved one; nothing ran."
        ),
        (State.QUEUED, Action.FAIL): Edge(
            State.FAILED, "It could not begin: the code or the database refused; nothing ran."
        ),
        (State.QUEUED, Action.CANCEL): Edge(
            State.CANCELLED, "Taken back while it waited for the lock; nothing ran."
        ),
        (State.QUEUED, Action.EXPIRE): Edge(
            State.EXPIRED, "No worker could take it in time; an old approval must not fire later."
        ),
        (State.RUNNING, Action.SUCCEED): Edge(
            State.SUCCEEDED, "Every step is in the database's own record of migrations."
        ),
        (State.RUNNING, Action.FAIL): Edge(
            State.FAILED, "A step raised; the steps before it are recorded, the rest did not run."
        ),
        (State.RUNNING, Action.CANCEL): Edge(
            State.CANCELLED, "Stopped between two steps because somebody asked for it."
        ),
        (State.RUNNING, Action.INTERRUPT): Edge(
            State.INTERRUPTED, "The process that held it is gone, or did not renew its lease."
        ),
        (State.INTERRUPTED, Action.RECONCILE_SUCCEEDED): Edge(
            State.SUCCEEDED, "The database shows that every step had been applied."
        ),
        (State.INTERRUPTED, Action.RECONCILE_FAILED): Edge(
            State.FAILED, "The database shows which steps were applied, and no trace of the rest."
        ),
        (State.INTERRUPTED, Action.RECONCILE_UNSURE): Edge(
            State.NEEDS_ATTENTION,
            "A part is there, or all without its record, or nobody can tell: a person has to look.",
        ),
    }
)

ENDED = frozenset(state for state in State if not any(start == state for start, _ in EDGES))
"""States that nothing leaves."""

ACTIVE = frozenset({State.QUEUED, State.RUNNING, State.INTERRUPTED})
"""States that keep their database to themselves."""


_PHRASES = {
    State.SUCCEEDED: "has succeeded",
    State.FAILED: "has failed",
    State.EXPIRED: "has expired",
    State.STALE: "went stale",
    State.INTERRUPTED: "was interrupted",
    State.REJECTED: "was rejected",
    State.CANCELLED: "was cancelled",
    State.NEEDS_ATTENTION: "needs attention",
}


def state_phrase(state: State) -> str:
    """The state as the end of a sentence about the run: ``has succeeded``, ``is queued``."""
    return _PHRASES.get(state, f"is {state}")


class ImpossibleAction(Exception):
    """That cannot be done to a run in this state."""

    def __init__(self, state: State, action: Action) -> None:
        self.state = state
        self.action = action
        super().__init__(f"a {state} run cannot {action}")


def after(state: State, action: Action) -> Edge:
    """The edge that ``action`` takes from ``state``, or ImpossibleAction."""
    try:
        return EDGES[state, action]
    except KeyError:
        raise ImpossibleAction(state, action) from None
