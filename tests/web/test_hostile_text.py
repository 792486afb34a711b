"""Names, SQL, reasons and errors are other people's text, on every page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st

from bot.models import Run, StoredPlan, Worker
from bot.route.findings import Finding, Risk
from bot.route.plan import Belief, Operation, Statement, Target
from bot.web.forms import Fields
from bot.web.showing import shown
from bot.web.shown_plans import StatementShown
from tests.plans import a_plan, a_step, an_account

BAD = '<script>alert(1)</script>{{ 7 }}{% now "Y" %}\u202egnp\u2066\u200b"\'&'


@pytest.mark.django_db
def test_no_page_lets_text_become_markup_or_hide_itself(
    ada: Any,
    asked: Callable[..., Run],
    kept: Callable[..., StoredPlan],
    now: datetime,
    signed_in: Callable[..., Client],
) -> None:
    operation = Operation(
        kind=BAD, words=BAD, statements=(Statement(sql=BAD, belief=Belief.PREDICTED, note=BAD),)
    )
    finding = Finding(code=BAD, level=Risk.CAUTION, because=BAD, instead=BAD, table=BAD)
    step = a_step(
        app=BAD,
        name=BAD,
        operations=(operation,),
        findings=(finding,),
        replaces=(BAD,),
        reversible=False,
        irreversible_because=BAD,
    )
    plan = replace(a_plan(step, release=BAD), target=Target(), findings=(finding,))
    stored = kept(plan)
    run = asked(plan, reason=BAD)
    Run.objects.filter(pk=run.pk).update(
        state="failed",
        requester_name=BAD,
        error=BAD,
        error_step=BAD,
        error_statement=BAD,
        traceback=BAD,
        waiting_for=[BAD],
        stale_because=[BAD],
    )
    client = signed_in(an_account(BAD, "approve_run", "request_run"))
    pages = [
        "/migrations/",
        "/migrations/runs/",
        "/migrations/audit/",
        f"/migrations/plans/{stored.pk}/",
        f"/migrations/runs/{run.pk}/",
        f"/migrations/runs/{run.pk}/?fragment=1",
        f"/migrations/runs/{run.pk}/cancel/",
    ]
    for page in pages:
        answer = client.get(page)
        text = answer.content.decode()
        assert answer.status_code == 200
        assert "&lt;script&gt;alert(1)" in text
        assert "<script>" not in text
        assert "{{ 7 }}" in text
        for hidden in "\u202e\u2066\u200b":
            assert hidden not in text
        assert "\\u202egnp" in text


@pytest.mark.django_db
def test_hostile_input_comes_back_escaped(ada: Any, signed_in: Callable[..., Client]) -> None:
    client = signed_in(ada)
    answers = [
        client.post("/migrations/apply/", {"reason": BAD, "at": BAD, "target": BAD}),
        client.post("/migrations/plan/", {"database": BAD, "target": BAD}),
        client.get("/migrations/runs/", {"state": BAD}),
        client.get("/migrations/runs/", {"app": BAD, "requester": BAD}),
        client.get("/migrations/audit/", {"event": BAD}),
        client.get("/migrations/audit/", {"run": BAD}),
        client.get("/migrations/audit/", {"page": BAD}),
    ]
    for answer in answers:
        assert answer.status_code in (200, 400)
        text = answer.content.decode()
        assert "<script>" not in text
        assert "alert(1)" in text


@given(st.recursive(st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_no_text_in_a_context_keeps_what_cannot_be_seen(value: Any) -> None:
    def check(item: Any) -> None:
        if isinstance(item, str):
            assert not set(item) & set("\u202e\u2066\u200b\x1b\x00")
        elif isinstance(item, list):
            for one in item:
                check(one)
        else:
            for one in item.values():
                check(one)

    check(shown(value))


def test_values_and_marked_text_are_walked_too() -> None:
    statement = StatementShown(sql="a\u202eb", belief="exact", belief_words="", note="")
    assert shown([statement])[0].sql == "a\\u202eb"
    assert shown(Worker(name="a\u202eb"))["name"] == "a\\u202eb"
    marked = shown(mark_safe("<b>"))
    assert type(marked) is str
    assert shown("one\n\ttwo") == "one\n\ttwo"


def test_what_a_person_typed_comes_back_to_them_as_it_was() -> None:
    typed = Fields({"reason": "a\u200db"})
    assert shown(typed) is typed
