from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.text import (
    BARE,
    RICH,
    code,
    code_block,
    cut,
    cut_escaped,
    duration,
    escape,
    joined,
    length,
    one_line,
    plain,
    prose,
    safe_url,
    sentence,
    spoken,
    utc,
)
from bot.slack.blocks.values import PersonView
from tests.slack.blocks.checks import check_markup
from tests.slack.blocks.samples import NOW

anything = st.text(st.characters(exclude_categories=()), max_size=200)


def test_the_three_characters_of_slack_are_escaped() -> None:
    assert escape("a < b && c > d") == "a &lt; b &amp;&amp; c &gt; d"


def test_a_channel_call_in_data_is_only_text() -> None:
    assert prose("<!channel> <@U1> <#C1>", 99) == "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt;"


def test_a_backtick_cannot_end_a_code_span() -> None:
    assert code("a`b") == "`aˋb`"


def test_fences_in_sql_cannot_end_a_code_block_and_single_backticks_stay() -> None:
    assert code_block("SELECT `a` ```", 99) == "```\nSELECT `a` ˋˋˋ\n```"


def test_an_empty_name_is_still_a_code_span() -> None:
    assert code("") == "`–`"
    assert code_block("", 99) == "```\n–\n```"


def test_a_direction_override_is_made_visible() -> None:
    assert code("safe\u202edrop") == r"`safe\u202edrop`"
    assert code_block("a\u202eb", 99) == "```\na\\u202eb\n```"
    assert plain("a\u202eb", 99) == r"a\u202eb"


def test_arabic_and_hebrew_names_are_left_as_they_are() -> None:
    assert code("طلب_שלום") == "`طلب_שלום`"


def test_markup_in_a_reason_has_no_effect() -> None:
    shown = prose("*bold* _slanted_ ~gone~ `code`", 99)
    assert not set("*~`") & set(shown)
    assert "_" not in shown


def test_an_underscore_inside_a_name_stays() -> None:
    assert prose("0007_order_total", 99) == "0007_order_total"


def test_a_sentence_of_ours_keeps_its_code_spans() -> None:
    assert sentence("Use `manage.py migrate` <now>.", 99) == "Use `manage.py migrate` &lt;now&gt;."


def test_the_words_that_call_a_channel_are_broken_where_markup_is_not_read() -> None:
    assert BARE.free("@channel @Here @everyone", 99) == "@ channel @ Here @ everyone"
    assert plain("<!here> @here", 99) == "‹!here> @ here"


@pytest.mark.parametrize("user", ["", "u123", "U12 3", "U1><!channel>", "C123", "U1|x", "U1\n"])
def test_only_an_id_that_slack_could_have_given_becomes_a_mention(user: str) -> None:
    assert RICH.person(PersonView(name="Ana", slack_user=user)) == "Ana"


def test_a_person_of_our_team_is_mentioned_in_blocks_and_named_in_words() -> None:
    ana = PersonView(name="Ana", slack_user="U0ANA")
    assert RICH.person(ana) == "<@U0ANA>"
    assert RICH.named(ana) == "Ana"
    assert BARE.person(ana) == "Ana"


def test_somebody_without_a_name_is_somebody() -> None:
    assert RICH.person(PersonView(name="")) == "somebody"


def test_a_moment_has_a_fallback_in_utc() -> None:
    assert RICH.at(NOW) == "<!date^1795452612^{date_short_pretty} {time}|2026-11-23 16:50 UTC>"
    assert RICH.at(NOW, seconds=True).endswith("{time_secs}|2026-11-23 16:50:12 UTC>")


def test_a_moment_of_another_zone_is_told_in_utc() -> None:
    assert utc(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-11-23 16:50 UTC"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "http://a.example/|x>",
        "https://",
        "ftp://a.example",
        "http://a b",
        "https://a\n.b",
        "https://[",
        "",
        "https://a.example/" + "x" * 3000,
    ],
)
def test_what_is_no_plain_web_address_is_no_link(url: str) -> None:
    assert safe_url(url) == ""
    assert RICH.link(url, "the page") == "the page"


def test_a_link_escapes_its_ampersands() -> None:
    shown = RICH.link("https://a.example/?b=1&c=2", "the page")
    assert shown == "<https://a.example/?b=1&amp;c=2|the page>"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.42, "0.42 s"),
        (3.21, "3.2 s"),
        (12.3, "12 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3840, "1 h 4 min"),
        (-3, "0.00 s"),
    ],
)
def test_durations_read_like_durations(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words


def test_names_are_joined_as_in_a_sentence() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_lines_are_spoken_as_sentences() -> None:
    assert spoken(["One", "", "Two.", "Three:"], 99) == "One. Two. Three:"


def test_a_cut_counts_as_slack_might_and_says_that_it_cut() -> None:
    assert cut("😀😀😀", 5) == "😀😀…"
    assert cut("abc", 3) == "abc"


def test_a_cut_leaves_no_half_entity() -> None:
    assert [cut_escaped("a&amp;b", limit) for limit in range(2, 7)] == ["a…"] * 5


@given(anything, st.integers(1, 300))
def test_any_text_fits_its_limit_and_is_harmless(text: str, limit: int) -> None:
    assert length(cut(text, limit)) <= limit
    assert length(prose(text, limit)) <= limit
    check_markup(prose(text, limit))
    check_markup(code(text, limit))
    assert 1 <= length(plain(text, limit)) <= limit
    if limit > 20:
        block = code_block(text, limit)
        assert length(block) <= limit
        check_markup(block)


@given(anything)
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text, 100).splitlines()) <= 1
