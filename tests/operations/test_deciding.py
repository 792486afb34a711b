from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings

from bot import audit, operations
from bot.models import AuditEntry, Decision, LinkCode, Run
from bot.operations import linking
from bot.route.findings import Risk
from bot.route.people import Origin
from bot.route.plan import Direction, Operation, Step
from bot.route.refusals import (
    AlreadyDecided,
    AlreadyRequested,
    CommandLineNotTrusted,
    EmptyPlan,
    NotPermitted,
    NotStaff,
    NoWayBack,
    OwnRequest,
    ReasonNeeded,
    SameLogin,
    WrongState,
)
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def robin() -> Any:
    return an_account("robin", "request_run")


@pytest.fixture
def ada() -> Any:
    return an_account("ada", "approve_run", "request_run")


@pytest.fixture
def grace() -> Any:
    return an_account("grace", "approve_run")


def asked(by: Any, *, risk: Risk = Risk.SAFE, **fields: Any) -> Run:
    stored = operations.keep_plan(actor=acting(by), plan=a_plan(a_step(risk=risk)), now=NOW)
    return operations.request(stored.pk, actor=acting(by), reason="new totals", now=NOW, **fields)


def events() -> list[str]:
    return list(AuditEntry.objects.order_by("seq").values_list("event", flat=True))


def test_a_second_person_approves_and_the_run_is_queued(robin: Any, ada: Any) -> None:
    run = operations.approve(asked(robin).pk, actor=acting(ada), now=NOW)
    assert run.state == "queued"
    assert run.active_key == "default"
    assert events() == ["run.requested", "run.approved", "run.queued"]
    assert audit.verify().sound


def test_the_requester_cannot_approve_their_own_run(ada: Any) -> None:
    run = asked(ada)
    with pytest.raises(OwnRequest):
        operations.approve(run.pk, actor=acting(ada), now=NOW)
    run.refresh_from_db()
    assert run.state == "requested"
    assert events()[-1] == "run.approve.refused"


def test_two_accounts_of_one_shell_login_count_as_one_person(robin: Any, ada: Any) -> None:
    shell: dict[str, Any] = {"origin": Origin.COMMAND_LINE, "os_user": "deploy@web-1"}
    stored = operations.keep_plan(actor=acting(robin, **shell), plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=acting(robin, **shell), reason="x", now=NOW)
    with pytest.raises(OwnRequest):
        operations.approve(run.pk, actor=acting(ada, **shell), now=NOW)


def shell(user: Any, login: str) -> Any:
    return acting(user, origin=Origin.COMMAND_LINE, os_user=login)


def asked_at_shell(by: Any, login: str) -> Run:
    stored = operations.keep_plan(actor=shell(by, login), plan=a_plan(), now=NOW)
    return operations.request(stored.pk, actor=shell(by, login), reason="x", now=NOW)


def test_a_shell_decides_nothing_that_was_asked_for_elsewhere(robin: Any, ada: Any) -> None:
    run = asked(robin)
    with pytest.raises(CommandLineNotTrusted, match="staff page or in Slack"):
        operations.approve(run.pk, actor=shell(ada, "robin@laptop"), now=NOW)
    with pytest.raises(CommandLineNotTrusted):
        operations.reject(run.pk, actor=shell(ada, "robin@laptop"), reason="x", now=NOW)
    with override_settings(MIGRATION_BOT={"trust_command_line": True}):
        run = operations.approve(run.pk, actor=shell(ada, "robin@laptop"), now=NOW)
    assert run.state == "queued"


def test_one_login_name_on_another_host_is_the_same_person(robin: Any, ada: Any) -> None:
    run = asked_at_shell(robin, "deploy@web-1")
    for decide in (operations.approve, operations.reject):
        with pytest.raises(SameLogin):
            decide(run.pk, actor=shell(ada, "deploy@web-2"), now=NOW, reason="x")
    with override_settings(MIGRATION_BOT={"trust_command_line": True}):
        run = operations.approve(run.pk, actor=shell(ada, "deploy@web-2"), now=NOW)
    assert run.state == "queued"


