"""What every subcommand has in common: parsing, errors, documents, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import load_command_class
from django.db import OperationalError, connection

from bot.management import table
from bot.management.exits import Exit
from bot.management.table import SUBCOMMANDS
from tests import warm
from tests.management.conftest import Bot

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operating.md").read_text()


def shell(*words: str) -> subprocess.CompletedProcess[str]:
    """manage.py in a process of its own, on the tests' settings."""
    return warm.run(["-m", "django", "migration_bot", *words], cwd=ROOT, env=os.environ, timeout=60)


@pytest.mark.parametrize("row", SUBCOMMANDS, ids=lambda row: row.name)
def test_every_subcommand_has_help_and_takes_the_common_options(
    row: table.Subcommand, capsys: pytest.CaptureFixture[str]
) -> None:
    parser: Any = load_command_class("bot", "migration_bot").create_parser("manage.py", "x")
    words = [row.name] if row.name != "audit" else ["audit", "verify"]
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([*words, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in ("--json", "--traceback", "--verbosity"):
        assert option in text


@pytest.mark.parametrize("row", SUBCOMMANDS, ids=lambda row: row.name)
def test_every_subcommand_is_documented(row: table.Subcommand) -> None:
    assert f"migration_bot {row.name}" in PAGE


@pytest.mark.parametrize("code", Exit, ids=lambda code: code.name)
def test_every_exit_code_is_documented(code: Exit) -> None:
    assert f"| {int(code)} | {code.meaning} |" in PAGE


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("plam",), "Did you mean plan?"),
        (("approve", "x", "--as", "ada"), "invalid"),
        (("request", "--as", "ada"), "--reason"),
        (("history", "--limit", "0"), "--limit"),
    ],
)
def test_a_command_line_that_is_not_understood_ends_with_2(
    words: tuple[str, ...], hint: str
) -> None:
    plain, document = shell(*words), shell(*words, "--json")
    assert plain.returncode == document.returncode == 2
    assert plain.stdout == ""
    assert hint in plain.stderr
    told = json.loads(document.stdout)
    assert told["error"] == "usage"
    assert hint in told["message"]


def test_in_a_shell_a_refusal_is_a_sentence_and_a_code_without_a_traceback() -> None:
    said = shell("show", "1")
    assert said.returncode == 1
    assert said.stdout == ""
    assert said.stderr == (
        "The bot's own tables are missing or old. Run `manage.py migration_bot setup` first.\n"
    )


@pytest.mark.django_db
def test_what_broke_has_a_reference_and_its_traceback_when_asked(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise LookupError("deep inside")

    monkeypatch.setattr("bot.operations.reading.runs", broken)
    said = bot("history")
    assert said.code == 1
    assert "Something broke; its reference is " in said.err
    reference = said.err.split("reference is ")[1].split(".")[0]
    assert reference in caplog.text
    assert "deep inside" not in said.err
    assert "LookupError: deep inside" in bot("history", "--traceback").err
    document = bot("history", "--json")
    assert (document.code, document.document["error"]) == (1, "broken")


@pytest.mark.django_db
def test_a_state_database_that_is_down_is_told_as_such(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise OperationalError("could not connect to server")

    monkeypatch.setattr("bot.operations.reading.runs", broken)
    monkeypatch.setattr(connection, "ensure_connection", broken)
    said = bot("history", "--json")
    assert (said.code, said.document["error"]) == (1, "database_down")
    assert "could not connect to server" in said.document["message"]


@pytest.mark.django_db
def test_a_misconfiguration_stops_every_subcommand(bot: Bot, settings: Any) -> None:
    settings.MIGRATION_BOT = {"leese": 30}
    said = bot("history")
    assert said.code == 1
    assert "migration_bot.E002" in said.err
    assert "Did you mean lease?" in said.err
    assert bot("history", "--json").document["error"] == "misconfigured"


@pytest.mark.django_db
def test_a_worker_runs_under_the_supervisor(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def supervise(*, say: Any) -> None:
        say("worker here")

    monkeypatch.setattr("bot.worker.supervise", supervise)
    said = bot("worker")
    assert (said.code, said.out) == (0, "")
    assert "worker here" in said.err


@pytest.mark.django_db
def test_what_others_print_stays_out_of_the_document(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.operations import reading

    real = reading.runs

    def chatty(**filters: str) -> Any:
        sys.stdout.write("I am a migration that prints while it is loaded\n")
        return real(**filters)

    monkeypatch.setattr("bot.operations.reading.runs", chatty)
    assert bot("history", "--json").document == {"runs": []}


@pytest.mark.django_db
def test_verbosity_0_says_nothing(bot: Bot) -> None:
    assert bot("history", "-v", "0").out == ""
    assert json.loads(bot("history", "-v", "0", "--json").out) == {"runs": []}
