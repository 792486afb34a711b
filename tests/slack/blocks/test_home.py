from __future__ import annotations

from typing import Any

from bot.route.states import State
from bot.slack.blocks import home_view
from tests.slack.blocks.checks import check_view, labels, texts
from tests.slack.blocks.samples import FREEZE, PENDING, a_home, a_row


def shown(view: dict[str, Any]) -> str:
    return "\n".join(words for _, words in texts(view["blocks"]))


def test_home_shows_what_waits_for_me_what_runs_what_ran_and_the_freeze() -> None:
    view = home_view(a_home())
    check_view(view, "home")
    words = shown(view)
    assert "*Frozen*: every database" in words
    assert "1 request for you to decide" in words
    assert "|Run 14>*: Waiting for approval" in words
    assert "|Run 13>*: Running" in words
    assert "*3 steps pending*" in words
    assert "|Run 11>*: Failed" in words


def test_a_request_is_shown_whole_before_it_is_decided() -> None:
    buttons = labels(home_view(a_home())["blocks"])
    assert buttons["Show"]["value"] == "14"
    assert buttons["Show"]["action_id"] == "migration_bot.show"
    assert "Open the staff page" in buttons
    assert not any("Approve" in label for label in buttons)


def test_a_quiet_day_is_said_in_words() -> None:
    words = shown(home_view(a_home(for_me=(), running=(), last=(), freezes=(), pending=())))
    assert "Nothing waits for you" in words
    assert "None yet." in words
    assert "No database to migrate." in words


def test_somebody_without_a_link_learns_how_to_link_and_nothing_else() -> None:
    view = home_view(a_home(linked=False))
    check_view(view, "home")
    assert "`/migrate link`" in shown(view)
    assert "Run 14" not in shown(view)
    assert "Black Friday" not in shown(view)


def test_home_says_when_nobody_works() -> None:
    assert "*No worker*" in shown(home_view(a_home(worker_alive=False)))


def test_a_home_of_very_much_is_valid() -> None:
    rows = tuple(
        a_row(id=n, state=State.REQUESTED, target="t" * 300, reason="r" * 2000) for n in range(200)
    )
    view = home_view(
        a_home(
            for_me=rows, mine=rows, running=rows, last=rows, freezes=(FREEZE,) * 50, pending=PENDING
        )
    )
    check_view(view, "home")
    assert "And 192 more, on the staff page." in shown(view)
