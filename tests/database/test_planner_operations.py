"""The planner against what Django really sends, for every kind of operation, on every database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.database.corpus import STEPS, chain
from tests.database.migrating import disagreements, installed, migrate
from tests.database.planning import hidden, plan


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Any:
    with installed(tmp_path, settings, "shop") as apps:
        apps["shop"].write(chain(STEPS))
        yield apps["shop"]


def test_a_plan_from_nothing_to_the_end_is_what_django_sends(target: str, shop: Any) -> None:
    made = plan(target, "shop")
    assert [step.name for step in made.steps] == list(STEPS)
    assert hidden(made) == []
    wrong = disagreements(made, migrate(target, "shop"))
    assert not wrong, "\n".join(wrong)


def test_each_step_alone_is_what_django_sends_then_and_when_undone(target: str, shop: Any) -> None:
    wrong = []
    for name in STEPS:
        made = plan(target, "shop", name)
        wrong += [*hidden(made), *disagreements(made, migrate(target, "shop", name))]
    names = [*STEPS]
    for before in reversed(names[:-1]):
        made = plan(target, "shop", before)
        wrong += [*hidden(made), *disagreements(made, migrate(target, "shop", before))]
    assert not wrong, "\n".join(wrong)


def test_undoing_everything_at_once_is_what_django_sends(target: str, shop: Any) -> None:
    migrate(target, "shop")
    made = plan(target, "shop", "zero")
    assert [step.name for step in made.steps] == list(reversed(STEPS))
    assert hidden(made) == []
    wrong = disagreements(made, migrate(target, "shop", "zero"))
    assert not wrong, "\n".join(wrong)
