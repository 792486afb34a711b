from __future__ import annotations

from dataclasses import replace

from bot.route.states import State
from bot.slack.blocks import history_message, status_message
from bot.slack.blocks.values import PendingView, StatusView
from tests.slack.blocks.checks import check_message, seen
from tests.slack.blocks.samples import ANA, BEN, CLI, FREEZE, HISTORY, NOW, STATUS, a_row


def test_history_is_a_short_paragraph_a_run() -> None:
    message = history_message(HISTORY)
    check_message(message)
    shown = seen(message)
    assert "|Run 12>*: Succeeded in 1 min 5 s\n`shop` on `default`, 3 steps, caution\nAna," in shown
    assert "|Run 11>*: Failed after 1 of 3 steps in 3.2 s" in shown
    assert "|Run 13>*: Running for 12 s, 1 of 3 steps done" in shown
    assert "|Run 14>*: Waiting for approval, 0 of 2 approvals" in shown
    assert "40 older runs" in message.text


def test_history_names_people_and_calls_nobody() -> None:
    assert "<@" not in seen(history_message(HISTORY))


def test_a_long_history_is_cut_and_says_how_much_is_left() -> None:
    rows = tuple(a_row(id=n, reason="r" * 500, target="x" * 500) for n in range(100))
    message = history_message(replace(HISTORY, rows=rows))
    check_message(message)
    assert "125 older runs" in seen(message)


def test_no_history_is_a_sentence() -> None:
    empty = replace(HISTORY, rows=(), left_out=0)
    assert history_message(empty).text == "No runs yet."
    filtered = history_message(replace(empty, filtered="shop"))
    check_message(filtered)
    assert filtered.text == "No runs yet of shop."
    assert "No runs yet of `shop`." in seen(filtered)


def test_status_says_what_is_pending_open_and_frozen() -> None:
    message = status_message(STATUS)
    check_message(message)
    shown = seen(message)
    assert "*Frozen*: every database until <!date^" in shown
    assert "by Ben: Black Friday" in shown
    assert "`default`: *3 steps pending*, dangerous, as of <!date^" in shown
    assert "`replica`: nothing pending" in shown
    assert "`old`: nobody has looked yet; `/migrate plan --database old` does." in shown
    assert "*2 open runs*:" in shown


def test_what_was_pending_before_a_run_is_not_told_as_pending() -> None:
    old = PendingView(database="default", steps=7, made_at=NOW, outdated_by=2)
    message = status_message(replace(STATUS, pending=(old,)))
    check_message(message)
    assert "`default`: the newest plan is from before run 2; `/migrate plan --database" in seen(
        message
    )
    assert "pending*" not in seen(message)


def test_status_says_when_nobody_works() -> None:
    never = status_message(replace(STATUS, worker_alive=False))
    check_message(never)
    assert "No worker was ever seen, so nothing runs." in never.text
    dead = status_message(replace(STATUS, worker_alive=False, worker_age=90.0))
    assert "No worker has been seen for 1 min 30 s" in dead.text


def test_status_of_nothing_at_all_is_valid() -> None:
    message = status_message(StatusView(pending=(), open_runs=()))
    check_message(message)
    assert message.text == "No database to migrate. 0 open runs."


def test_status_of_very_much_is_valid() -> None:
    status = StatusView(
        pending=tuple(PendingView(database="d" * 300, problem="p" * 900) for _ in range(100)),
        open_runs=tuple(a_row(id=n, state=State.REQUESTED) for n in range(100)),
        freezes=(replace(FREEZE, reason="r" * 5000, database="d"),) * 20,
    )
    message = status_message(status)
    check_message(message)
    assert "And 85 more open runs." in seen(message)


def test_a_list_of_runs_says_which_of_them_are_undos() -> None:
    row = a_row(target="shop zero", steps=2, undone=2)
    message = history_message(replace(HISTORY, rows=(row,)))
    words = "Undo 2 steps, back to before the first migration of `shop` on `default`, caution"
    assert words in seen(message)
    assert words.replace("`", "") in message.text


def test_history_names_who_approved_and_who_said_no() -> None:
    rows = (
        a_row(approved_by=(BEN,)),
        a_row(approved_by=(BEN, CLI)),
        a_row(approved_by=(BEN, CLI, ANA, ANA), rejected_by=(CLI,)),
    )
    message = history_message(replace(HISTORY, rows=rows))
    check_message(message)
    assert ", approved by Ben: New totals" in seen(message)
    assert ", approved by Ben and Cleo: New totals" in message.text
    assert ", approved by Ben, Cleo and 2 more, rejected by Cleo: New totals" in seen(message)
