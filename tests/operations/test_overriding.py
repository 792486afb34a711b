"""Findings that forbid a run: who may approve in spite of them, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import override_settings

from bot import operations
from bot.models import AuditEntry, Decision, Run
from bot.operations import reading, running
from bot.route.data_checks import BREAKS, CUTS, Answer, Checked, DataCheck
from bot.route.findings import Evidence, Finding, Risk
from bot.route.overriding import mark_of
from bot.route.people import Origin
from bot.route.refusals import (
    AlreadyDecided,
    FindingForbids,
    NotPermitted,
    OwnOverride,
    OwnRequest,
    ReasonNeeded,
    Refused,
    WrongState,
)
from bot.route.states import State
from tests.plans import NOW, a_plan, a_rehearsal, a_step, acting, an_account

pytestmark = pytest.mark.django_db

BROKEN = Finding(
    step="shop.0002_more",
    operation=0,
    code=BREAKS,
    level=Risk.CAUTION,
    because="12 rows of shop_order have NULL in total: SET NOT NULL would fail.",
    evidence=Evidence.MEASURED,
    table="shop_order",
)
OTHER = Finding(code="loses_data", level=Risk.CAUTION, because="Rows are gone for good.")
WHY = "The column is read by nobody yet."


def asked(*findings: Finding, checks: tuple[Checked, ...] = ()) -> Run:
    robin = acting(an_account("robin", "request_run"))
    plan = a_plan(a_step(findings=findings or (BROKEN,)), checks=checks)
    stored = operations.keep_plan(actor=robin, plan=plan, now=NOW)
    return operations.request(stored.pk, actor=robin, reason="totals", now=NOW)


@pytest.fixture
def run() -> Run:
    return asked()


def approver(*more: str, name: str = "ada") -> Any:
    return acting(an_account(name, "approve_run", *more))


def test_asking_for_it_is_allowed_and_says_what_forbids_it(run: Run) -> None:
    found = reading.find_run(run.pk)
    assert found.state == State.REQUESTED
    assert reading.run_as_json(found)["forbidden_by"] == [BREAKS]


CELLS: dict[tuple[bool, bool, bool], type[Refused] | None] = {
    (permitted, override, reason): FindingForbids
    if not override
    else NotPermitted
    if not permitted
    else None
    if reason
    else ReasonNeeded
    for permitted, override, reason in product((False, True), repeat=3)
}
"""Permission, override and reason, and what refuses the approval."""


@pytest.mark.parametrize(("permitted", "override", "reason"), CELLS)
def test_only_with_permission_on_purpose_and_with_a_reason(
    run: Run, permitted: bool, override: bool, reason: bool
) -> None:
    ada = approver(*["override_findings"] * permitted)
    given: dict[str, Any] = {"override": override, "reason": WHY if reason else ""}
    refusal = CELLS[permitted, override, reason]
    if refusal is None:
        assert operations.approve(run.pk, actor=ada, now=NOW, **given).state == State.QUEUED
        return
    with pytest.raises(refusal):
        operations.approve(run.pk, actor=ada, now=NOW, **given)
    run.refresh_from_db()
    assert run.state == State.REQUESTED
    assert not Decision.objects.exists()


def test_the_refusal_says_what_forbids_it_and_what_to_do(run: Run) -> None:
    with pytest.raises(FindingForbids) as told:
        operations.approve(run.pk, actor=approver(), now=NOW)
    sentence = told.value.sentence
    assert "12 rows of shop_order have NULL in total" in sentence
    assert "Mend that" in sentence
    assert "migration_bot.override_findings" in sentence
    last = AuditEntry.objects.order_by("-seq")[0]
    assert last.event == "run.approve.refused"


def test_the_override_is_kept_with_its_codes_and_told(run: Run) -> None:
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    (decision,) = reading.run_as_json(reading.find_run(run.pk))["decisions"]
    assert decision["overrides"] == [BREAKS]
    data = json.loads(AuditEntry.objects.get(event="run.approved").data)
    assert (data["overrides"], data["reason"]) == ([BREAKS], WHY)


def test_where_nothing_forbids_nothing_is_overridden() -> None:
    run = asked(OTHER)
    operations.approve(run.pk, actor=approver(), now=NOW, override=True)
    assert Decision.objects.get().overrides == ""
    assert "overrides" not in json.loads(AuditEntry.objects.get(event="run.approved").data)


def test_a_no_needs_no_override(run: Run) -> None:
    operations.reject(run.pk, actor=approver(), now=NOW, reason="mend it first")
    assert Run.objects.get().state == State.REJECTED


def test_what_came_after_it_was_shown_is_not_overridden(run: Run, settings: Any) -> None:
    ada = approver("override_findings")
    with pytest.raises(FindingForbids):
        operations.approve(
            run.pk, actor=ada, now=NOW, override=True, reason=WHY, seen=["loses_data"]
        )
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY, seen=[BREAKS, "x"])


def test_another_finding_with_a_code_that_was_shown_was_not_shown(run: Run) -> None:
    ada = approver("override_findings")
    shown = [BREAKS, mark_of([BROKEN])]
    rehearsed(run, BROKEN, replace(BROKEN, operation=3), now=LATER)
    given: dict[str, Any] = {"now": LATEST, "override": True, "reason": WHY}
    with pytest.raises(FindingForbids):
        operations.approve(run.pk, actor=ada, seen=shown, **given)
    shown = [BREAKS, mark_of(reading.forbidden_by(reading.find_run(run.pk)))]
    assert operations.approve(run.pk, actor=ada, seen=shown, **given).state == State.QUEUED


def test_another_table_is_another_mark() -> None:
    marks = {
        mark_of([BROKEN]),
        mark_of([replace(BROKEN, table="shop_line")]),
        mark_of([BROKEN, BROKEN]),
        mark_of([]),
    }
    assert len(marks) == 4
    assert mark_of([BROKEN, OTHER]) == mark_of([OTHER, replace(BROKEN, because="11 rows.")])


def test_each_approver_overrides_for_themselves() -> None:
    dangerous = Finding(code=BREAKS, level=Risk.DANGEROUS, because="12 rows.")
    run = asked(dangerous)
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    grace = approver(name="grace")
    with pytest.raises(FindingForbids):
        operations.approve(run.pk, actor=grace, now=NOW)
    kay = approver("override_findings", name="kay")
    run = operations.approve(run.pk, actor=kay, now=NOW, override=True, reason=WHY)
    assert run.state == State.QUEUED


def _robin(*permissions: str) -> Any:
    robin = get_user_model().objects.get(username="robin")
    robin.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    return acting(robin)


@pytest.mark.parametrize("self_approval", [False, True])
def test_nobody_overrides_what_forbids_their_own_request(run: Run, self_approval: bool) -> None:
    robin = _robin("approve_run", "override_findings")
    with override_settings(MIGRATION_BOT={"self_approval": self_approval}):
        assert not operations.asks_for_override(run.pk, actor=robin)
        with pytest.raises(OwnOverride if self_approval else OwnRequest):
            operations.approve(run.pk, actor=robin, now=NOW, override=True, reason=WHY)


def test_which_findings_forbid_is_a_setting() -> None:
    run = asked(BROKEN, OTHER)
    ada = approver("override_findings")
    with override_settings(MIGRATION_BOT={"forbidden": ["loses_data"]}):
        operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    assert Decision.objects.get().overrides == "loses_data"


def test_with_nothing_in_the_setting_nothing_forbids(run: Run) -> None:
    with override_settings(MIGRATION_BOT={"forbidden": []}):
        assert operations.approve(run.pk, actor=approver(), now=NOW).state == State.QUEUED


def test_only_whoever_may_is_asked_if_they_override(run: Run) -> None:
    may, may_not = approver("override_findings"), approver(name="grace")
    assert operations.asks_for_override(run.pk, actor=may)
    assert not operations.asks_for_override(run.pk, actor=may_not)
    assert not operations.asks_for_override(run.pk, actor=acting(an_account("kay")))


def test_whoever_has_decided_is_not_asked_again_if_they_override() -> None:
    run = asked(BROKEN, Finding(code="test", level=Risk.DANGEROUS, because="It is."))
    ada, grace = approver("override_findings"), approver("override_findings", name="grace")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    assert not operations.asks_for_override(run.pk, actor=ada)
    assert operations.asks_for_override(run.pk, actor=grace)


def test_a_decided_run_refuses_by_its_state_and_one_vote_counts_once(run: Run) -> None:
    ada = approver("override_findings")
    Run.objects.update(approvals_needed=2)
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    with pytest.raises(AlreadyDecided):
        operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    Run.objects.update(state=str(State.CANCELLED))
    with pytest.raises(WrongState):
        operations.approve(run.pk, actor=approver(name="grace"), now=NOW)


def test_an_override_of_somebody_who_may_no_longer_carries_nothing(run: Run) -> None:
    account = an_account("ada", "approve_run", "override_findings")
    operations.approve(run.pk, actor=acting(account), now=NOW, override=True, reason=WHY)
    account.user_permissions.remove(Permission.objects.get(codename="override_findings"))
    hold, claimed = running.claim(run.pk, worker="w", now=NOW) or (None, None)
    assert hold is not None
    assert claimed is not None
    ended = running.start(hold, claimed.stored_plan.plan.basis, now=NOW)
    assert ended.state == State.STALE
    assert ended.stale_because == [
        "ada, who approved it in spite of data_breaks_rule, may no longer do that."
    ]


def _checked(code: str, answer: Answer, words: str) -> Checked:
    place = {"broken": 0, "held": 1, "cut": 2}[words]
    check = DataCheck(
        code=code,
        step="shop.0002_more",
        operation=place,
        table=BROKEN.table,
        words=words,
        sql="SELECT 1",
    )
    return Checked(check=check, answer=answer)


CUT = replace(BROKEN, code=CUTS, operation=2)
CHECKS = (
    _checked(BREAKS, Answer.BROKEN, "broken"),
    _checked(BREAKS, Answer.HOLDS, "held"),
    _checked(CUTS, Answer.BROKEN, "cut"),
)


def test_what_was_overridden_is_not_asked_again_and_all_else_is() -> None:
    run = asked(BROKEN, CUT, checks=CHECKS)
    before = [check.words for check in reading.data_checks(run)]
    assert before == ["broken", "held"], "nobody forbids what is cut: whoever approves knows it"
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    assert [check.words for check in reading.data_checks(Run.objects.get())] == ["held"]
    with override_settings(MIGRATION_BOT={"data_checks": False}):
        assert reading.data_checks(Run.objects.get()) == ()


def rehearsed(run: Run, *findings: Finding, now: Any = NOW, ready_at: Any = None) -> None:
    """A rehearsal of its plan ends, and found these; ``ready_at`` by its worker's own clock."""
    plan = run.stored_plan.plan
    operations.keep_rehearsal(
        actor=acting(get_user_model().objects.get(username="robin")),
        plan=plan,
        found=replace(a_rehearsal(plan, *findings), made_at=now),
        now=ready_at or now,
    )


