from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.route.refusals import CommandUnknown, CommandUnreadable, Refused
from bot.slack.commands import COMMANDS, ROWS
from bot.slack.parsing import parse, tokenize


@pytest.mark.parametrize(
    ("typed", "tokens"),
    [
        ("plan shop 0007", ["plan", "shop", "0007"]),
        ("  plan   shop ", ["plan", "shop"]),
        ("apply --reason “new totals”", ["apply", "--reason", "new totals"]),
        ("apply --reason „neue Summen“", ["apply", "--reason", "neue Summen"]),
        ("apply --reason «новые суммы»", ["apply", "--reason", "новые суммы"]),
        ("apply —reason 'it is time'", ["apply", "--reason", "it is time"]),
        ("apply –database replica", ["apply", "--database", "replica"]),
        ("plan `shop` `0007_totals`", ["plan", "shop", "0007_totals"]),
        ("```plan shop```", ["plan", "shop"]),
        ("apply --reason don't wait", ["apply", "--reason", "don't", "wait"]),
        ("apply --reason 'don't wait'", ["apply", "--reason", "don't wait"]),
        ('apply --reason "never closed', ["apply", "--reason", "never closed"]),
        ('apply --reason ""', ["apply", "--reason", ""]),
        ("plan <http://shop.py|shop.py>", ["plan", "shop.py"]),
        ("apply --reason a &amp; b", ["apply", "--reason", "a", "&", "b"]),
        ("plan\u200b shop\ufeff", ["plan", "shop"]),
    ],
)
def test_what_phones_and_pasting_do_is_undone(typed: str, tokens: list[str]) -> None:
    assert tokenize(typed) == tokens


def test_nothing_typed_is_help() -> None:
    assert parse("", COMMANDS).command.name == "help"


def test_words_and_options_may_come_in_any_order() -> None:
    parsed = parse('apply --at=02:00 shop --reason "new totals" 0007 --database replica', COMMANDS)
    assert parsed.words == ("shop", "0007")
    assert parsed.options == {"at": "02:00", "reason": "new totals", "database": "replica"}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("aply shop", "Did you mean `apply`? Usage: /migrate apply [app] [migration]"),
        ("statsu", "Did you mean `status`?"),
        ("frobnicate", "Usage: /migrate help"),
    ],
)
def test_a_typo_gets_the_nearest_command_and_its_usage(typed: str, told: str) -> None:
    with pytest.raises(CommandUnknown) as refused:
        parse(typed, COMMANDS)
    assert told in refused.value.sentence


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("plan --databse x", "there is no --databse. Did you mean --database?"),
        ("apply --reason", "--reason needs a value."),
        ("apply --reason --at 02:00", "--reason needs a value."),
        ("plan a b c", '"c" is too much.'),
        ("show", "run is missing."),
        ("help me", '"me" is too much.'),
    ],
)
def test_what_cannot_be_read_is_told_with_the_usage(typed: str, told: str) -> None:
    with pytest.raises(CommandUnreadable) as refused:
        parse(typed, COMMANDS)
    assert told in refused.value.sentence
    assert "Usage: /migrate" in refused.value.sentence


@given(st.text(max_size=80))
def test_whatever_is_typed_is_read_or_refused_in_a_sentence(text: str) -> None:
    with suppress(Refused):
        assert parse(text, COMMANDS).command in ROWS


@given(st.lists(st.from_regex(r"[a-z0-9_.]{1,12}", fullmatch=True), max_size=2))
def test_plain_words_come_through_unchanged(words: list[str]) -> None:
    assert parse(" ".join(["plan", *words]), COMMANDS).words == tuple(words)
