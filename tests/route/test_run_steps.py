from __future__ import annotations

import pytest

from bot.route.run_steps import Told, direction_of, having_waited, settled, with_step


def step(name: str, state: str = "waiting", direction: str = "forward") -> Told:
    return {"app": "shop", "name": name, "direction": direction, "state": state}


STEPS = [step("1", "running"), step("2"), step("3", direction="backward")]


def states(steps: list[Told]) -> list[str]:
    return [one["state"] for one in steps]


def test_one_step_is_changed_and_the_list_that_was_given_is_not() -> None:
    assert states(with_step(STEPS, "shop", "2", state="running")) == [
        "running",
        "running",
        "waiting",
    ]
    assert states(STEPS) == ["running", "waiting", "waiting"]
    assert with_step(STEPS, "other", "2", state="running") == STEPS


def test_only_the_step_that_runs_has_waited() -> None:
    assert ["waited" in one for one in having_waited(STEPS)] == [True, False, False]


def test_a_step_that_nobody_knows_goes_forward() -> None:
    assert direction_of(STEPS, "shop", "3") == "backward"
    assert direction_of(STEPS, "shop", "4") == "forward"


@pytest.mark.parametrize(
    ("done", "failed", "found"),
    [
        (["shop.1", "shop.3"], "", ["applied", "not_run", "unapplied"]),
        ([], "shop.2", ["failed", "failed", "not_run"]),
        (["shop.2"], "shop.2", ["failed", "applied", "not_run"]),
    ],
)
def test_the_database_says_what_is_done_whatever_was_told(
    done: list[str], failed: str, found: list[str]
) -> None:
    assert states(settled(STEPS, done, failed=failed)) == found


def test_what_ran_when_its_process_was_lost_may_be_unknown() -> None:
    assert states(settled(STEPS, [], running_becomes="unknown"))[0] == "unknown"
