"""Values for blocks: an ordinary day, and the worst of days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.route.findings import Evidence, Finding, Risk
from bot.route.rehearsal import Deed, MeasuredStatement, Outcome, Probe, Rehearsal, RehearsedStep
from bot.route.rehearsing import Stage, Standing
from bot.route.risks.effects import Effect, Lock, Work
from bot.route.states import State
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

NOW = datetime(2026, 11, 23, 16, 50, 12, tzinfo=UTC)
ANA = PersonView(name="Ana", slack_user="U0ANA", team="T0")
BEN = PersonView(name="Ben", slack_user="U0BEN", team="T0")
CLI = PersonView(name="Cleo")
FINGERPRINT = "4f2a9c01b7e3d5" + "0" * 50
URL = "https://example.com/migrations/runs/12/"

FINDINGS = (
    Finding(
        code="not_null",
        level=Risk.DANGEROUS,
        because="The running release does not fill the new column, so its inserts fail.",
        instead="Add the column with a db_default, deploy, then drop the default.",
        evidence=Evidence.MEASURED,
        step="shop.0007_order_total",
        table="shop_order",
    ),
    Finding(
        code="index",
        level=Risk.CAUTION,
        because="Building the index blocks writes while it reads the table.",
        instead="Use AddIndexConcurrently in a migration of its own.",
        step="shop.0008_order_index",
        table="shop_order",
    ),
    Finding(
        code="python",
        level=Risk.CAUTION,
        because="Python runs here; nobody has looked at what it does.",
        evidence=Evidence.NOT_CHECKED,
        step="shop.0009_fill_totals",
    ),
)

STEPS = (
    StepLine(
        app="shop",
        name="0007_order_total",
        words="Add field total to order",
        statements_count=1,
        risk=Risk.DANGEROUS,
    ),
    StepLine(
        app="shop",
        name="0008_order_index",
        words="Create index order_total on order",
        statements_count=1,
        risk=Risk.CAUTION,
    ),
    StepLine(
        app="shop",
        name="0009_fill_totals",
        words="Raw Python operation",
        statements_count=0,
        marks=("not atomic", "cannot be undone"),
        risk=Risk.CAUTION,
    ),
)

MANY = tuple(
    StepLine(app="shop", name=f"{n:04}_{'x' * 55}", words="Add field", statements_count=1)
    for n in range(200)
)
"""More steps than a message can hold."""

REHEARSAL = Rehearsal(
    fingerprint=FINGERPRINT,
    database="default",
    vendor="postgresql",
    made_at=NOW,
    milliseconds=3210,
    where="a throwaway PostgreSQL 15.19 cluster",
    schema_from="pg_dump of the target's schema",
    steps=(
        RehearsedStep(
            key="shop.0007_order_total",
            outcome=Outcome.WORKS,
            milliseconds=14,
            measured=(
                MeasuredStatement(
                    operation=0,
                    sql='ALTER TABLE "shop_order" ADD COLUMN "total" numeric(8, 2) NOT NULL',
                    milliseconds=9,
                    effects=(
                        Effect(
                            table="shop_order",
                            lock=Lock.ALL,
                            work=Work.REWRITE,
                            words="it is rewritten",
                            evidence=Evidence.MEASURED,
                        ),
                    ),
                ),
            ),
            probes=(
                Probe(
                    model="shop.Order",
                    table="shop_order",
                    deed=Deed.INSERT,
                    outcome=Outcome.FAILS,
                    error='null value in column "total" violates not-null constraint',
                ),
                Probe(
                    model="shop.Order",
                    table="shop_order",
                    deed=Deed.SELECT,
                    outcome=Outcome.WORKS,
                ),
            ),
            undo=Outcome.WORKS,
        ),
        RehearsedStep(
            key="shop.0008_order_index",
            outcome=Outcome.FAILS,
            error='relation "order_total" already exists',
            error_statement='CREATE INDEX "order_total" ON "shop_order" ("total")',
        ),
        RehearsedStep(
            key="shop.0009_fill_totals",
            outcome=Outcome.UNKNOWN,
            skipped=("Its Python was left out; rehearse_python runs it too.",),
        ),
    ),
    same_after_undo=Outcome.WORKS,
    notes=("Measured with two made-up rows a table; sizes are the target's.",),
)
MEASURED = Standing(stage=Stage.MEASURED, rehearsal=REHEARSAL, at=NOW)
REHEARSING = Standing(stage=Stage.REHEARSING, progress="3 of 7: shop.0009_fill_totals", at=NOW)
WAITING = Standing(stage=Stage.WAITING, at=NOW)
NOT_REHEARSED = Standing(
    stage=Stage.NOT_REHEARSED,
    because="There is no place for it. Set rehearsal_databases, or install PostgreSQL here.",
    at=NOW,
)

SQL = """-- 1. shop.0007_order_total
-- Add field total to order
ALTER TABLE "shop_order" ADD COLUMN "total" numeric(8, 2) NOT NULL;

