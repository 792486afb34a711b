from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.route.findings import Risk
from bot.route.states import ENDED, State
from bot.slack.blocks import run_message
from bot.slack.blocks.values import DecisionView, StepState
from tests.slack.blocks.checks import check_message, labels, seen
from tests.slack.blocks.samples import BEN, NOW, a_run, an_undo


@pytest.mark.parametrize("state", State)
def test_a_run_in_any_state_is_a_valid_message_that_begins_with_its_status(state: State) -> None:
    run = a_run(state)
    message = run_message(run)
    check_message(message)
    words = {
        State.REQUESTED: "Waiting for approval",
        State.STALE: "Out of date",
        State.NEEDS_ATTENTION: "Needs a person",
    }.get(state, str(state).capitalize())
    assert message.blocks[0]["text"]["text"].startswith(words)
    assert message.text.startswith(words)


@pytest.mark.parametrize("state", State)
def test_each_state_says_what_for_whom_and_why_in_its_text_too(state: State) -> None:
    text = run_message(a_run(state)).text
    for words in ("run 12", "shop on default, 3 steps", "Ana", "New totals", "4f2a9c01b7e3"):
        assert words in text


@pytest.mark.parametrize("state", State)
def test_one_message_is_one_run_whatever_its_state(state: State) -> None:
    assert run_message(a_run(state)).metadata == {
        "event_type": "migration_bot.run",
        "event_payload": {"run": 12, "key": "run:12"},
    }


def test_a_request_says_how_many_approvals_from_whom_and_until_when() -> None:
    shown = seen(run_message(a_run()))
    assert "*Needs 2 approvals*. From anybody who may approve, but not Ana." in shown
    assert "Expires <!date^" in shown
    assert "<@U0ANA> asks:\n> New totals" in shown
    assert "Fingerprint `4f2a9c01b7e3`" in shown


def test_a_request_leads_with_the_worst_finding() -> None:
    shown = seen(run_message(a_run()))
    assert "*Worst finding*: `shop.0007_order_total`, measured" in shown
    assert "2 more findings in the thread." in shown


def test_where_people_may_approve_their_own_nobody_is_left_out() -> None:
    shown = seen(run_message(a_run(self_approval=True)))
    assert "From anybody who may approve." in shown


def test_a_hint_says_from_whom() -> None:
    shown = seen(run_message(a_run(approvers_hint="two of the database team")))
    assert "From two of the database team." in shown


def test_what_was_given_so_far_is_told() -> None:
    vote = DecisionView(person=BEN, verdict="approve", at=NOW, reason="Looks right")
    shown = seen(run_message(a_run(decisions=(vote,))))
    assert "*Needs 2 approvals*, 1 given" in shown
    assert "*Approved* by <@U0BEN>, <!date^" in shown
    assert ": Looks right" in shown


def test_the_last_approval_says_that_it_runs() -> None:
    button = labels(run_message(a_run(approvals_needed=1)).blocks)["Approve and run"]
    assert button["action_id"] == "migration_bot.approve"
    assert button["value"] == "12"
    assert button["confirm"]["text"]["text"] == (
        "3 migrations on default. Risk: dangerous. It runs now, without another question. "
        "You approve fingerprint 4f2a9c01b7e3."
    )


def test_an_approval_that_is_not_the_last_does_not_promise_a_run() -> None:
    assert "Approve (1 of 2)" in labels(run_message(a_run()).blocks)


def test_an_approval_of_a_run_with_a_time_says_so() -> None:
    run = a_run(approvals_needed=1, run_after=NOW + timedelta(hours=2))
    message = run_message(run)
    button = labels(message.blocks)["Approve, to run at its time"]
    assert "at its time" in button["confirm"]["text"]["text"]
    assert "not before 2026-11-23 18:50 UTC" in message.text


def test_only_what_is_dangerous_is_painted_so_and_words_say_it_too() -> None:
    dangerous = labels(run_message(a_run(approvals_needed=1)).blocks)["Approve and run"]
    assert dangerous["style"] == "danger"
    calm = a_run(approvals_needed=1, risk=Risk.SAFE)
    assert labels(run_message(calm).blocks)["Approve and run"]["style"] == "primary"


def test_a_no_asks_for_its_reason_in_a_modal_not_in_a_dialog() -> None:
    button = labels(run_message(a_run()).blocks)["Reject"]
    assert button["action_id"] == "migration_bot.reject"
    assert "confirm" not in button


@pytest.mark.parametrize("state", sorted(ENDED))
def test_once_it_has_ended_no_button_is_left_but_the_link(state: State) -> None:
    assert set(labels(run_message(a_run(state)).blocks)) <= {"Open the page"}


@pytest.mark.parametrize("state", [s for s in State if s is not State.REQUESTED])
def test_after_a_decision_nobody_can_decide_again(state: State) -> None:
    pressed = {b["action_id"] for b in labels(run_message(a_run(state)).blocks).values()}
    assert not pressed & {"migration_bot.approve", "migration_bot.reject"}


@pytest.mark.parametrize("state", [State.APPROVED, State.RUNNING, State.SUCCEEDED, State.FAILED])
def test_after_a_decision_it_says_who_and_when(state: State) -> None:
    message = run_message(a_run(state))
    assert "*Approved* by <@U0BEN>, <!date^1795452012^" in seen(message)
    assert "Approved by Ben, 2026-11-23 16:40 UTC" in message.text


