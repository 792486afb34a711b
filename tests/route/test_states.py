from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.route.states import (
    ACTIVE,
    EDGES,
    ENDED,
    Action,
    ImpossibleAction,
    State,
    after,
    state_phrase,
)

EVERY_PAIR = list(product(State, Action))


@pytest.mark.parametrize(("state", "action"), EVERY_PAIR)
def test_a_pair_is_an_edge_of_the_table_or_impossible(state: State, action: Action) -> None:
    if (state, action) in EDGES:
        assert after(state, action).to is EDGES[state, action].to
    else:
        with pytest.raises(ImpossibleAction, match=f"a {state} run cannot {action}"):
            after(state, action)


def test_every_edge_has_a_reason_that_is_a_sentence() -> None:
    for edge in EDGES.values():
        assert edge.reason.endswith(".")
        assert edge.reason[0].isupper()


def test_what_ends_a_run_lets_go_of_its_database() -> None:
    assert not ENDED & ACTIVE
    assert {
        State.SUCCEEDED,
        State.FAILED,
        State.CANCELLED,
        State.REJECTED,
        State.EXPIRED,
        State.STALE,
        State.NEEDS_ATTENTION,
    } == ENDED


def test_a_run_begins_only_from_the_queue_and_the_queue_only_from_an_approval() -> None:
    assert [start for (start, _), edge in EDGES.items() if edge.to is State.RUNNING] == [
        State.QUEUED
    ]
    assert [start for (start, _), edge in EDGES.items() if edge.to is State.QUEUED] == [
        State.APPROVED
    ]


@given(st.lists(st.sampled_from(Action), max_size=30))
def test_no_walk_leaves_an_end_or_runs_without_an_approval(actions: list[Action]) -> None:
    state, seen = State.REQUESTED, [State.REQUESTED]
    for action in actions:
        try:
            state = after(state, action).to
        except ImpossibleAction:
            continue
        assert seen[-1] not in ENDED
        seen.append(state)
    if State.RUNNING in seen:
        assert State.APPROVED in seen[: seen.index(State.RUNNING)]
    assert seen.count(State.RUNNING) <= 1


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.REQUESTED, "is requested"),
        (State.QUEUED, "is queued"),
        (State.SUCCEEDED, "has succeeded"),
        (State.NEEDS_ATTENTION, "needs attention"),
    ],
)
def test_a_state_ends_a_sentence_about_its_run(state: State, words: str) -> None:
    assert state_phrase(state) == words
