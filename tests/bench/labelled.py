"""How many of the labelled sets' answers are right: a plan, rehearsed or not, and two tools alone.

- The sets are in ``tests/labelled``: small migrations of a shop on PostgreSQL with the truth about
  each, argued from documentation and measured. What findings claim is in ``tests.labelled.claims``.
  The held-out set was labelled before anybody looked at a rule for it, and has lines of its own.
- Every judge sees the same database: the shop with rows, which the catalogue calls large.
- squawk alone: what a plan shows of its SQL, each migration by itself, with BEGIN and COMMIT.
- django-migration-linter alone: from PyPI in a virtual environment of its own, asked for the same
  migrations. It cannot be asked about plans that go back; those are left out of its share.
- Whether rows can stop a migration, or lose something, a plan is asked once more with rows that
  do: it looks at today's.
- A share is of the cases that a judge was asked about and that have one true answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bot.database import squawk
from bot.route.plan import Plan
from tests.bench import _linter
from tests.bench.report import Report
from tests.labelled.case import Case
from tests.labelled.cases import CASES
from tests.labelled.claims import (
    SQUAWK,
    Answer,
    Question,
    answer_of_plan,
    answer_of_tool,
    with_its_rows,
)
from tests.labelled.ground import Ground, Standing, ground
from tests.labelled.heldout import HELD_OUT
from tests.labelled.rehearsing import rehearsing
from tests.labelled.scoring import Score, levels, score

Answers = Mapping[str, Answer]
SETS: dict[str, tuple[Case, ...]] = {"the set that taught": CASES, "held out": HELD_OUT}
PROMISED = (Question.BLOCKS, Question.BREAKS)
REHEARSED_AT_LEAST = 0.95


def run(report: Report) -> None:
    """All judges about all cases, one case after the other."""
    from tests import servers

    if because := servers.missing("postgresql"):
        report.miss(f"the labelled set on PostgreSQL: {because}")
        return
    judged = _judged(report)
    for name, cases in SETS.items():
        print(f"\n{name}: {len(cases)} cases")
        for question in Question:
            _tell(question, judged, cases)
        _tell_levels(judged, cases)
        _promise(report, judged, name, cases)


def _judged(report: Report) -> dict[str, Answers]:
    """Each judge's answers by the names of all cases; a judge that is missing here is left out."""
    judged: dict[str, dict[str, Answer]] = {"rehearsed": {}, "unrehearsed": {}}
    binary = squawk.find()
    if binary is None:
        report.miss(f"squawk alone: squawk-cli {squawk.VERSION} is not installed")
    else:
        judged["squawk alone"] = {}
    judged[_linter.NAME] = {}
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        shop: Ground = stack.enter_context(ground(Path(name)))
        linter = stack.enter_context(_linter.linter(Path(name), shop.app))
        rehearse = stack.enter_context(rehearsing())
        for case in (case for cases in SETS.values() for case in cases):
            with shop.standing(case) as standing:
                plan = standing.plan()
                if binary is not None:
                    judged["squawk alone"][case.name] = _squawked(binary, plan)
                if not case.back:
                    judged[_linter.NAME][case.name] = _linted(linter, standing)
                rehearsed = answer_of_plan(rehearse(standing, plan))
                spoiled = _spoiled(standing)
                judged["unrehearsed"][case.name] = with_its_rows(answer_of_plan(plan), spoiled)
                judged["rehearsed"][case.name] = with_its_rows(rehearsed, spoiled)
    return dict(judged)


def _spoiled(standing: Standing) -> Answer | None:
    """The plan's answer when the rows are there that the case says would spoil it."""
    if not standing.case.spoil:
        return None
    standing.execute(standing.case.spoil)
    return answer_of_plan(standing.plan())


