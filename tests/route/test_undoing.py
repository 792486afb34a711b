"""An undo is called one, and what it goes back to is named."""

from __future__ import annotations

from bot.route.undoing import asked, back_to, undone


def test_an_undo_names_what_it_goes_back_to() -> None:
    assert asked("shop 0009", "default", 1, 1) == "undo 1 step, back to shop 0009 on default"
    assert back_to("shop zero") == "back to before the first migration of shop"


def test_going_forward_is_no_undo() -> None:
    assert asked("shop 0009", "default", 2, 0) == "shop 0009 on default, 2 steps"
    assert undone(["forward", "forward"]) == 0


def test_steps_that_go_back_among_others_are_counted() -> None:
    assert undone(["backward", "forward"]) == 1
    assert asked("shop", "default", 2, 1) == "shop on default, 2 steps, 1 of them undone"
