from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.db import transaction

from bot import audit
from bot.models import AuditEntry
from bot.route.events import Expired
from bot.route.people import SYSTEM, Actor, Origin
from tests.management.conftest import Bot
from tests.plans import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_entries(db: None) -> None:
    for number in (1, 2, 3):
        actor = Actor(origin=Origin.COMMAND_LINE, name="ada\x1b") if number == 2 else SYSTEM
        with transaction.atomic():
            audit.append(Expired(because=f"reason {number}"), actor=actor, now=NOW, run=number)


def test_a_sound_chain_is_fine(bot: Bot) -> None:
    said = bot("audit", "verify")
    assert said.code == 0
    assert said.out.startswith("The audit is sound: 3 entries, up to entry 3, hash ")
    assert bot("audit", "verify", "--json").document["sound"] is True


def test_a_broken_chain_is_told_and_ends_with_1(bot: Bot) -> None:
    AuditEntry.objects.filter(seq=2).update(data='{"because":"other"}')
    said = bot("audit", "verify")
    assert said.code == 1
    assert "Entry 2 was changed after it was written." in said.out
    document = bot("audit", "verify", "--json")
    assert document.code == 1
    assert document.document["sound"] is False


@pytest.mark.parametrize("change", [{"data": "[" * 200_000}, {"data": "[]"}, {"actor": "oops"}])
def test_an_entry_that_cannot_be_read_is_told_as_such(bot: Bot, change: dict[str, str]) -> None:
    AuditEntry.objects.filter(seq=2).update(**change)
    assert bot("audit", "verify").code == 1
    assert "2. " in bot("audit", "list").out
    assert len(bot("audit", "list", "--json").document["entries"]) == 3
    assert len(bot("audit", "export").out.splitlines()) == 3


def test_an_export_is_one_entry_a_line(bot: Bot) -> None:
    lines = bot("audit", "export", "--since", "1").out.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [2, 3]


def test_an_export_into_a_file_appears_whole_and_for_its_owner(bot: Bot, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    said = bot("audit", "export", "--output", str(path), "--json")
    assert said.document == {"entries": 3, "output": str(path)}
    assert len(path.read_text().splitlines()) == 3
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["audit.jsonl"]


def test_a_file_that_cannot_be_written_is_a_sentence(bot: Bot, tmp_path: Path) -> None:
    said = bot("audit", "export", "--output", str(tmp_path / "no" / "where"), "--json")
    assert (said.code, said.document["error"]) == (1, "file_not_written")


def test_an_export_as_json_is_one_document(bot: Bot) -> None:
    document = bot("audit", "export", "--json").document
    assert [entry["seq"] for entry in document["entries"]] == [1, 2, 3]


def test_the_list_is_newest_first_filtered_and_harmless(bot: Bot) -> None:
    said = bot("audit", "list")
    assert [line[0] for line in said.out.splitlines() if line[0] != " "] == ["3", "2", "1"]
    assert "\x1b" not in said.out
    assert "by ada\\x1b" in said.out
    seqs = [e["seq"] for e in bot("audit", "list", "--run", "2", "--json").document["entries"]]
    assert seqs == [2]
    assert bot("audit", "list", "--event", "run.failed").out == "No entries.\n"