def _squawked(binary: Path, plan: Plan) -> Answer:
    codes: list[str] = []
    for step in plan.steps:
        lines = [f"{one.sql.rstrip().rstrip(';')};" for one in step.statements if one.sql.strip()]
        if step.atomic:
            lines = ["BEGIN;", *lines, "COMMIT;"]
        found = squawk.ask(binary, lines, (15, 0))
        codes += [str(one["rule_name"]) for one in found or ()]
    return answer_of_tool(codes, SQUAWK)


def _linted(linter: _linter.Linter, standing: Standing) -> Answer:
    return answer_of_tool(linter.codes(standing), _linter.CLAIMS)


def _tell(question: Question, judged: Mapping[str, Answers], cases: Sequence[Case]) -> None:
    print(f"\n{question.value}")
    print("| judge | asked | dangers found | missed | false alarms | right |")
    print("|---|---|---|---|---|---|")
    for judge, answers in judged.items():
        one = score(cases, answers, question)
        print(
            f"| {judge} | {one.of} | {len(one.hit)} | {len(one.missed)} | {len(one.false)} "
            f"| {one.right} ({one.share:.1%}) |"
        )
    for judge in ("rehearsed", "unrehearsed"):
        one = score(cases, judged[judge], question)
        print(f"{judge}: missed {_names(one.missed)}; false alarms {_names(one.false)}")


def _tell_levels(judged: Mapping[str, Answers], cases: Sequence[Case]) -> None:
    print("\nlevel")
    for judge in ("rehearsed", "unrehearsed"):
        wrong, unsafe = levels(cases, judged[judge])
        right = len(cases) - len(wrong)
        print(f"{judge}: {right} of {len(cases)} right, wrong: {_names(wrong)}")
        print(f"{judge}: dangerous ones called safe: {_names(unsafe)}")
    for judge, answers in judged.items():
        if judge not in ("rehearsed", "unrehearsed"):
            silent = [case.name for case in cases if _is_silent(case, answers)]
            print(f"{judge}: dangerous ones of which it claims nothing: {len(silent)}")


def _is_silent(case: Case, answers: Answers) -> bool:
    dangerous = case.labels.level.value == "dangerous"
    return dangerous and case.name in answers and not answers[case.name].claims


def _names(names: object) -> str:
    return ", ".join(names) if isinstance(names, list | tuple) and names else "none"


def _wrong(score: Score) -> float:
    """Wrong answers of a hundred."""
    return 100 * (1 - score.share)


def _promise(
    report: Report, judged: Mapping[str, Answers], name: str, cases: Sequence[Case]
) -> None:
    """A plan alone is wrong less often than either tool; rehearsed at most 5 of 100 times."""
    for question in PROMISED:
        alone = score(cases, judged["unrehearsed"], question)
        for judge in judged:
            if judge in ("rehearsed", "unrehearsed"):
                continue
            theirs = score(cases, judged[judge], question)
            report.compare(
                f"{name}, {question.value}: wrong answers of a plan alone",
                _wrong(alone),
                _wrong(theirs),
                than=f"of {judge}",
                unit="of 100",
                at_most=0.99,
            )
        rehearsed = score(cases, judged["rehearsed"], question)
        report.compare(
            f"{name}, {question.value}: wrong answers of a rehearsed plan",
            _wrong(rehearsed),
            _wrong(alone) or 1.0,
            than="of a plan alone",
            unit="of 100",
        )
    both = [score(cases, judged["rehearsed"], question) for question in PROMISED]
    share = sum(one.right for one in both) / sum(one.of for one in both)
    report.compare(
        f"{name}: wrong answers of a rehearsed plan to both",
        100 * (1 - share),
        100 * (1 - REHEARSED_AT_LEAST),
        than="promised",
        unit="of 100",
        at_most=1,
    )
    for judge in ("rehearsed", "unrehearsed"):
        _, unsafe = levels(cases, judged[judge])
        report.compare(
            f"{name}: dangerous ones that a plan calls safe, {judge}",
            len(unsafe),
            1,
            than="would be too many",
            unit="cases",
            at_most=0,
        )
