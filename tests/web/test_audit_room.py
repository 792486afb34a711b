from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bot import audit
from bot.models import AuditEntry, Run
from bot.web.rooms import audit as room
from tests.plans import a_plan, a_step
from tests.web.conftest import JSON

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(asked: Callable[..., Run]) -> list[Run]:
    return [asked(a_plan(a_step(name=f"000{number}_more"))) for number in (2, 3, 4)]


def test_entries_are_filtered_by_event_and_run(
    runs: list[Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    client.post(f"/migrations/runs/{runs[0].pk}/approve/")
    found = client.get(f"/migrations/audit/?run={runs[0].pk}", headers=JSON).json()
    assert [entry["event"] for entry in found["entries"]] == [
        "run.queued",
        "run.approved",
        "run.requested",
    ]
    found = client.get("/migrations/audit/?event=run.req", headers=JSON).json()
    assert [entry["run"] for entry in found["entries"]] == [run.pk for run in reversed(runs)]
    page = client.get("/migrations/audit/?event=run.approved").content.decode()
    assert "1 entry that fit" in page
    assert "ada (page)" in page


@pytest.mark.parametrize("query", ["?run=x", "?run=-1", f"?event={'x' * 101}", "?event=%00"])
def test_a_filter_that_means_nothing_is_told_as_such(
    query: str, ada: Any, signed_in: Callable[..., Client]
) -> None:
    assert signed_in(ada).get(f"/migrations/audit/{query}", headers=JSON).status_code == 400


def test_the_chain_is_verified_on_demand(
    runs: list[Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    client = signed_in(ada)
    found = client.get("/migrations/audit/verify/", headers=JSON).json()
    assert found == {
        "sound": True,
        "entries": 3,
        "seq": 3,
        "hash": AuditEntry.objects.get(seq=3).hash,
        "problems": [],
    }
    assert "The chain holds." in client.get("/migrations/audit/verify/").content.decode()


def test_a_changed_entry_is_found_and_the_page_still_shows_it(
    runs: list[Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE migration_bot_auditentry SET actor = 'oops', run = -3 WHERE seq = 2")
    client = signed_in(ada)
    page = client.get("/migrations/audit/verify/").content.decode()
    assert "The chain does not hold." in page
    assert client.get("/migrations/audit/").status_code == 200


def test_the_export_is_every_entry_as_a_line_in_order(
    runs: list[Run],
    ada: Any,
    signed_in: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "CHUNK", 2)
    answer: Any = signed_in(ada).get("/migrations/audit/export/")
    assert answer["Content-Type"] == "application/x-ndjson"
    assert "attachment" in answer["Content-Disposition"]
    lines = b"".join(answer.streaming_content).decode().splitlines()
    entries = AuditEntry.objects.order_by("seq")
    assert [json.loads(line) for line in lines] == [audit.as_json(entry) for entry in entries]


def test_all_staff_may_export_what_all_staff_may_read(
    runs: list[Run], robin: Any, signed_in: Callable[..., Client]
) -> None:
    page = signed_in(robin).get("/migrations/audit/").content.decode()
    assert "Export as JSON Lines" in page
    answer: Any = signed_in(robin).get("/migrations/audit/export/")
    assert len(b"".join(answer.streaming_content).splitlines()) == len(runs)


@pytest.mark.parametrize(
    "change",
    [
        "at = 'garbage'",
        f"data = '{'[' * 200_000}'",
        f"data = '{'[' * 900}{']' * 900}'",
        """data = '{"a":"\\ud800"}'""",
        "data = '{\"a\":NaN}'",
        "actor = '[]'",
    ],
    ids=["time", "deep", "fairly deep", "half a character", "no number", "no person"],
)
def test_an_entry_that_cannot_be_read_is_shown_as_it_stands(
    change: str, runs: list[Run], ada: Any, signed_in: Callable[..., Client]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE migration_bot_auditentry SET {change} WHERE seq = 2")
    client = signed_in(ada)
    assert client.get("/migrations/audit/").status_code == 200
    found = client.get("/migrations/audit/verify/", headers=JSON).json()
    assert not found["sound"]
    assert "Entry 2 " in found["problems"][0]
    assert len(client.get("/migrations/audit/", headers=JSON).json()["entries"]) == len(runs)
    answer: Any = client.get("/migrations/audit/export/")
    lines = b"".join(answer.streaming_content).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
