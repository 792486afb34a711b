"""What a call carries is data from outside, and believed no further than it can be read."""

from __future__ import annotations

import pytest

from bot.slack.calls import Call, How
from bot.slack.reading import carried


@pytest.mark.parametrize(
    "value", ["", "x", "[]", "5", '"run"', pytest.param("[" * 50_000, id="deep")]
)
def test_a_modal_that_carries_what_cannot_be_read_carries_nothing(value: str) -> None:
    assert carried(Call(how=How.VIEW, team="T0TEAM", user="U0ADA", value=value)) == {}


def test_a_modal_carries_an_object() -> None:
    call = Call(how=How.VIEW, team="T0TEAM", user="U0ADA", value='{"run": 5}')
    assert carried(call) == {"run": 5}
