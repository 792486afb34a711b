"""What is said over the pipes is read as it was meant, whatever the text in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.database.messages import (
    Answer,
    Broke,
    Finished,
    FoundStale,
    Job,
    Locked,
    Message,
    PlanJob,
    Planned,
    Progress,
    RefusedHere,
    Retrying,
    RunJob,
    StepDone,
    StepStarting,
    Stopped,
    Waiting,
)
from bot.database.messages_json import NotAMessage, from_line, to_line
from bot.route.basis import Basis, BasisStep
from bot.route.plan import Direction, Target

texts = st.text(max_size=40)
several = st.lists(texts, max_size=3).map(tuple)
targets = st.builds(Target, app=texts, name=texts)
bases = st.builds(
    Basis,
    identity=texts,
    steps=st.lists(st.builds(BasisStep, key=texts, direction=texts, digest=texts), max_size=3).map(
        tuple
    ),
    rests_on=several,
    release=texts,
)
numbers = st.integers(0, 10**9)
directions = st.sampled_from(Direction)
said: st.SearchStrategy[Job | Answer | Message] = st.one_of(
    st.builds(RunJob, run=numbers, database=texts, target=targets, basis=bases, release=texts),
    st.builds(PlanJob, database=texts, target=targets, release=texts),
    st.builds(Answer, go=st.booleans(), because=texts),
    st.builds(Locked, basis=bases),
    st.builds(StepStarting, app=texts, name=texts, direction=directions),
    st.builds(StepDone, app=texts, name=texts, direction=directions, milliseconds=numbers),
    st.builds(Waiting, step=texts, blockers=several),
    st.builds(
        Retrying,
        step=texts,
        attempt=numbers,
        because=texts,
        blockers=several,
        wait_milliseconds=numbers,
    ),
    st.builds(FoundStale, basis=bases),
    st.builds(Finished, applied=several),
    st.builds(
        Broke,
        error=texts,
        error_type=texts,
        step=texts,
        statement=texts,
        traceback=texts,
        done=several,
        output=texts,
        blockers=several,
    ),
    st.builds(Stopped, because=texts, done=several),
    st.builds(RefusedHere, code=texts, sentence=texts, retry=st.booleans(), detail=texts),
    st.builds(Progress, done=numbers, total=numbers, words=texts),
    st.builds(Planned, document=st.dictionaries(texts, texts, max_size=3)),
)


@given(said)
def test_what_is_said_is_what_is_heard(value: Job | Answer | Message) -> None:
    line = to_line(value)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line) == value


@given(said, st.integers(0, 100))
def test_half_a_line_is_never_a_message(value: Job | Answer | Message, keep: int) -> None:
    line = to_line(value)
    with pytest.raises(NotAMessage):
        from_line(line[: min(keep, len(line) - 2)])


@pytest.mark.parametrize(
    "line",
    [
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"kind":"Died"}\n',
        b'{"kind":"Answer","stop":1}\n',
        b"\xff\n",
    ],
)
def test_what_nobody_of_ours_says_is_not_a_message(line: bytes) -> None:
    with pytest.raises(NotAMessage):
        from_line(line)
