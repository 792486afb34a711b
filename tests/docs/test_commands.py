"""The page of slash commands: whatever it shows can be typed, and every button on it exists."""

from __future__ import annotations

import re

import pytest

from bot.route.states import State
from bot.slack import blocks
from bot.slack.commands import COMMANDS, ROWS, SLASH
from bot.slack.parsing import Command, parse
from tests.docs.pages import ROOT, pages
from tests.slack.blocks.checks import labels
from tests.slack.blocks.samples import a_home, a_plan, a_run

PAGE = (ROOT / "docs" / "commands.md").read_text()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_command_has_examples_that_are_read_as_that_command(row: Command) -> None:
    assert row.examples
    for example in row.examples:
        assert example.startswith(SLASH)
        assert example in PAGE
        assert parse(example.removeprefix(SLASH), COMMANDS).command is row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_option_of_a_command_is_in_an_example(row: Command) -> None:
    shown = " ".join(row.examples)
    for option in row.options:
        if option.name != "database" or row.name == "plan":
            assert f"--{option.name} " in shown


def test_an_example_with_every_option_means_what_it_says() -> None:
    example = COMMANDS["apply"].examples[-1]
    parsed = parse(example.removeprefix(SLASH), COMMANDS)
    assert parsed.words == ("shop",)
    assert parsed.options == {"at": "2026-12-24T02:00Z", "reason": "don't wait for me"}


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in pages()])
def test_commands_named_on_any_page_exist(page: object) -> None:
    text = page.read_text()  # type: ignore[attr-defined]
    for name in re.findall(r"`/migrate ([a-z]+)", text):
        assert name in COMMANDS


def test_every_button_on_the_page_is_one_that_people_see() -> None:
    named = re.findall(r"^\| ([A-Z][a-z ]+) \|", PAGE, re.MULTILINE)
    assert named
    seen = set(labels(blocks.plan_message(a_plan()).blocks))
    for state in State:
        for needed in (1, 2):
            run = a_run(state, approvals_needed=needed, decisions=())
            seen |= set(labels(blocks.run_message(run).blocks))
    seen |= set(labels(blocks.home_view(a_home())["blocks"]))
    assert set(named) <= seen