LATER, LATEST = NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)


def test_an_approval_from_before_a_forbidding_finding_was_known_lapses_and_is_given_anew() -> None:
    run = asked(replace(OTHER, level=Risk.DANGEROUS))
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW)
    rehearsed(run, BROKEN, now=LATER)
    assert not Decision.objects.exists()
    entry = AuditEntry.objects.get(event="run.approval_lapsed")
    assert json.loads(entry.data)["person_name"] == "ada"
    assert json.loads(entry.data)["codes"] == [BREAKS]
    kay = approver("override_findings", name="kay")
    operations.approve(run.pk, actor=kay, now=LATEST, override=True, reason=WHY)
    run.refresh_from_db()
    assert run.state == State.REQUESTED, "each of the two overrides for themselves"
    operations.approve(run.pk, actor=ada, now=LATEST, override=True, reason=WHY)
    run.refresh_from_db()
    assert run.state == State.QUEUED


def test_an_approval_that_overrode_what_a_rehearsal_finds_again_stays(run: Run) -> None:
    Run.objects.update(approvals_needed=2)
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    rehearsed(run, BROKEN, now=LATER)
    assert Decision.objects.count() == 1
    assert not AuditEntry.objects.filter(event="run.approval_lapsed").exists()


def started(run: Run) -> Run:
    hold, claimed = running.claim(run.pk, worker="w", now=LATEST) or (None, None)
    assert hold is not None
    assert claimed is not None
    return running.start(hold, claimed.stored_plan.plan.basis, now=LATEST)


