from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from bot import operations
from bot.models import Run
from tests.plans import a_plan, a_step, acting
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(asked: Callable[..., Run]) -> list[Run]:
    """A rejected one of shop, and a requested one of accounts on another database."""
    first = asked(a_plan(a_step(app="shop")))
    second = asked(a_plan(a_step(app="accounts")))
    Run.objects.filter(pk=first.pk).update(state="rejected")
    Run.objects.filter(pk=second.pk).update(database="replica", requester_name="grace")
    return [first, second]


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("", [1, 0]),
        ("?state=rejected", [0]),
        ("?state=succeeded", []),
        ("?database=replica", [1]),
        ("?app=shop", [0]),
        ("?app=sho", []),
        ("?requester=grace", [1]),
        ("?app=accounts&requester=robin", []),
    ],
)
def test_the_history_is_filtered(
    query: str, which: list[int], runs: list[Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    found = client.get(f"/migrations/runs/{query}", headers=JSON).json()
    assert [run["id"] for run in found["runs"]] == [runs[number].pk for number in which]
    assert found["count"] == len(which)
    page = client.get(f"/migrations/runs/{query}").content.decode()
    assert re.findall(r">Run (\d+)</a>", page) == [str(runs[number].pk) for number in which]


@pytest.mark.parametrize(
    "query", ["?state=gone", "?page=0", "?page=x", "?page=٣", "?app=%00", f"?app={'x' * 300}"]
)
def test_a_filter_that_means_nothing_is_told_as_such(
    query: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    answer = signed_in(ada).get(f"/migrations/runs/{query}", headers=JSON)
    assert (answer.status_code, answer.json()["error"]) == (400, "input_not_understood")


def test_there_are_fifty_on_a_page_and_filters_stay_on_the_next(
    asked: Callable[..., Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    first = asked()
    rows = []
    for _ in range(51):
        copy = Run.objects.get(pk=first.pk)
        copy.pk = None
        rows.append(copy)
    Run.objects.bulk_create(rows)
    client = signed_in(ada)
    answer = client.get("/migrations/runs/?state=requested", headers=JSON).json()
    assert (len(answer["runs"]), answer["pages"], answer["count"]) == (50, 2, 52)
    page = client.get("/migrations/runs/?state=requested").content.decode()
    assert 'href="?state=requested&amp;page=2"' in page
    last = client.get("/migrations/runs/?state=requested&page=2", headers=JSON).json()
    assert [run["id"] for run in last["runs"]][-1] == first.pk
    assert client.get("/migrations/runs/?page=99", headers=JSON).json()["page"] == 2


def test_a_page_of_runs_takes_few_queries(
    asked: Callable[..., Run],
    ada: Any,
    signed_in: Callable[..., Client],
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(2, 12):
        asked(a_plan(a_step(name=f"{number:04}_more")))
    client = signed_in(ada)
    with django_assert_max_num_queries(12):
        client.get("/migrations/runs/")


def test_the_list_names_who_approved(
    asked: Callable[..., Run], ada: Any, grace: Any, now: Any, signed_in: Callable[..., Client]
) -> None:
    operations.approve(asked().pk, actor=acting(grace), now=now)
    page = signed_in(ada).get("/migrations/runs/").content.decode()
    assert 'robin<span class="small reason">approved by grace</span>' in page