-- 2. shop.0008_order_index
-- Create index order_total on order
CREATE INDEX "order_total" ON "shop_order" ("total");

-- 3. shop.0009_fill_totals
-- Raw Python operation
-- note: Python runs here; what it sends cannot be known before"""


def a_plan(**changes: Any) -> PlanView:
    plan = PlanView(
        id="5d0a4f6e-1111-4222-8333-444455556666",
        database="default",
        target="shop",
        fingerprint=FINGERPRINT,
        risk=Risk.DANGEROUS,
        steps=STEPS,
        made_at=NOW,
        findings=FINDINGS,
        sql=SQL,
        asked_by=ANA,
        url="https://example.com/migrations/plans/5d0a4f6e/",
        release="9d29b28",
        approvals_needed=2,
    )
    return replace(plan, **changes)


def a_run(state: State = State.REQUESTED, **changes: Any) -> RunView:
    """A run as it would be in ``state``."""
    run = RunView(
        id=12,
        state=state,
        database="default",
        target="shop",
        risk=Risk.DANGEROUS,
        reason="New totals for the November report",
        requester=ANA,
        fingerprint=FINGERPRINT,
        requested_at=NOW - timedelta(minutes=30),
        now=NOW,
        approvals_needed=2,
        expires_at=NOW + timedelta(hours=23),
        steps=tuple(StepState(app=s.app, name=s.name) for s in STEPS),
        findings=FINDINGS,
        url=URL,
        release="9d29b28",
        plan_id="5d0a4f6e-1111-4222-8333-444455556666",
    )
    return replace(run, **{**_as_it_would_be(state, run), **changes})


def _as_it_would_be(state: State, run: RunView) -> dict[str, Any]:
    yes = tuple(
        DecisionView(person=person, verdict="approve", at=NOW - timedelta(minutes=minutes))
        for person, minutes in ((BEN, 10), (CLI, 5))
    )
    if state is State.REQUESTED:
        return {}
    if state is State.REJECTED:
        no = DecisionView(person=BEN, verdict="reject", at=NOW, reason="Not before the weekend")
        return {"decisions": (no,), "ended_at": NOW}
    if state in (State.EXPIRED, State.CANCELLED):
        by = {"ended_by": ANA} if state is State.CANCELLED else {}
        return {"ended_at": NOW, **by}
    changes: dict[str, Any] = {"decisions": yes}
    if state in (State.APPROVED, State.QUEUED):
        return changes
    if state is State.STALE:
        because = ("shop.0008_order_index was edited after approval.",)
        return {**changes, "ended_at": NOW, "stale_because": because}
    changes["started_at"] = NOW - timedelta(seconds=75)
    if state is State.RUNNING:
        steps = _steps(run, "applied", "running", "pending")
        waits = ("pid 4711, ana@db, idle in transaction for 40 s, holds shop_order",)
        return {**changes, "steps": steps, "waiting_for": waits}
    changes["ended_at"] = NOW
    if state is State.SUCCEEDED:
        return {**changes, "steps": _steps(run, "applied", "applied", "applied")}
    if state is State.NEEDS_ATTENTION:
        steps = _steps(run, "applied", "unknown", "not_run")
        error = "shop.0008_order_index is not atomic, and its index exists but is invalid."
        return {**changes, "steps": steps, "error": error}
    if state is State.INTERRUPTED:
        steps = _steps(run, "applied", "running", "pending")
        error = "The worker host:4711 was killed by signal 9."
        return {**changes, "steps": steps, "error": error, "ended_at": None}
    return {
        **changes,
        "steps": _steps(run, "applied", "failed", "not_run"),
        "error": 'ProgrammingError: relation "order_total" already exists\nLINE 1: CREATE INDEX',
        "error_step": "shop.0008_order_index",
        "error_statement": 'CREATE INDEX "order_total" ON "shop_order" ("total")',
    }


def _steps(run: RunView, *states: str) -> tuple[StepState, ...]:
    seconds = {"applied": 0.42, "failed": 3.2}
    return tuple(
        replace(
            step,
            state=state,
            seconds=seconds.get(state),
            started_at=NOW - timedelta(seconds=62) if state == "running" else None,
        )
        for step, state in zip(run.steps, states, strict=True)
    )


def a_row(**changes: Any) -> RunRow:
    row = RunRow(
        id=12,
        state=State.SUCCEEDED,
        database="default",
        target="shop",
        risk=Risk.CAUTION,
        requester=ANA,
        requested_at=NOW,
        steps=3,
        steps_done=3,
        reason="New totals for the November report",
        seconds=65.0,
        url=URL,
    )
    return replace(row, **changes)


ROWS = (
    a_row(id=14, state=State.REQUESTED, seconds=None, steps_done=0, approvals_needed=2),
    a_row(id=13, state=State.RUNNING, seconds=12.0, steps_done=1, requester=BEN),
    a_row(),
    a_row(id=11, state=State.FAILED, steps_done=1, seconds=3.2, reason="Index for the search"),
)

FREEZE = FreezeView(
    owner=BEN, reason="Black Friday", since=NOW, until=NOW + timedelta(days=4), database=""
)
PENDING = (
    PendingView(database="default", steps=3, risk=Risk.DANGEROUS, made_at=NOW),
    PendingView(database="replica", steps=0, made_at=NOW),
    PendingView(database="old"),
)


def an_entry(event: str = "run.approved", **changes: Any) -> AuditView:
    entry = AuditView(
        seq=41,
        hash="a1b2c3d4e5f6" + "0" * 52,
        event=event,
        at=NOW,
        actor=BEN,
        run=12,
        data={"fingerprint": FINGERPRINT, "approvals": 1, "approvals_needed": 2},
        url="https://example.com/migrations/audit/?run=12",
    )
    return replace(entry, **changes)


def a_home(**changes: Any) -> HomeView:
    home = HomeView(
        person=ANA,
        linked=True,
        pending=PENDING,
        for_me=(ROWS[0],),
        running=(ROWS[1],),
        last=ROWS[2:],
        freezes=(FREEZE,),
        url="https://example.com/migrations/",
        now=NOW,
    )
    return replace(home, **changes)


STATUS = StatusView(pending=PENDING, open_runs=ROWS[:2], freezes=(FREEZE,), url=URL)
HISTORY = HistoryView(rows=ROWS, left_out=40, url=URL)
WHO = WhoView(
    person=ANA, account="ana", linked_at=NOW, permissions=("request a run", "approve a run")
)
HELP = (
    HelpRow(usage="/migrate plan [target] [--database X]", summary="Show what would run."),
    HelpRow(
        usage='/migrate apply [target] [--at T] [--reason "…"]', summary="Ask for a run of it."
    ),
    HelpRow(usage="/migrate history", summary="The last runs."),
)


def an_undo(run: RunView) -> RunView:
    """The same run, going back to ``shop 0006``."""
    steps = tuple(replace(step, direction="backward") for step in run.steps)
    return replace(run, target="shop 0006", steps=steps)