def test_a_rejection_says_who_when_and_why() -> None:
    message = run_message(a_run(State.REJECTED))
    assert "*Rejected* by <@U0BEN>, <!date^" in seen(message)
    assert "Rejected by Ben, 2026-11-23 16:50 UTC: Not before the weekend" in message.text
    assert "Nothing was run." in message.text


@pytest.mark.parametrize("state", [State.APPROVED, State.QUEUED])
def test_until_it_starts_it_can_be_taken_back(state: State) -> None:
    button = labels(run_message(a_run(state)).blocks)["Cancel"]
    assert button["action_id"] == "migration_bot.cancel"
    assert "confirm" in button


def test_where_it_cannot_be_answered_there_are_no_buttons() -> None:
    assert set(labels(run_message(a_run(answerable=False)).blocks)) == {"Open the page"}


def test_an_approved_run_says_why_it_has_not_started() -> None:
    held = run_message(a_run(State.APPROVED, held_because="Frozen by Ben: Black Friday"))
    assert "Not started yet: Frozen by Ben: Black Friday" in seen(held)
    later = run_message(a_run(State.APPROVED, run_after=NOW + timedelta(hours=1)))
    assert "Starts 2026-11-23 17:50 UTC." in later.text


def test_progress_has_a_counter_the_current_migration_and_the_time_taken() -> None:
    shown = seen(run_message(a_run(State.RUNNING)))
    assert "Running, 1 of 3 done: run 12" in shown
    assert "*Step 2 of 3*: running `shop.0008_order_index`." in shown
    assert "1 min 15 s so far, as of <!date^" in shown
    assert "2. `shop.0008_order_index`: *running*, 1 min 2 s" in shown
    assert "*Waiting*: pid 4711" in shown


@pytest.mark.parametrize("at", [0, 3, 100, 198, 199])
def test_of_200_steps_only_those_around_the_current_one_are_shown(at: int) -> None:
    steps = tuple(
        StepState(
            app="shop",
            name=f"{n:04}_{'x' * 55}",
            state="applied" if n < at else "running" if n == at else "pending",
        )
        for n in range(200)
    )
    message = run_message(a_run(State.RUNNING, steps=steps))
    check_message(message)
    shown = seen(message)
    assert f"*Step {at + 1} of 200*" in shown
    assert shown.count("`: ") == 8
    assert f"{at + 1}. `shop.{at:04}_" in shown


def test_a_success_says_how_many_steps_in_what_time() -> None:
    assert "All 3 steps are done in 1 min 15 s" in run_message(a_run(State.SUCCEEDED)).text


def test_a_failure_says_where_how_far_and_the_errors_first_line_alone() -> None:
    shown = seen(run_message(a_run(State.FAILED)))
    assert "Failed at `shop.0008_order_index`. 1 of 3 steps done" in shown
    assert '`ProgrammingError: relation "order_total" already exists`' in shown
    assert "LINE 1" not in shown
    assert "The error is in the thread. Mend its cause and plan again" in shown


def test_a_run_that_could_not_begin_says_that_nothing_was_run() -> None:
    run = replace(a_run(State.FAILED), started_at=None, error="The code did not load")
    assert "It could not begin; nothing was run." in run_message(run).text


def test_a_stale_run_says_what_differs() -> None:
    shown = seen(run_message(a_run(State.STALE)))
    assert "• shop.0008_order_index was edited after approval." in shown
    many = a_run(State.STALE, stale_because=tuple(f"Because {n}." for n in range(9)))
    assert "and 4 more, in the thread." in seen(run_message(many))


def test_a_run_taken_back_says_by_whom() -> None:
    run = a_run(State.CANCELLED, ended_reason="Asked too early")
    shown = seen(run_message(run))
    assert "Taken back by <@U0ANA>, <!date^" in shown
    assert "Because: Asked too early" in shown


@pytest.mark.parametrize("state", State)
def test_an_undo_is_called_one_in_every_state(state: State) -> None:
    message = run_message(an_undo(a_run(state)))
    check_message(message)
    assert "Undo 3 steps, back to `shop 0006` on `default`" in seen(message)
    assert "Undo 3 steps, back to shop 0006 on default" in message.text


def test_whoever_approves_an_undo_is_asked_about_an_undo() -> None:
    message = run_message(an_undo(a_run(approvals_needed=1)))
    assert message.text.startswith("Waiting for approval: run 12, an undo, dangerous.")
    approve = next(block for block in message.blocks if block["type"] == "actions")["elements"][0]
    question = approve["confirm"]["text"]["text"]
    assert question.startswith("Undo 3 migrations, back to shop 0006, on default.")


def test_what_does_not_fit_of_an_error_is_left_out_by_the_sentence() -> None:
    said = (
        "Values stand twice: the constraint would fail. " + "Nothing had been run, so mend it. " * 9
    )
    message = run_message(a_run(State.FAILED, error=said))
    check_message(message)
    assert "Nothing had been run, so mend it. …" in seen(message)
    unbroken = run_message(a_run(State.FAILED, error="x" * 900))
    check_message(unbroken)
    assert f"{'x' * 100}…" in seen(unbroken)
