"""The sentence with which a message begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.route.findings import Evidence
from bot.route.rehearsal import Deed, MeasuredStatement, Outcome, Probe, Rehearsal, RehearsedStep
from bot.route.rehearsal_words import lead
from bot.route.rehearsing import step_words
from bot.route.risks.effects import Effect, Lock, Work

NOW = datetime(2026, 11, 26, 7, tzinfo=UTC)


def rehearsal(*steps: RehearsedStep, **facts: Any) -> Rehearsal:
    return Rehearsal(
        fingerprint="f", database="default", vendor="postgresql", made_at=NOW, steps=steps, **facts
    )


def step(name: str = "0002", **facts: Any) -> RehearsedStep:
    given = {"outcome": Outcome.WORKS, "complete": True, "undo": Outcome.WORKS}
    return RehearsedStep(key=f"shop.{name}", **{**given, **facts})


def locking(table: str, lock: Lock, work: Work) -> MeasuredStatement:
    effect = Effect(table=table, lock=lock, work=work, evidence=Evidence.MEASURED)
    return MeasuredStatement(operation=0, sql="ALTER", milliseconds=1, effects=(effect,))


def test_the_worst_comes_first_and_undo_last() -> None:
    broken = Probe(
        model="shop.Order", table="shop_order", deed=Deed.INSERT, outcome=Outcome.FAILS, error="no"
    )
    (said,) = lead(
        rehearsal(
            step(
                measured=(
                    locking("shop_line", Lock.SHARE, Work.INDEX),
                    locking("shop_order", Lock.ALL, Work.NONE),
                    locking("shop_order", Lock.ALL, Work.REWRITE),
                ),
                probes=(broken,),
            )
        )
    )
    assert said == (
        "Measured on a copy of the schema: the running release's INSERT of shop_order fails; holds "
        "ACCESS EXCLUSIVE on shop_order for a rewrite; holds SHARE on shop_line for an index build;"
        " undo works."
    )


def test_a_lock_is_told_as_the_database_has_it_and_five_failures_are_one() -> None:
    broken = tuple(
        Probe(model="shop.Order", table="shop_order", deed=deed, outcome=Outcome.FAILS, error="no")
        for deed in Deed
    )
    locked = (locking("shop_line", Lock.SHARE_ROW, Work.REWRITE),)
    found = step(measured=locked, probes=broken)
    words = {
        "sqlite": "blocks every other writer for a rewrite of shop_line",
        "mysql": "blocks writes to shop_line for a rewrite",
        "postgresql": "holds SHARE ROW EXCLUSIVE on shop_line for a rewrite",
    }
    for vendor, held in words.items():
        (said,) = lead(replace(rehearsal(found), vendor=vendor))
        assert said == (
            "Measured on a copy of the schema: nothing that the running release does with "
            f"shop_order works; {held}; undo works."
        )


def test_a_failure_stands_before_everything_and_what_was_not_reached_is_counted() -> None:
    failed = step(outcome=Outcome.FAILS, complete=False, error="division by zero.")
    unreached = step("0003", outcome=Outcome.UNKNOWN, complete=False, undo=Outcome.UNKNOWN)
    (said,) = lead(rehearsal(failed, unreached))
    assert said == (
        "Measured on a copy of the schema: shop.0002 fails (division by zero); 1 of 2 steps were "
        "not reached."
    )


def test_unknown_is_never_said_to_work() -> None:
    left_out = step(undo=Outcome.UNKNOWN, skipped=("Python was left out: fill.",))
    (said,) = lead(rehearsal(left_out))
    assert "works" not in said
    assert "Python was left out of shop.0002" in said


def test_what_could_not_be_seen_or_tried_is_said_and_never_that_nobody_waits() -> None:
    (said,) = lead(rehearsal(step(blind=True)))
    assert "what shop.0002 locks could not be measured" in said
    (said,) = lead(rehearsal(step(undo=Outcome.UNKNOWN)))
    assert said.endswith(": whether undo of shop.0002 works is not known.")


def test_a_wide_plan_is_told_in_short_sentences() -> None:
    steps = [step(f"{n:04}", undo=Outcome.FAILS, blind=True) for n in range(200)]
    (said,) = lead(rehearsal(*steps))
    assert "undo of shop.0000, shop.0001, shop.0002 and 197 more fails" in said
    assert len(said) < 400
    unknown = Probe(model="shop.Order", table="", deed=Deed.SELECT, outcome=Outcome.UNKNOWN)
    tables = [f"shop_{n}" for n in range(200)]
    wide = step(
        measured=tuple(locking(table, Lock.ALL, Work.NONE) for table in tables),
        probes=tuple(
            replace(unknown, table=table, outcome=outcome)
            for table in tables
            for outcome in (Outcome.UNKNOWN, Outcome.FAILS)
        ),
    )
    for sentence in step_words(wide, "postgresql"):
        assert len(sentence) < 400, sentence
        assert sentence in ("Ran in 0 ms.", "Undo works.") or "192 more" in sentence


def test_many_tables_are_counted() -> None:
    many = tuple(locking(f"shop_{n}", Lock.ALL, Work.NONE) for n in range(40))
    (said,) = lead(rehearsal(step(measured=many)))
    assert "37 more tables likewise" in said
    assert len(said) < 400


def test_where_nothing_was_measured_it_says_why() -> None:
    assert lead(rehearsal(because="No server. Set rehearsal_databases.")) == (
        "No server. Set rehearsal_databases.",
    )


def tried(table: str, deed: Deed, outcome: Outcome) -> Probe:
    return Probe(model="shop.Order", table=table, deed=deed, outcome=outcome)


def test_what_could_not_be_tried_is_never_told_beside_that_it_works() -> None:
    reads = tried("shop_line", Deed.SELECT, Outcome.WORKS)
    writes = tried("shop_line", Deed.INSERT, Outcome.UNKNOWN)
    other = tried("shop_order", Deed.SELECT, Outcome.UNKNOWN)
    said = step_words(step(probes=(reads, writes, other)), "sqlite")
    assert "The running release goes on as far as it could be tried." in said
    assert "Not known of the running release: INSERT on shop_line and shop_order." in said
    assert not any("was tried, and works" in words for words in said)


def test_where_nothing_could_be_tried_nothing_is_said_to_go_on() -> None:
    said = step_words(step(probes=(tried("shop_line", Deed.SELECT, Outcome.UNKNOWN),)), "sqlite")
    assert "Not known of the running release: shop_line." in said
    assert not any("goes on" in words for words in said)


def test_where_all_was_tried_and_works_that_is_said() -> None:
    said = step_words(step(probes=(tried("shop_line", Deed.SELECT, Outcome.WORKS),)), "sqlite")
    words = "The running release goes on: what it reads and writes was tried, and works."
    assert words in said