def test_a_run_does_not_begin_when_what_forbids_it_came_to_be_known_after_its_approval() -> None:
    run = asked(OTHER)
    operations.approve(run.pk, actor=approver(), now=NOW)
    rehearsed(run, BROKEN, now=LATER)
    ended = started(run)
    assert ended.state == State.STALE
    assert ended.stale_because == [
        "ada approved it before data_breaks_rule was known, which forbids it."
    ]


def test_a_run_whose_findings_forbid_nothing_begins_after_its_rehearsal() -> None:
    run = asked(OTHER)
    operations.approve(run.pk, actor=approver(), now=NOW)
    rehearsed(run, OTHER, now=LATER)
    assert started(run).state == State.RUNNING


MORE = "3 values of shop_order.total are there twice: UNIQUE would fail."
ELSEWHERE = {
    "another operation": replace(BROKEN, because=MORE, operation=3),
    "another table": replace(BROKEN, because=MORE, table="shop_line"),
    "another step": replace(BROKEN, because=MORE, step="shop.0003_third"),
}
"""What a rehearsal finds beside what was overridden, with the same code."""
FORBIDDEN = override_settings(MIGRATION_BOT={"forbidden": [BREAKS, "loses_data"]})


@pytest.mark.parametrize("more", ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_an_override_carries_no_finding_that_was_not_shown_although_its_code_was(
    run: Run, more: Finding
) -> None:
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    rehearsed(run, BROKEN, more, now=LATER)
    ended = started(run)
    assert ended.state == State.STALE
    assert ended.stale_because == [
        f"ada approved it in spite of data_breaks_rule, but not in spite of all: {MORE}"
    ]


def test_of_two_findings_at_one_place_an_override_of_one_carries_neither(run: Run) -> None:
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    rehearsed(run, BROKEN, replace(BROKEN, because=MORE), now=LATER)
    (because,) = started(run).stale_because
    assert because.endswith(f"not in spite of all: {BROKEN.because} {MORE}")


def test_an_override_carries_no_finding_with_another_code(run: Run) -> None:
    ada = approver("override_findings")
    with FORBIDDEN:
        operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
        rehearsed(run, BROKEN, replace(BROKEN, code="loses_data"), now=LATER)
        assert started(run).stale_because == [
            "ada approved it before loses_data was known, which forbids it."
        ]


@pytest.mark.parametrize("more", ELSEWHERE.values(), ids=list(ELSEWHERE))
def test_an_override_lapses_by_a_finding_that_was_not_shown_although_its_code_was(
    run: Run, more: Finding
) -> None:
    Run.objects.update(approvals_needed=2)
    ada = approver("override_findings")
    given: dict[str, Any] = {"actor": ada, "override": True, "reason": WHY}
    operations.approve(run.pk, now=NOW, **given)
    rehearsed(run, BROKEN, more, now=LATER)
    assert not Decision.objects.exists()
    entry = AuditEntry.objects.get(event="run.approval_lapsed")
    assert json.loads(entry.data)["codes"] == [BREAKS]
    operations.approve(run.pk, now=LATEST, **given)
    assert Decision.objects.count() == 1, "whoever was shown it may decide anew"


def test_what_was_shown_stays_overridden_when_less_of_it_is_left_or_its_rows_are_other() -> None:
    run = asked(BROKEN, replace(BROKEN, operation=3))
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    rehearsed(run, replace(BROKEN, because="11 rows of shop_order have NULL in total."), now=LATER)
    assert started(run).state == State.RUNNING


def test_what_was_shown_is_kept_and_not_told_from_the_clocks_of_two_machines() -> None:
    run = asked(BROKEN, checks=CHECKS)
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    behind = NOW - timedelta(minutes=5)
    rehearsed(run, BROKEN, replace(BROKEN, operation=1), now=LATER, ready_at=behind)
    assert [check.words for check in reading.data_checks(Run.objects.get())] == ["held", "cut"]
    assert started(run).state == State.STALE


def test_an_override_that_says_nothing_of_what_was_shown_carries_nothing(run: Run) -> None:
    operations.approve(
        run.pk, actor=approver("override_findings"), now=NOW, override=True, reason=WHY
    )
    Decision.objects.update(shown=None)
    assert started(run).state == State.STALE


def test_what_a_rehearsal_finds_after_an_override_is_asked_again_under_the_same_code() -> None:
    run = asked(BROKEN, checks=CHECKS)
    ada = approver("override_findings")
    operations.approve(run.pk, actor=ada, now=NOW, override=True, reason=WHY)
    rehearsed(run, BROKEN, replace(BROKEN, operation=1), now=LATER)
    assert [check.words for check in reading.data_checks(Run.objects.get())] == ["held", "cut"]


def test_at_a_command_line_it_is_the_same(run: Run) -> None:
    ada = an_account("ada", "approve_run", "override_findings")
    shell = acting(ada, Origin.COMMAND_LINE, os_user="ada@h")
    with override_settings(MIGRATION_BOT={"trust_command_line": True}):
        with pytest.raises(FindingForbids):
            operations.approve(run.pk, actor=shell, now=NOW)
        operations.approve(run.pk, actor=shell, now=NOW, override=True, reason=WHY)
