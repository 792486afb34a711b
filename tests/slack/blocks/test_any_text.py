"""Whatever text stands in whatever field: valid payloads, and nobody is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal import Deed, MeasuredStatement, Outcome, Probe, Rehearsal, RehearsedStep
from bot.route.rehearsing import Stage, Standing
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.states import State
from bot.slack import blocks
from bot.slack.blocks.values import (
    AuditView,
    DecisionView,
    FreezeView,
    HelpRow,
    HistoryView,
    HomeView,
    PendingView,
    PersonView,
    PlanView,
    RunRow,
    RunView,
    StatusView,
    StepLine,
    StepState,
    WhoView,
)
from bot.slack.values import Message
from tests.slack.blocks.checks import check_message, check_view
from tests.slack.blocks.samples import NOW


def _examples(number: int) -> settings:
    """Without shrinking: for values as large as these it takes minutes, and tells little."""
    return settings(deadline=None, max_examples=number, phases=[Phase.explicit, Phase.generate])


HOSTILE = (
    "<!channel>",
    "<!here|x>",
    "<@U999>",
    "<#C1|general>",
    "<!subteam^S1>",
    "@channel @here @everyone",
    "&lt;!channel&gt;",
    "```",
    "`<!channel>`",
    "*_~`",
    "<https://evil.example|here>",
    "javascript:alert(1)",
    "\u202e\u2066\u200b\x00\ud800",
    "&" * 400,
    "`" * 400,
    "<" * 4000,
    "😀" * 2000,
    "\n> quote\n\n",
    "\r\n\t",
    "x" * 5000,
    "",
)
text = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(exclude_categories=()), max_size=60),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map(" ".join),
)
moments = st.sampled_from([NOW])
people = st.builds(
    PersonView,
    name=text,
    slack_user=st.sampled_from(["", "U0ANA", "<!channel>", "u1", "U0BEN\n"]),
)
findings = st.lists(
    st.builds(
        Finding,
        code=text,
        level=st.sampled_from(Risk),
        because=text,
        instead=text,
        evidence=st.sampled_from(Evidence),
        step=text,
        table=text,
    ),
    max_size=3,
).map(tuple)
step_lines = st.builds(
    StepLine,
    app=text,
    name=text,
    direction=st.sampled_from(["forward", "backward", "<!channel>"]),
    words=text,
    statements_count=st.integers(0, 9),
    marks=st.lists(text, max_size=2).map(tuple),
    risk=st.none() | st.sampled_from(Risk),
)
probes = st.lists(
    st.builds(
        Probe,
        model=text,
        table=text,
        deed=st.sampled_from(Deed),
        outcome=st.sampled_from(Outcome),
        error=text,
    ),
    max_size=3,
).map(tuple)
effects = st.lists(
    st.builds(
        Effect,
        table=text,
        lock=st.sampled_from(Lock),
        work=st.sampled_from(Work),
        words=text,
    ),
    max_size=3,
).map(tuple)
rehearsed_steps = st.builds(
    RehearsedStep,
    key=text,
    outcome=st.sampled_from(Outcome),
    milliseconds=st.integers(0, 10**6),
    error=text,
    error_statement=text,
    measured=effects.map(
        lambda found: (MeasuredStatement(operation=0, sql="x", milliseconds=1, effects=found),)
    ),
    probes=probes,
    undo=st.sampled_from(Outcome),
    undo_because=text,
    skipped=st.lists(text, max_size=2).map(tuple),
    blind=st.booleans(),
)
rehearsals = st.builds(
    Rehearsal,
    fingerprint=text,
    database=text,
    vendor=st.sampled_from(["postgresql", "sqlite", "mysql"]),
    made_at=moments,
    milliseconds=st.integers(0, 10**6),
    where=text,
    schema_from=text,
    steps=st.lists(rehearsed_steps, max_size=3).map(tuple),
    same_after_undo=st.sampled_from(Outcome),
    same_again=st.sampled_from(Outcome),
    notes=st.lists(text, max_size=3).map(tuple),
)
standings = st.builds(
    Standing,
    stage=st.sampled_from(Stage),
    progress=text,
    because=text,
    rehearsal=st.none() | rehearsals,
)
plans = st.builds(
    PlanView,
    id=st.uuids().map(str),
    database=text,
    target=text,
    fingerprint=text,
    risk=st.sampled_from(Risk),
    steps=st.lists(step_lines, max_size=4).map(tuple),
    made_at=moments,
    findings=findings,
    sql=text,
    asked_by=st.none() | people,
    url=text,
    release=text,
    notes=st.lists(text, max_size=5).map(tuple),
    forbidden=st.lists(text, max_size=3).map(tuple),
    held=text,
    rehearsal=standings,
)
step_states = st.builds(
    StepState,
    app=text,
    name=text,
    state=st.sampled_from(["pending", "running", "applied", "failed", "unknown", "<!here>"]),
    seconds=st.none() | st.floats(0, 1e6),
    started_at=st.none() | moments,
)
decisions = st.builds(
    DecisionView,
    person=people,
    verdict=st.sampled_from(["approve", "reject"]),
    at=moments,
    reason=text,
)
several = st.lists(text, max_size=7).map(tuple)
runs = st.builds(
    RunView,
    id=st.integers(1, 2**53),
    state=st.sampled_from(State),
    database=text,
    target=text,
    risk=st.sampled_from(Risk),
    reason=text,
    requester=people,
    fingerprint=text,
    requested_at=moments,
    now=moments,
    approvals_needed=st.integers(1, 9),
    approvals_because=text,
    decisions=st.lists(decisions, max_size=12).map(tuple),
    approvers_hint=text,
    expires_at=st.none() | moments,
    run_after=st.none() | moments,
    held_because=text,
    steps=st.lists(step_states, max_size=12).map(tuple),
    findings=findings,
    forbidden=st.lists(text, max_size=3).map(tuple),
    held=text,
    waiting_for=several,
    started_at=st.none() | moments,
    ended_at=st.none() | moments,
    ended_by=st.none() | people,
    ended_reason=text,
    error=text,
    error_step=text,
    error_statement=text,
    stale_because=several,
    url=text,
    release=text,
    plan_id=st.uuids().map(str),
    rehearsal=standings,
)
rows = st.lists(
    st.builds(
        RunRow,
        id=st.integers(1, 999),
        state=st.sampled_from(State),
        database=text,
        target=text,
        risk=st.sampled_from(Risk),
        requester=people,
        requested_at=moments,
        steps=st.integers(0, 9),
        reason=text,
        seconds=st.none() | st.floats(0, 1e6),
        expires_at=st.none() | moments,
        url=text,
    ),
    max_size=4,
).map(tuple)
pending = st.lists(
    st.builds(
        PendingView,
        database=text,
        steps=st.none() | st.integers(0, 9),
        risk=st.none() | st.sampled_from(Risk),
        made_at=st.none() | moments,
        problem=text,
    ),
    max_size=4,
).map(tuple)
freezes = st.lists(
    st.builds(FreezeView, owner=people, reason=text, since=moments, database=text), max_size=3
).map(tuple)
facts = st.dictionaries(
    st.sampled_from(["reason", "because", "steps", "step", "error", "command", "x", "state"]),
    text | several.map(list) | st.none() | st.integers() | st.booleans(),
    max_size=8,
)
entries = st.builds(
    AuditView,
    seq=st.integers(1, 2**53),
    hash=text,
    event=st.sampled_from(["run.requested", "run.failed", "run.stale", "step.retried"]) | text,
    at=moments,
    actor=people,
    run=st.none() | st.integers(1, 999),
    data=facts,
    url=text,
)


def _sound(*messages: Message | None) -> None:
    for message in messages:
        if message is not None:
            check_message(message)
            check_message(blocks.plain_fallback(message))


@_examples(60)
@given(plans)
def test_any_plan(plan: PlanView) -> None:
    _sound(blocks.plan_message(plan), blocks.plan_sql(plan), *blocks.plan_details(plan))
    check_view(blocks.request_modal(ids={"plan": plan.id}, plan=plan), "modal")


@_examples(120)
@given(runs)
def test_any_run(run: RunView) -> None:
    _sound(blocks.run_message(run), blocks.failure_broadcast(run), *blocks.run_result(run))
    check_view(blocks.reject_modal(run), "modal")
    check_view(blocks.override_modal(run), "modal")


@_examples(30)
@given(runs, plans)
def test_any_thread(run: RunView, plan: PlanView) -> None:
    _sound(blocks.run_sql(run, plan), *blocks.run_details(run, plan))


@_examples(60)
@given(runs, plans, rehearsals)
def test_any_rehearsal(run: RunView, plan: PlanView, rehearsal: Rehearsal) -> None:
    _sound(*blocks.run_rehearsal(run, rehearsal), *blocks.plan_rehearsal(plan, rehearsal))


@_examples(100)
@given(entries)
def test_any_audit_entry(entry: AuditView) -> None:
    _sound(blocks.audit_message(entry))


@_examples(50)
@given(rows, pending, freezes, people, text)
def test_any_list(
    some: tuple[RunRow, ...],
    waiting: tuple[PendingView, ...],
    frozen: tuple[FreezeView, ...],
    person: PersonView,
    words: str,
) -> None:
    _sound(blocks.history_message(HistoryView(rows=some, left_out=3, filtered=words, url=words)))
    status = StatusView(pending=waiting, open_runs=some, freezes=frozen, url=words)
    _sound(blocks.status_message(status))
    home = HomeView(
        person=person,
        linked=True,
        pending=waiting,
        for_me=some,
        mine=some,
        running=some,
        last=some,
        freezes=frozen,
        url=words,
    )
    check_view(blocks.home_view(home), "home")


@_examples(50)
@given(text, people, several)
def test_any_answer(words: str, person: PersonView, more: tuple[str, ...]) -> None:
    _sound(blocks.refusal_message(words), blocks.link_message(words, 10))
    _sound(blocks.help_message([HelpRow(usage=words, summary=word) for word in more]))
    _sound(blocks.whoami_message(WhoView(person=person, account=words, permissions=more)))
    _sound(blocks.whoami_message(WhoView(person=person, problem=words)))
    check_view(blocks.notice_modal(words, blocks.notice(words).text), "modal")
    check_view(blocks.request_modal(ids={}, database=words, target=words, reason=words), "modal")


WORST = [word for word in HOSTILE if word]


def _worst(words: str) -> dict[str, Any]:
    steps = tuple(
        StepLine(app=words[:20], name=f"{n:04}_{words}"[:60], words=words, statements_count=9)
        for n in range(200)
    )
    findings = tuple(
        Finding(code=f"c{n}", level=Risk.DANGEROUS, because=words, instead=words, step=words)
        for n in range(40)
    )
    return {
        "id": "p",
        "database": words,
        "target": words,
        "fingerprint": words,
        "risk": Risk.DANGEROUS,
        "steps": steps,
        "made_at": NOW,
        "findings": findings,
        "forbidden": ("c7", words),
        "held": words,
        "notes": (words,) * 9,
        "sql": words * (100_000 // len(words)),
        "release": words,
        "rehearsal": Standing(stage=Stage.MEASURED, rehearsal=_worst_rehearsal(words)),
    }


def _worst_rehearsal(words: str) -> Rehearsal:
    """200 steps, each with 40 tables locked and as many things that break."""
    tables = [f"{n}_{words}" for n in range(40)]
    effects = tuple(Effect(table=t, lock=Lock.ALL, work=Work.SCAN, words=words) for t in tables)
    probes = tuple(
        Probe(model=words, table=t, deed=Deed.INSERT, outcome=Outcome.FAILS, error=words)
        for t in tables
    )
    step = RehearsedStep(
        key=words,
        outcome=Outcome.WORKS,
        error=words,
        error_statement=words * 100,
        measured=(MeasuredStatement(operation=0, sql=words, milliseconds=1, effects=effects),),
        probes=probes,
        undo=Outcome.FAILS,
        undo_because=words,
        skipped=(words,) * 20,
    )
    return Rehearsal(
        fingerprint=words,
        database=words,
        vendor="postgresql",
        made_at=NOW,
        where=words,
        schema_from=words,
        steps=(step,) * 200,
        notes=(words,) * 30,
    )


@pytest.mark.parametrize("words", WORST, ids=lambda words: ascii(words[:9]))
def test_the_worst_of_days(words: str) -> None:
    plan = PlanView(**_worst(words))
    states = tuple(StepState(app=s.app, name=s.name, state="applied") for s in plan.steps)
    person = PersonView(name=words)
    vote = DecisionView(person=person, verdict="approve", at=NOW, reason=words)
    _sound(blocks.plan_message(plan), blocks.plan_sql(plan), *blocks.plan_details(plan))
    for state in State:
        run = RunView(
            id=1,
            state=state,
            database=words,
            target=words,
            risk=Risk.DANGEROUS,
            reason=words * 20,
            requester=person,
            fingerprint=words,
            requested_at=NOW,
            now=NOW,
            decisions=(vote,) * 30,
            steps=states,
            findings=plan.findings,
            forbidden=plan.forbidden,
            held=words,
            waiting_for=(words,) * 30,
            started_at=NOW,
            error=words * 100,
            error_step=words,
            error_statement=words * 100,
            stale_because=(words,) * 300,
            plan_id=plan.id,
            rehearsal=plan.rehearsal,
        )
        _sound(blocks.run_message(run), blocks.failure_broadcast(run))
    _sound(*blocks.run_result(run))
    _sound(*blocks.run_rehearsal(run, _worst_rehearsal(words)))
    _sound(blocks.run_sql(run, plan), *blocks.run_details(run, plan))
