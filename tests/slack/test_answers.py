"""Commands, buttons and modals through the real view, by everybody who might try."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import pytest
import responses
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from bot import operations
from bot.models import (
    AuditEntry,
    Delivery,
    Link,
    LinkCode,
    Run,
    SlackCall,
    StoredPlan,
    StoredRehearsal,
)
from bot.moment import utc_now
from bot.route.findings import Evidence, Finding, Risk
from bot.route.plan import Direction
from bot.route.refusals import PlanNotFound
from bot.route.states import State, state_phrase
from bot.slack import answers, blocks, listing, rendering
from bot.slack.commands import COMMANDS
from tests.plans import a_plan, a_step, acting, an_account
from tests.slack.payloads import SETTINGS, TEAM, command, home_opened, press, submit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]

API = SETTINGS["slack_api_url"]

Says = Callable[..., Any]


@pytest.fixture
def run(now: datetime) -> Run:
    """A run that somebody who is nowhere else in these tests asked for on the page."""
    asker = acting(an_account("asker", "request_run"))
    stored = operations.keep_plan(actor=asker, plan=a_plan(), now=now)
    return operations.request(stored.pk, actor=asker, reason="totals", now=now)


WHO: dict[str, Callable[[Any, Any], Any]] = {
    "unlinked": lambda known, linked: known("U0WHO"),
    "barred": lambda known, linked: known("U0WHO", barred="it is a guest"),
    "gone": lambda known, linked: linked("U0WHO", "who", "request_run", active=False),
    "outsider": lambda known, linked: linked("U0WHO", "who", "request_run", staff=False),
    "reader": lambda known, linked: linked("U0WHO", "who"),
    "requester": lambda known, linked: linked("U0WHO", "who", "request_run"),
    "approver": lambda known, linked: linked("U0WHO", "who", "approve_run"),
}

REFUSED_WITH = {
    "unlinked": "is not tied to a staff account yet",
    "barred": "it is a guest",
    "gone": "does not exist or is not active",
    "outsider": "is not a staff account",
}

TYPED = {
    "help": "help",
    "status": "status",
    "plan": "plan",
    "apply": 'apply --reason "new totals"',
    "rehearse": "rehearse shop",
    "show": "show {run}",
    "cancel": "cancel {run}",
    "history": "history",
    "link": "link",
    "unlink": "unlink",
    "whoami": "whoami",
}


def expected_refusal(who: str, name: str) -> str:
    """The words that refuse this person this command; empty when they may."""
    if who == "barred":
        return REFUSED_WITH["barred"]
    if COMMANDS[name].unlinked or (name == "unlink" and who != "unlinked"):
        return ""
    if who in REFUSED_WITH:
        return REFUSED_WITH[who]
    if name in ("apply", "rehearse") and who != "requester":
        return "lacks the permission migration_bot.request_run"
    if name == "cancel" and who != "approver":
        return "lacks the permission migration_bot.approve_run"
    return ""


def test_every_command_is_tried() -> None:
    assert set(TYPED) == set(COMMANDS)


@pytest.mark.parametrize(("who", "name"), list(product(WHO, TYPED)))
def test_each_person_each_command(
    says: Says, known: Any, linked: Any, run: Run, who: str, name: str
) -> None:
    WHO[who](known, linked)
    before = AuditEntry.objects.count()
    answer = says(command(TYPED[name].format(run=run.pk), user="U0WHO"))
    refusal = expected_refusal(who, name)
    assert answer["response_type"] == "ephemeral"
    if not refusal:
        assert "Not done" not in answer["text"]
        return
    assert refusal in answer["text"]
    run.refresh_from_db()
    assert run.state == State.REQUESTED
    assert not StoredPlan.objects.exclude(pk=run.stored_plan_id).exists()
    assert AuditEntry.objects.count() == before + 1
    entry = AuditEntry.objects.order_by("seq").last()
    assert entry is not None
    assert entry.event.endswith(".refused")
    assert json.loads(entry.actor)["slack_user"] == "U0WHO"


PRESSES = {
    "migration_bot.approve": "{run}",
    "migration_bot.reject": "{run}",
    "migration_bot.cancel": "{run}",
    "migration_bot.show": "{run}",
    "migration_bot.request": "{plan}",
    "migration_bot.rehearse": "{plan}",
    "migration_bot.apply": "apply shop",
}


@pytest.mark.parametrize(("who", "action"), list(product(list(REFUSED_WITH), PRESSES)))
def test_whoever_may_not_presses_in_vain(
    says: Says, known: Any, linked: Any, run: Run, who: str, action: str
) -> None:
    WHO[who](known, linked)
    value = PRESSES[action].format(run=run.pk, plan=run.stored_plan_id)
    says(press(action, value, user="U0WHO"))
    run.refresh_from_db()
    assert run.state == State.REQUESTED
    assert not run.decisions.exists()
    reply = Delivery.objects.get(kind="reply")
    assert REFUSED_WITH[who] in reply.payload["message"]["text"]
    assert AuditEntry.objects.filter(event__endswith=".refused").count() == 1


@pytest.mark.parametrize("state", [state for state in State if state is not State.REQUESTED])
def test_a_button_of_an_old_message_does_nothing_after_the_decision(
    says: Says, linked: Any, run: Run, state: State
) -> None:
    linked("U0ADA", "ada", "approve_run")
    Run.objects.filter(pk=run.pk).update(state=str(state))
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == state
    reply = Delivery.objects.get(kind="reply")
    assert state_phrase(State(state)) in reply.payload["message"]["text"]


def test_an_approval_queues_the_run_and_updates_its_one_message(
    says: Says, linked: Any, run: Run
) -> None:
    linked("U0ADA", "ada", "approve_run")
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.QUEUED
    assert Delivery.objects.filter(kind="run").count() == 1
    decision = run.decisions.get()
    assert decision.actor["slack_user"] == "U0ADA"


def test_a_double_click_is_one_decision_and_one_run(says: Says, linked: Any, run: Run) -> None:
    linked("U0ADA", "ada", "approve_run")
    says(press("migration_bot.approve", str(run.pk)))
    says(press("migration_bot.approve", str(run.pk)))
    assert run.decisions.count() == 1
    assert AuditEntry.objects.filter(event="run.queued").count() == 1


def test_an_expired_request_cannot_be_approved_by_its_button(
    says: Says, linked: Any, run: Run, now: datetime
) -> None:
    linked("U0ADA", "ada", "approve_run")
    Run.objects.filter(pk=run.pk).update(expires_at=now - timedelta(seconds=1))
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.EXPIRED


@pytest.mark.parametrize("value", ["", "x", "-1", "1; DROP", "9" * 30, "99999", "１"])
def test_a_forged_value_names_no_run(says: Says, linked: Any, run: Run, value: str) -> None:
    linked("U0ADA", "ada", "approve_run")
    says(press("migration_bot.approve", value))
    run.refresh_from_db()
    assert run.state == State.REQUESTED
    assert "There is no run" in Delivery.objects.get(kind="reply").payload["message"]["text"]


def test_a_run_without_a_number_is_refused_in_a_whole_sentence(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "approve_run")
    assert 'There is no run "".' in str(says(command('show ""', user="U0ADA")))


def test_ones_own_request_cannot_be_approved_from_slack(
    says: Says, linked: Any, now: datetime
) -> None:
    ada = linked("U0ADA", "ada", "approve_run", "request_run")
    stored = operations.keep_plan(actor=acting(ada), plan=a_plan(), now=now)
    run = operations.request(stored.pk, actor=acting(ada), reason="x", now=now)
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.REQUESTED


def test_an_unknown_button_is_harmless(says: Says, linked: Any, run: Run) -> None:
    linked("U0ADA", "ada", "approve_run")
    assert says(press("migration_bot.launch", str(run.pk))) == {}
    assert not Delivery.objects.filter(kind="reply").exists()


# Planning and applying


def test_plan_asks_a_worker_and_says_where_it_comes(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin")
    answer = says(command("plan shop 0007"))
    assert "Planning shop 0007" in answer["text"]
    stored = StoredPlan.objects.get()
    assert (stored.target, stored.purpose) == ("shop 0007", StoredPlan.LOOK)
    assert stored.reply_to.startswith("https://hooks.slack.test/")


def test_the_address_for_an_answer_is_forgotten_with_the_plan(
    says: Says, linked: Any, now: datetime
) -> None:
    linked("U0ROBIN", "robin", "request_run")
    says(command("plan shop"))
    stored = StoredPlan.objects.get()
    address = stored.reply_to
    operations.refuse_plan(stored.pk, PlanNotFound(), now=now)
    stored.refresh_from_db()
    assert stored.reply_to == ""
    assert Delivery.objects.get(kind="plan_refused").payload["response_url"] == address


def test_rehearse_asks_a_worker_to_plan_and_to_rehearse_then(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin", "request_run")
    answer = says(command("rehearse shop 0007"))
    assert "Planning shop 0007" in answer["text"]
    assert "rehearsing it" in answer["text"]
    stored = StoredPlan.objects.get()
    assert (stored.target, stored.purpose) == ("shop 0007", StoredPlan.REHEARSE)


def test_rehearse_takes_the_permission_to_request(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin")
    assert "lacks the permission migration_bot.request_run" in says(command("rehearse"))["text"]
    assert not StoredPlan.objects.exists()
    assert AuditEntry.objects.get().event == "plan.rehearse.refused"


def test_the_button_rehearses_the_plan_once_however_often_it_is_pressed(
    says: Says, linked: Any, run: Run
) -> None:
    linked("U0ADA", "ada", "request_run")
    for _ in range(3):
        says(press("migration_bot.rehearse", str(run.stored_plan_id)))
    assert StoredRehearsal.objects.count() == 1
    told = Delivery.objects.filter(kind="reply").values_list("payload", flat=True)
    assert {reply["message"]["text"] for reply in told} == {
        "The rehearsal is under way. The message says how far it is."
    }


def test_the_button_for_a_plan_that_is_gone_says_so(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "request_run")
    says(press("migration_bot.rehearse", "no-uuid"))
    message = Delivery.objects.get(kind="reply").payload["message"]
    assert "no such plan any more" in message["text"]


def test_no_reason_is_asked_for_a_run_that_could_never_succeed(
    says: Says, linked: Any, now: datetime
) -> None:
    ada = linked("U0ADA", "ada", "request_run")
    step = a_step(direction=Direction.BACKWARD, reversible=False, irreversible_because="No way.")
    stored = operations.keep_plan(actor=acting(ada), plan=a_plan(step), now=now)
    says(press("migration_bot.request", str(stored.pk)))
    message = Delivery.objects.get(kind="reply").payload["message"]
    assert "cannot be undone" in message["text"]


def test_apply_with_a_reason_keeps_the_wish_with_it(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin", "request_run")
    says(command("apply shop --reason “new totals”"))
    stored = StoredPlan.objects.get()
    assert (stored.purpose, stored.reason) == (StoredPlan.REQUEST, "new totals")


def test_asking_waits_for_no_writer_of_the_audit_and_takes_few_statements(
    says: Says, linked: Any
) -> None:
    linked("U0ROBIN", "robin", "request_run")
    says(command("help", user="U0ROBIN"))
    with CaptureQueriesContext(connection) as captured:
        says(command("apply shop --reason totals"))
    statements = [query["sql"] for query in captured.captured_queries]
    statements = [sql for sql in statements if "SAVEPOINT" not in sql]
    assert not [sql for sql in statements if "audithead" in sql]
    # The person with their link; what waits; the account with its permission; the signature, the
    # wish and its wake.
    assert len(statements) == 6


@pytest.mark.parametrize("digits", [13, 16, 300])
def test_a_moment_that_no_calendar_has_is_told_in_words(
    says: Says, linked: Any, digits: int
) -> None:
    linked("U0ROBIN", "robin", "request_run")
    shown = says(command(f'apply shop --at {"9" * digits} --reason "x"'))["text"]
    assert "there is no such moment" in shown
    assert not StoredPlan.objects.exists()


@responses.activate
def test_apply_without_a_reason_opens_a_modal(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin", "request_run")
    opened = responses.post(f"{API}views.open", json={"ok": True})
    assert says(command("apply shop")) == {}
    assert opened.call_count == 1
    sent = responses.calls[0].request
    assert b"migration_bot.request_reason" in (sent.body or b"")


@responses.activate
@pytest.mark.parametrize("error", ["expired_trigger_id", "ratelimited"])
def test_a_modal_that_does_not_open_leaves_a_way_on(says: Says, linked: Any, error: str) -> None:
    linked("U0ROBIN", "robin", "request_run")
    responses.post(f"{API}views.open", json={"ok": False, "error": error})
    answer = says(command("apply shop 0007"))
    assert '/migrate apply shop 0007 --reason "why"' in answer["text"]
    (button,) = answer["blocks"][-1]["elements"]
    assert (button["action_id"], button["value"]) == ("migration_bot.apply", "apply shop 0007")


@responses.activate
def test_a_line_that_no_button_can_hold_is_not_cut_to_another(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin", "request_run")
    responses.post(f"{API}views.open", json={"ok": False, "error": "expired_trigger_id"})
    answer = says(command(f"apply shop{' ' * 2100}0007 --database default"))
    assert [block["type"] for block in answer["blocks"]] == ["section"]
    assert '/migrate apply shop 0007 --reason "why"' in answer["text"]


@responses.activate
def test_the_way_on_opens_the_form_for_what_was_typed(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "request_run")
    opened = responses.post(f"{API}views.open", json={"ok": True})
    says(press("migration_bot.apply", "apply shop 0007"))
    view = json.loads(opened.calls[0].request.body)["view"]
    carried = (view if isinstance(view, dict) else json.loads(view))["private_metadata"]
    assert json.loads(carried) == {"database": "default", "target": "shop 0007"}
    assert not StoredPlan.objects.exists(), "nothing is asked for by opening a form"


@pytest.mark.parametrize("value", ["", "cancel 1", "help", "apply --nothing 1", "apply a b c"])
def test_a_forged_way_on_opens_nothing(says: Says, linked: Any, value: str) -> None:
    linked("U0ADA", "ada", "request_run")
    says(press("migration_bot.apply", value))
    told = Delivery.objects.get(kind="reply").payload["message"]["text"]
    assert "That could not be read" in told


@responses.activate
@pytest.mark.parametrize("action", ["approve", "reject", "request"])
def test_a_buttons_form_that_does_not_open_can_be_had_by_pressing_again(
    says: Says, linked: Any, forbidden: Run, action: str
) -> None:
    linked("U0ADA", "ada", "request_run", "approve_run", "override_findings")
    responses.post(f"{API}views.open", json={"ok": False, "error": "expired_trigger_id"})
    value = str(forbidden.stored_plan_id if action == "request" else forbidden.pk)
    says(press(f"migration_bot.{action}", value))
    told = Delivery.objects.get(kind="reply").payload["message"]["text"]
    assert "Press the button once more. Or open the staff page: https://" in told


def test_whoever_approves_first_is_told_that_others_have_to(
    says: Says, linked: Any, now: datetime
) -> None:
    asker = acting(an_account("asker", "request_run"))
    plan = a_plan(a_step(risk=Risk.DANGEROUS))
    stored = operations.keep_plan(actor=asker, plan=plan, now=now)
    run = operations.request(stored.pk, actor=asker, reason="totals", now=now)
    linked("U0ADA", "ada", "approve_run")
    linked("U0BEN", "ben", "approve_run")
    for user in ("U0ADA", "U0BEN"):
        says(press("migration_bot.approve", str(run.pk), user=user))
    told = Delivery.objects.filter(kind="reply").order_by("pk").values_list("payload", flat=True)
    assert [one["message"]["text"] for one in told] == [
        f"You approved run {run.pk}. 1 more approval to go, by others.",
        f"You approved run {run.pk}. Its message in the channel says how it goes.",
    ]


def test_the_modals_reason_requests_the_plan_that_was_shown(
    says: Says, linked: Any, now: datetime
) -> None:
    robin = linked("U0ROBIN", "robin", "request_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=now)
    inputs = {"reason": {"migration_bot.reason": {"type": "plain_text_input", "value": "totals"}}}
    answer = says(
        submit("migration_bot.request_reason", {"plan": str(stored.pk)}, inputs, user="U0ROBIN")
    )
    assert answer["response_action"] == "update"
    run = Run.objects.get()
    assert (run.reason, run.state, run.origin) == ("totals", State.REQUESTED, "slack")


@pytest.mark.parametrize(
    ("inputs", "block"),
    [
        ({"reason": {"migration_bot.reason": {"value": None}}}, "reason"),
        ({"reason": {"migration_bot.reason": {"value": "  "}}}, "reason"),
        (
            {
                "reason": {"migration_bot.reason": {"value": "x"}},
                "at": {"migration_bot.at": {"selected_date_time": 1000000000}},
            },
            "at",
        ),
    ],
)
def test_what_is_wrong_in_a_modal_is_told_at_its_field(
    says: Says, linked: Any, now: datetime, inputs: dict[str, Any], block: str
) -> None:
    robin = linked("U0ROBIN", "robin", "request_run")
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=now)
    carried = {"plan": str(stored.pk)}
    answer = says(submit("migration_bot.request_reason", carried, inputs, user="U0ROBIN"))
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [block]
    assert not Run.objects.exists()


@pytest.mark.parametrize("carried", [{}, {"plan": "x"}, {"plan": "1" * 32}, {"run": "x"}])
def test_a_forged_modal_requests_nothing(says: Says, linked: Any, carried: dict[str, Any]) -> None:
    linked("U0ROBIN", "robin", "request_run")
    inputs = {"reason": {"migration_bot.reason": {"value": "x"}}}
    says(submit("migration_bot.request_reason", carried, inputs, user="U0ROBIN"))
    assert not Run.objects.exists()


@responses.activate
def test_rejecting_asks_why_and_keeps_it(says: Says, linked: Any, run: Run) -> None:
    linked("U0ADA", "ada", "approve_run")
    responses.post(f"{API}views.open", json={"ok": True})
    says(press("migration_bot.reject", str(run.pk)))
    inputs = {"reason": {"migration_bot.reason": {"value": "not on a Friday"}}}
    answer = says(submit("migration_bot.reject_reason", {"run": run.pk}, inputs))
    assert answer["response_action"] == "update"
    run.refresh_from_db()
    assert run.state == State.REJECTED
    assert run.decisions.get().reason == "not on a Friday"


BROKEN = Finding(
    code="data_breaks_rule",
    level=Risk.CAUTION,
    because="12 rows of shop_order have NULL in total: SET NOT NULL would fail.",
    evidence=Evidence.MEASURED,
)


@pytest.fixture
def forbidden(now: datetime) -> Run:
    asker = acting(an_account("asker", "request_run"))
    plan = a_plan(a_step(findings=(BROKEN,)))
    stored = operations.keep_plan(actor=asker, plan=plan, now=now)
    return operations.request(stored.pk, actor=asker, reason="totals", now=now)


def reason(words: str) -> dict[str, Any]:
    return {"reason": {"migration_bot.reason": {"value": words}}}


@responses.activate
def test_approving_in_spite_of_a_finding_asks_why_and_everybody_is_told(
    says: Says, linked: Any, forbidden: Run
) -> None:
    linked("U0ADA", "ada", "approve_run", "override_findings")
    opened = responses.post(f"{API}views.open", json={"ok": True})
    says(press("migration_bot.approve", str(forbidden.pk)))
    view = (
        json.loads(json.loads(opened.calls[0].request.body)["view"])
        if isinstance(json.loads(opened.calls[0].request.body)["view"], str)
        else json.loads(opened.calls[0].request.body)["view"]
    )
    assert view["callback_id"] == "migration_bot.override_reason"
    assert "12 rows of shop_order" in str(view)
    assert not forbidden.decisions.exists(), "nothing is decided by opening a modal"
    assert not AuditEntry.objects.filter(event__endswith=".refused").exists()
    carried = json.loads(view["private_metadata"])
    says(submit("migration_bot.override_reason", carried, reason("they are test rows")))
    forbidden.refresh_from_db()
    assert forbidden.state == State.QUEUED
    (decision,) = forbidden.decisions.all()
    assert (decision.overrides, decision.reason) == ("data_breaks_rule", "they are test rows")
    message = blocks.run_message(rendering.run_view(forbidden.pk, now=utc_now()))
    assert "in spite of data_breaks_rule" in message.text
    assert "they are test rows" in message.text


@responses.activate
def test_a_second_press_of_one_person_asks_for_no_second_reason(
    says: Says, linked: Any, now: datetime
) -> None:
    asker = acting(an_account("asker", "request_run"))
    plan = a_plan(a_step(findings=(BROKEN, replace(BROKEN, code="x", level=Risk.DANGEROUS))))
    stored = operations.keep_plan(actor=asker, plan=plan, now=now)
    run = operations.request(stored.pk, actor=asker, reason="totals", now=now)
    ada = linked("U0ADA", "ada", "approve_run", "override_findings")
    operations.approve(run.pk, actor=acting(ada), now=now, override=True, reason="test rows")
    says(press("migration_bot.approve", str(run.pk)))
    message = Delivery.objects.get(kind="reply").payload["message"]
    assert "You have already decided" in message["text"]
    assert not responses.calls, "no modal"


@pytest.mark.parametrize("permissions", [("approve_run",), ("override_findings",)])
def test_whoever_may_not_override_is_refused_and_asked_nothing(
    says: Says, linked: Any, forbidden: Run, permissions: tuple[str, ...]
) -> None:
    linked("U0ADA", "ada", *permissions)
    says(press("migration_bot.approve", str(forbidden.pk)))
    says(
        submit(
            "migration_bot.override_reason",
            {"run": forbidden.pk, "codes": "data_breaks_rule"},
            reason("so what"),
        )
    )
    assert not forbidden.decisions.exists()
    entries = AuditEntry.objects.filter(event="run.approve.refused")
    assert entries.count() >= 1


@pytest.mark.parametrize(
    "carried",
    [
        {"codes": "loses_data"},
        {"codes": ""},
        {},
        {"codes": ["data_breaks_rule"]},
        {"codes": "data_breaks_rule", "mark": "=000000000000"},
    ],
)
def test_only_what_was_shown_in_the_modal_is_overridden(
    says: Says, linked: Any, forbidden: Run, carried: dict[str, Any]
) -> None:
    linked("U0ADA", "ada", "approve_run", "override_findings")
    modal = {"run": forbidden.pk, **carried}
    answer = says(submit("migration_bot.override_reason", modal, reason("fine")))
    assert "cannot be approved as it is" in str(answer)
    assert not forbidden.decisions.exists()


def test_an_override_without_a_reason_is_told_at_its_field(
    says: Says, linked: Any, forbidden: Run
) -> None:
    linked("U0ADA", "ada", "approve_run", "override_findings")
    modal = {"run": forbidden.pk, "codes": "data_breaks_rule"}
    answer = says(submit("migration_bot.override_reason", modal, reason(" ")))
    assert "reason" in answer["errors"]


# Who somebody is


def test_link_gives_a_one_time_address_and_keeps_only_its_digest(says: Says, known: Any) -> None:
    known("U0NEW")
    answer = says(command("link", user="U0NEW"))
    code = LinkCode.objects.get()
    assert "https://site.test/migrations/link/" in answer["text"]
    assert code.digest not in json.dumps(answer)
    assert (code.team, code.slack_user) == (TEAM, "U0NEW")


def test_unlink_ends_ones_own_link(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin")
    says(command("unlink"))
    assert Link.objects.get().live_key is None
    assert "not tied" in says(command("status"))["text"]


def test_whoami_says_what_one_may(says: Says, linked: Any) -> None:
    linked("U0ROBIN", "robin", "request_run")
    assert "request a run" in says(command("whoami"))["text"]


def test_a_link_gives_no_permission_that_the_account_lost(
    says: Says, linked: Any, run: Run
) -> None:
    ada = linked("U0ADA", "ada", "approve_run")
    get_user_model().objects.filter(pk=ada.pk).update(is_staff=False)
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.REQUESTED


@pytest.mark.parametrize("age", [None, timedelta(minutes=5, seconds=1)])
def test_no_decision_rests_on_old_flags(
    says: Says, linked: Any, run: Run, now: datetime, age: timedelta | None
) -> None:
    linked("U0ADA", "ada", "approve_run")
    from bot.models import SlackPerson

    SlackPerson.objects.update(flags_at=now - age if age else None)
    says(press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.REQUESTED
    assert SlackCall.objects.get().answered_at is None


def user_info(**flags: Any) -> dict[str, Any]:
    """users.info of a full member whose address is confirmed."""
    return {
        "ok": True,
        "user": {
            "id": "U0ADA",
            "team_id": TEAM,
            "deleted": False,
            "is_bot": False,
            "is_restricted": False,
            "is_ultra_restricted": False,
            "is_email_confirmed": True,
            "tz": "Europe/Berlin",
            "profile": {"display_name": "Ada", "email": "ada@example.com"},
            **flags,
        },
    }


def answered_later(says: Says, body: bytes) -> str:
    """Send, then do what the worker does; the text of its answer."""
    says(body)
    answers.answer_later(str(SlackCall.objects.get().pk))
    return str(
        Delivery.objects.filter(kind="reply").order_by("-id").first().payload["message"]["text"]  # type: ignore[union-attr]
    )


@responses.activate
def test_a_kept_click_is_carried_out_once_slack_has_said_who_it_is(
    says: Says, linked: Any, run: Run
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info())
    told = answered_later(says, press("migration_bot.approve", str(run.pk)))
    assert f"You approved run {run.pk}" in told
    answers.answer_later(str(SlackCall.objects.get().pk))
    assert run.decisions.count() == 1, "a wake that comes twice changes nothing"


@responses.activate
@pytest.mark.parametrize("slow", [timedelta(0), timedelta(seconds=4)])
def test_a_kept_click_that_wants_a_form_gets_it_while_slack_still_opens_one(
    says: Says, linked: Any, run: Run, monkeypatch: pytest.MonkeyPatch, slow: timedelta
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info())
    form = responses.post(f"{API}views.open", json={"ok": True, "view": {"id": "V1"}})
    says(press("migration_bot.reject", str(run.pk)))
    monkeypatch.setattr(answers, "utc_now", lambda: utc_now() + slow)
    answers.answer_later(str(SlackCall.objects.get().pk))
    replies = [
        one
        for one in Delivery.objects.filter(kind="reply")
        if "could not be opened" in one.payload["message"]["text"]
    ]
    assert form.call_count == (0 if slow else 1)
    assert len(replies) == (1 if slow else 0)


@responses.activate
def test_what_is_said_instead_of_a_form_waits_until_it_can_open_no_more(
    says: Says, linked: Any, run: Run
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info())
    responses.post(f"{API}views.open", json={"ok": False, "error": "expired_trigger_id"})
    told = answered_later(says, press("migration_bot.reject", str(run.pk)))
    assert "could not be opened" in told
    reply = Delivery.objects.filter(kind="reply").order_by("-id").first()
    assert reply is not None
    assert reply.due_at - reply.created_at > answers.TRIGGER


@responses.activate
@pytest.mark.parametrize("broken", ["operations.approve", "outbox.reply"])
def test_a_kept_click_outlives_an_outage_of_the_database(
    says: Says, linked: Any, run: Run, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info())
    says(press("migration_bot.approve", str(run.pk)))
    kept, before = SlackCall.objects.get(), Delivery.objects.filter(kind="reply").count()

    def down(*_: Any, **__: Any) -> Any:
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(f"bot.{broken}", down)
        with pytest.raises(OperationalError):
            answers.answer_later(str(kept.pk))
    kept.refresh_from_db()
    assert kept.answered_at is None
    assert run.decisions.count() == 0, "what was done is undone with it"
    answers.answer_later(str(kept.pk))
    assert SlackCall.objects.get(pk=kept.pk).answered_at is not None
    assert run.decisions.count() == 1
    assert Delivery.objects.filter(kind="reply").count() == before + 1


@responses.activate
def test_a_kept_click_that_nobody_expected_is_told_with_a_reference(
    says: Says, linked: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info())

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("bot.operations.approve", broken)
    told = answered_later(says, press("migration_bot.approve", str(run.pk)))
    assert "Something broke" in told
    assert "reference" in told
    assert "secret detail" not in told
    assert SlackCall.objects.get().answered_at is not None


@responses.activate
@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"deleted": True}, "deactivated"),
        ({"is_bot": True}, "a bot"),
        ({"is_restricted": True}, "a guest"),
        ({"is_ultra_restricted": True}, "a guest"),
        ({"is_stranger": True}, "another workspace"),
        ({"team_id": "T0OTHER"}, "another workspace"),
        ({"is_email_confirmed": False}, "not confirmed"),
    ],
)
def test_guests_bots_strangers_and_deactivated_people_never_get_through(
    says: Says, linked: Any, run: Run, flags: dict[str, Any], told: str
) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", json=user_info(**flags))
    assert told in answered_later(says, press("migration_bot.approve", str(run.pk)))
    run.refresh_from_db()
    assert run.state == State.REQUESTED


@responses.activate
def test_when_slack_cannot_say_who_it_is_nothing_is_done(says: Says, linked: Any, run: Run) -> None:
    from bot.models import SlackPerson

    linked("U0ADA", "ada", "approve_run")
    SlackPerson.objects.update(flags_at=None)
    responses.post(f"{API}users.info", status=503)
    told = answered_later(says, press("migration_bot.approve", str(run.pk)))
    assert "could not be asked" in told
    run.refresh_from_db()
    assert run.state == State.REQUESTED


@responses.activate
@pytest.mark.parametrize(
    ("enabled", "email", "links"),
    [(True, "ada@example.com", 1), (False, "ada@example.com", 0), (True, "x@example.com", 0)],
)
def test_a_confirmed_address_links_only_where_that_is_switched_on(
    says: Says, known: Any, settings: Any, enabled: bool, email: str, links: int
) -> None:
    from bot.conf import get_settings

    ada = an_account("ada")
    ada.email = email
    ada.save()
    settings.MIGRATION_BOT = {**SETTINGS, "link_by_email": enabled}
    assert get_settings().link_by_email is enabled
    responses.post(f"{API}users.info", json=user_info())
    answered_later(says, command("whoami", user="U0ADA"))
    assert Link.objects.count() == links


def test_the_home_tab_is_published_by_a_worker(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "approve_run")
    says(home_opened(), content_type="application/json")
    delivery = Delivery.objects.get(kind="home")
    assert delivery.payload == {"team": TEAM, "user": "U0ADA"}


def test_help_begins_with_link_for_whoever_is_not_linked(
    says: Says, known: Any, linked: Any
) -> None:
    known("U0NEW")
    told = says(command("help", user="U0NEW"))["text"]
    assert told.startswith("Begin with /migrate link")
    assert told.index("/migrate link: Tie") < told.index("/migrate whoami") < told.index("status")
    linked("U0ADA", "ada")
    told = says(command("help", user="U0ADA"))["text"]
    assert "Begin with" not in told
    assert told.index("/migrate help") < told.index("/migrate plan") < told.index("/migrate link")


def test_each_opening_of_home_publishes_it_anew(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "approve_run")
    for _ in range(3):
        says(home_opened(), content_type="application/json")
    delivery = Delivery.objects.get(kind="home")
    assert (delivery.version, delivery.sent_version, delivery.state) == (3, 0, Delivery.PENDING)


def test_home_is_published_anew_when_a_link_ends_or_is_made(says: Says, linked: Any) -> None:
    linked("U0ADA", "ada", "approve_run")
    says(command("unlink", user="U0ADA"))
    delivery = Delivery.objects.get(kind="home")
    assert delivery.payload == {"team": TEAM, "user": "U0ADA"}
    assert listing.home_view(TEAM, "U0ADA", now=utc_now()).linked is False


def test_a_typo_is_answered_with_the_nearest_command(says: Says, known: Any) -> None:
    known("U0ROBIN")
    answer = says(command("statsu"))
    assert "Did you mean" in answer["text"]
    assert "/migrate status" in answer["text"]


def test_what_nobody_expected_gets_a_reference_and_no_details(
    says: Says, linked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked("U0ROBIN", "robin")
    monkeypatch.setattr(
        "bot.slack.listing.status_view", lambda **_: (_ for _ in ()).throw(RuntimeError("secret"))
    )
    answer = says(command("status"))
    assert "reference" in answer["text"]
    assert "secret" not in answer["text"]


def test_a_long_plan_can_be_shown(says: Says, linked: Any, now: datetime) -> None:
    robin = linked("U0ROBIN", "robin", "request_run")
    plan = a_plan(*(a_step(name=f"{n:04}_{'x' * 55}") for n in range(200)))
    stored = operations.keep_plan(actor=acting(robin), plan=plan, now=now)
    run = operations.request(stored.pk, actor=acting(robin), reason="x", now=now)
    assert str(run.pk) in says(command(f"show {run.pk}"))["text"]
