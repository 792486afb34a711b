"""The labelled set holds together, its labels are what PostgreSQL does, and no danger is called
safe by a plan that was never rehearsed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from bot.route.findings import Risk
from bot.route.risks.judge import codes
from tests.conftest import need
from tests.labelled.case import Case, Data, Labels, Lock, Release, Undo
from tests.labelled.cases import CASES
from tests.labelled.claims import OURS, Question, answer_of_plan
from tests.labelled.ground import Ground, ground, sources_of
from tests.labelled.heldout import HELD_OUT
from tests.labelled.measuring import measure
from tests.labelled.scoring import levels, score

ALL = (*CASES, *HELD_OUT)
AT_LEAST = 0.95
"""The share of right answers that a plan alone gives to what blocks and to what breaks."""


@pytest.fixture(scope="module")
def shop(
    tmp_path_factory: pytest.TempPathFactory, django_db_blocker: DjangoDbBlocker
) -> Iterator[Ground]:
    need("postgresql")
    folder: Path = tmp_path_factory.mktemp("labelled")
    with django_db_blocker.unblock(), ground(folder) as made:
        yield made


def by_name(case: Case) -> str:
    return case.name


def test_there_are_many_and_each_has_a_name_of_its_own() -> None:
    assert len(CASES) >= 120
    assert len(HELD_OUT) >= 60
    assert [name for name, times in Counter(map(by_name, ALL)).items() if times > 1] == []


def test_every_answer_to_every_question_is_there_often_enough_to_count() -> None:
    for field in fields(Labels):
        found = Counter(getattr(case.labels, field.name) for case in CASES)
        kinds = {"lock": Lock, "release": Release, "data": Data, "undo": Undo, "level": Risk}
        for answer in kinds[field.name]:
            assert found[answer] >= 8, f"{field.name} {answer}: {found[answer]}"


@pytest.mark.parametrize("case", ALL, ids=by_name)
def test_each_is_argued_and_its_labels_go_together(case: Case) -> None:
    labels = case.labels
    assert re.fullmatch(r"\S.{9,}[.?!]", case.why, re.DOTALL), case.why
    assert case.source.startswith("https://")
    assert bool(case.plan) is not case.back
    if labels.undo is Undo.FAILS and not case.fails:
        assert case.since or labels.data is Data.LOST, "what makes its undo fail?"
    if labels.data is Data.MAY_FAIL:
        assert case.spoil or case.fails or "data" in case.unmeasured, "which rows stop it?"
    worst = labels.lock is Lock.GROWS or labels.release is Release.BREAKS
    if worst or labels.data is Data.LOST:
        assert labels.level is Risk.DANGEROUS
    if labels.level is Risk.SAFE:
        assert (labels.lock, labels.release) == (Lock.NONE, Release.WORKS)
        assert (labels.data, labels.undo) == (Data.KEPT, Undo.WORKS)
    for name, source in sources_of(case).items():
        compile(source, name, "exec")


@pytest.mark.slow
@pytest.mark.parametrize("case", ALL, ids=by_name)
def test_what_postgresql_does_is_what_the_label_says(case: Case, shop: Ground) -> None:
    """Forward with rows, with rows that spoil it, as the running release sees it, and back."""
    found = measure(shop, case)
    assert found.failed is case.fails, found.told
    for question in ("lock", "release", "data", "undo"):
        label, seen = getattr(case.labels, question), getattr(found, question)
        if seen is None or question in case.unmeasured or label is Release.DEPENDS:
            continue
        assert seen is label, f"{question}: {found.told}"


def test_every_finding_has_a_claim_or_none_on_purpose() -> None:
    assert set(codes()) <= set(OURS)


@pytest.mark.parametrize("cases", [CASES, HELD_OUT], ids=["taught", "held out"])
def test_a_plan_alone_calls_no_danger_safe_and_is_right_where_it_can_be(
    cases: tuple[Case, ...], shop: Ground
) -> None:
    answers = {case.name: answer_of_plan(plan) for case, plan in shop.plans(cases)}
    assert len(answers) == len(cases)
    _, unsafe = levels(cases, answers)
    assert unsafe == []
    for question in (Question.BLOCKS, Question.BREAKS):
        found = score(cases, answers, question)
        assert found.share >= AT_LEAST, (question, found.missed, found.false)
