from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.route.refusals import TimeNotUnderstood
from bot.route.times import parse_at

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
zones = st.sampled_from([BERLIN, ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Etc/GMT+12")])
moments = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis wants them naive
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("02:00", datetime(2026, 11, 24, 1, 0, tzinfo=UTC)),
        ("2:00", datetime(2026, 11, 24, 1, 0, tzinfo=UTC)),
        (" 13:01 ", datetime(2026, 11, 23, 12, 1, tzinfo=UTC)),
        ("13:00", datetime(2026, 11, 24, 12, 0, tzinfo=UTC)),
        ("02:00Z", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        ("02:00 UTC", datetime(2026, 11, 24, 2, 0, tzinfo=UTC)),
        ("2026-12-24T02:00", datetime(2026, 12, 24, 1, 0, tzinfo=UTC)),
        ("2026-12-24 02:00:30", datetime(2026, 12, 24, 1, 0, 30, tzinfo=UTC)),
        ("2026-12-24T02:00Z", datetime(2026, 12, 24, 2, 0, tzinfo=UTC)),
        ("2026-12-24T02:00-0500", datetime(2026, 12, 24, 7, 0, tzinfo=UTC)),
        ("2026-07-01T02:00", datetime(2026, 7, 1, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_time_means_one_moment(text: str, moment: datetime) -> None:
    found = parse_at(text, NOW, BERLIN)
    assert found == moment
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "neither"),
        ("tonight", "neither"),
        ("2026-12-24", "neither"),
        ("٠٢:٠٠", "neither"),
        ("25:00", "no such date"),
        ("2026-02-30T02:00", "no such date"),
        ("0001-01-01T00:00+14:00", "no such date"),
        ("02:00+99:00", "no such offset"),
        ("2026-03-29T02:30", "put forward"),
        ("2026-10-25T02:30", "comes twice"),
    ],
)
def test_what_means_no_moment_or_two_is_refused_in_words(text: str, because: str) -> None:
    with pytest.raises(TimeNotUnderstood, match=because):
        parse_at(text, NOW, BERLIN)


def test_a_skipped_hour_that_is_past_means_the_next_day() -> None:
    after_the_change = datetime(2026, 3, 29, 10, 0, tzinfo=UTC)
    assert parse_at("02:30", after_the_change, BERLIN) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)


def test_a_refusal_repeats_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(TimeNotUnderstood) as refused:
        parse_at("x" * 100_000, NOW, BERLIN)
    assert len(refused.value.sentence) < 300


@given(
    text=st.one_of(st.text(), st.from_regex(r"[0-9]{1,4}[-:T ][0-9]{1,2}.*")),
    now=moments,
    zone=zones,
)
def test_any_text_is_a_moment_in_utc_or_a_refusal(text: str, now: datetime, zone: ZoneInfo) -> None:
    try:
        found = parse_at(text, now, zone)
    except TimeNotUnderstood:
        return
    assert found.utcoffset() == timedelta(0)


@given(clock=st.times(), now=moments, zone=zones)
def test_a_time_of_day_is_the_next_such_time(clock: time, now: datetime, zone: ZoneInfo) -> None:
    try:
        found = parse_at(f"{clock.hour:02}:{clock.minute:02}", now, zone)
    except TimeNotUnderstood:
        assume(False)
    local = found.astimezone(zone)
    assert (local.hour, local.minute) == (clock.hour, clock.minute)
    assert now < found <= now + timedelta(hours=25)


@given(moment=moments, zone=zones, now=moments)
def test_a_full_time_with_its_offset_comes_back(
    moment: datetime, zone: ZoneInfo, now: datetime
) -> None:
    whole = moment.replace(microsecond=0)
    assert parse_at(whole.astimezone(zone).isoformat(), now, BERLIN) == whole
