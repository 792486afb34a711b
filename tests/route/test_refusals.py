from __future__ import annotations

import pkgutil
import re
from importlib import import_module

import pytest

from bot.route import refusals
from bot.route.refusals import Kind, Refused

EVERY = [
    value
    for value in vars(refusals).values()
    if isinstance(value, type) and issubclass(value, Refused) and value is not Refused
]
WITH_DOCSTRINGS = [kind for kind in EVERY if kind is not refusals.ToldElsewhere]


def a(kind: type[Refused]) -> Refused:
    """One with every fact its sentence names."""
    facts = re.findall(r"{(\w+)}", kind.__doc__ or "")
    return kind(**dict.fromkeys(facts, "x") | {"remedy": "Do that.", "usage": "/migrate help."})


@pytest.mark.parametrize("kind", WITH_DOCSTRINGS)
def test_a_refusal_reads_as_a_sentence_on_one_line(kind: type[Refused]) -> None:
    sentence = a(kind).sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_codes_are_literals_and_no_two_share_one() -> None:
    codes = [kind.code for kind in WITH_DOCSTRINGS]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


def test_braces_in_a_fact_are_data() -> None:
    assert "{evil}" in refusals.UnknownApp(app="{evil}", nearest="").sentence


def test_every_refusal_of_every_room_is_exported() -> None:
    names = {
        name
        for room in pkgutil.iter_modules(refusals.__path__, f"{refusals.__name__}.")
        for name, value in vars(import_module(room.name)).items()
        if isinstance(value, type) and issubclass(value, Refused)
    }
    assert names - set(refusals.__all__) == set()


def test_what_nobody_is_kept_from_is_no_denial() -> None:
    """Denials go to the audit and to the team's channel; the rest is told to one person."""
    slips = {
        kind.code
        for kind in WITH_DOCSTRINGS
        if kind.kind in (Kind.FORBIDDEN, Kind.CONFLICT) and not a(kind).is_denial
    }
    assert slips == {"already_requested", "empty_plan", "no_way_back", "plan_not_ready"}
    for kind in WITH_DOCSTRINGS:
        if kind.kind in (Kind.UNKNOWN, Kind.INVALID, Kind.UNAVAILABLE):
            assert not a(kind).is_denial
        if kind.kind is Kind.FORBIDDEN:
            assert a(kind).is_denial