def test_another_login_approves_what_was_asked_for_at_a_command_line(robin: Any, ada: Any) -> None:
    run = asked_at_shell(robin, "robin@desk")
    assert operations.approve(run.pk, actor=shell(ada, "ada@desk"), now=NOW).state == "queued"


def test_requesters_take_their_own_request_back_at_their_own_shell(ada: Any) -> None:
    run = asked_at_shell(ada, "ada@desk")
    run = operations.reject(run.pk, actor=shell(ada, "ada@desk"), now=NOW, reason="wrong one")
    assert run.state == "rejected"


@pytest.fixture
def mallory() -> Any:
    return an_account("mallory", "approve_run", "request_run")


def link_again(slack_user: str, *accounts: Any) -> None:
    """Tie one Slack person to one account after the other."""
    for user in accounts:
        linking.offer_code("c", team="T", slack_user=slack_user, slack_name="", now=NOW)
        linking.confirm_code("c", actor=acting(user), now=NOW)
        LinkCode.objects.all().delete()


def in_slack(user: Any, slack_user: str) -> Any:
    return acting(user, origin=Origin.SLACK, team="T", slack_user=slack_user)


def test_a_slack_person_once_linked_to_the_requester_is_the_requester(
    mallory: Any, ada: Any
) -> None:
    link_again("U1", mallory, ada)
    run = asked(mallory)
    with pytest.raises(OwnRequest):
        operations.approve(run.pk, actor=in_slack(ada, "U1"), now=NOW)
    assert operations.approve(run.pk, actor=acting(ada), now=NOW).state == "queued"


def test_an_account_once_linked_to_the_slack_person_who_asked_is_the_requester(
    mallory: Any, ada: Any
) -> None:
    link_again("U1", ada, mallory)
    actor = in_slack(mallory, "U1")
    stored = operations.keep_plan(actor=actor, plan=a_plan(), now=NOW)
    run = operations.request(stored.pk, actor=actor, reason="x", now=NOW)
    with pytest.raises(OwnRequest):
        operations.approve(run.pk, actor=acting(ada), now=NOW)


def test_one_slack_person_with_two_accounts_one_after_the_other_counts_once(
    robin: Any, mallory: Any, ada: Any
) -> None:
    run = asked(robin, risk=Risk.DANGEROUS)
    operations.approve(run.pk, actor=acting(mallory), now=NOW)
    link_again("U1", mallory, ada)
    with pytest.raises(AlreadyDecided):
        operations.approve(run.pk, actor=in_slack(ada, "U1"), now=NOW)


def test_a_dangerous_plan_needs_two_people_and_nobody_counts_twice(
    robin: Any, ada: Any, grace: Any
) -> None:
    run = asked(robin, risk=Risk.DANGEROUS)
    assert operations.approve(run.pk, actor=acting(ada), now=NOW).state == "requested"
    with pytest.raises(AlreadyDecided):
        operations.approve(run.pk, actor=acting(ada), now=NOW)
    assert operations.approve(run.pk, actor=acting(grace), now=NOW).state == "queued"
    assert Decision.objects.filter(run=run).count() == 2


def test_the_same_plan_is_requested_once(robin: Any) -> None:
    asked(robin)
    with pytest.raises(AlreadyRequested, match="this plan and waits for approval"):
        asked(robin)
    assert Run.objects.count() == 1


def test_one_no_is_enough_and_needs_a_reason(robin: Any, ada: Any) -> None:
    run = asked(robin)
    with pytest.raises(ReasonNeeded):
        operations.reject(run.pk, actor=acting(ada), reason="  ", now=NOW)
    assert operations.reject(run.pk, actor=acting(ada), reason="not today", now=NOW).state == (
        "rejected"
    )


def test_nothing_is_requested_without_a_reason_or_without_steps(robin: Any) -> None:
    stored = operations.keep_plan(actor=acting(robin), plan=a_plan(), now=NOW)
    with pytest.raises(ReasonNeeded):
        operations.request(stored.pk, actor=acting(robin), reason="", now=NOW)
    empty = a_plan()
    empty = type(empty)(
        **{name: getattr(empty, name) for name in empty.__dataclass_fields__} | {"steps": ()}
    )
    stored = operations.keep_plan(actor=acting(robin), plan=empty, now=NOW)
    with pytest.raises(EmptyPlan):
        operations.request(stored.pk, actor=acting(robin), reason="x", now=NOW)


def test_a_run_that_could_never_succeed_is_not_requested(robin: Any) -> None:
    """Django refuses to undo such a step; one with its own ``unapply`` may know a way."""
    back: dict[str, Any] = {
        "direction": Direction.BACKWARD,
        "reversible": False,
        "irreversible_because": "Run Python: lower has no reverse code.",
    }
    own = Operation(kind="Migration", words="Its own unapply()", reversible=False)
    forward, fine, stuck, unsure = (
        a_step(name="0004", **back | {"direction": Direction.FORWARD}),
        a_step(name="0003", direction=Direction.BACKWARD),
        a_step(name="0002", **back),
        a_step(name="0005", operations=(own,), **back),
    )

    def request(*steps: Step) -> Run:
        stored = operations.keep_plan(actor=acting(robin), plan=a_plan(*steps), now=NOW)
        return operations.request(stored.pk, actor=acting(robin), reason="back", now=NOW)

    with pytest.raises(NoWayBack) as refused:
        request(fine, stuck)
    assert "shop.0002 cannot be undone" in refused.value.sentence
    assert "Run Python: lower has no reverse code." in refused.value.sentence
    for steps in ((forward,), (fine,), (unsure,)):
        assert request(*steps).state == "requested"


def test_what_nobody_decided_in_time_expires(robin: Any, ada: Any) -> None:
    run = asked(robin)
    late = NOW + timedelta(hours=25)
    with pytest.raises(WrongState) as refused:
        operations.approve(run.pk, actor=acting(ada), now=late)
    assert "has expired" in refused.value.sentence
    assert events() == ["run.requested", "run.expired", "run.approve.refused"]


def test_a_run_for_later_waits_and_is_queued_at_its_time(robin: Any, ada: Any) -> None:
    later = NOW + timedelta(hours=2)
    run = operations.approve(asked(robin, run_after=later).pk, actor=acting(ada), now=NOW)
    assert run.state == "approved"
    assert operations.queue_due(now=later - timedelta(seconds=1)) == 0
    assert operations.queue_due(now=later) == 1
    run.refresh_from_db()
    assert run.state == "queued"


def test_a_second_run_on_the_database_waits_for_the_first(robin: Any, ada: Any) -> None:
    first = asked(robin)
    operations.approve(first.pk, actor=acting(ada), now=NOW)
    stored = operations.keep_plan(
        actor=acting(robin), plan=a_plan(a_step(name="0003_other")), now=NOW
    )
    second = operations.request(stored.pk, actor=acting(robin), reason="next", now=NOW)
    assert operations.approve(second.pk, actor=acting(ada), now=NOW).state == "approved"
    operations.cancel(first.pk, actor=acting(robin), now=NOW)
    assert operations.queue_due(now=NOW) == 1


@pytest.mark.parametrize(
    ("staff", "permissions", "refusal"),
    [
        (False, ("request_run", "approve_run"), NotStaff),
        (True, (), NotPermitted),
        (True, ("request_run",), NotPermitted),
    ],
)
def test_approving_takes_a_staff_account_with_the_permission(
    robin: Any, staff: bool, permissions: tuple[str, ...], refusal: type[Exception]
) -> None:
    run = asked(robin)
    other = an_account("other", *permissions, staff=staff)
    with pytest.raises(refusal):
        operations.approve(run.pk, actor=acting(other), now=NOW)
    assert events()[-1] == "run.approve.refused"
