"""Lists as Slack is told them, made from rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot import operations
from bot.models import Run
from bot.route.plan import Direction, Target
from bot.route.refusals import Refused
from bot.slack.listing import history_view, pending
from tests.plans import NOW, a_plan, a_step, acting, an_account

pytestmark = pytest.mark.django_db


def test_a_run_that_goes_back_is_listed_as_an_undo() -> None:
    robin = acting(an_account("robin", "request_run"))
    back = a_plan(a_step(direction=Direction.BACKWARD), a_step(name="0001_initial"))
    plan = replace(back, target=Target(app="shop", name="zero"))
    kept = operations.keep_plan(actor=robin, plan=plan, now=NOW)
    operations.request(kept.pk, actor=robin, reason="go back", now=NOW)
    (row,) = history_view(now=NOW).rows
    assert (row.steps, row.undone) == (2, 1)


def test_the_history_has_who_approved_and_who_said_no() -> None:
    robin = acting(an_account("robin", "request_run"))
    grace = acting(an_account("grace", "approve_run"))
    decisions = {"0002_more": operations.approve, "0003_third": operations.reject}
    for name, decide in decisions.items():
        kept = operations.keep_plan(actor=robin, plan=a_plan(a_step(name=name)), now=NOW)
        run = operations.request(kept.pk, actor=robin, reason="totals", now=NOW)
        decide(run.pk, actor=grace, reason="said", now=NOW)
    rejected, approved = history_view(now=NOW).rows
    assert [person.name for person in approved.approved_by] == ["grace"]
    assert [person.name for person in rejected.rejected_by] == ["grace"]
    assert (approved.rejected_by, rejected.approved_by) == ((), ())


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({"state": "fail"}, 'there is no state "fail". Did you mean failed?'),
        ({"state": "???"}, 'there is no state "???". There are: requested, approved, queued,'),
        ({"app": "auht"}, "There is no app auht. Did you mean auth?"),
        ({"database": "defalt"}, "There is no database defalt."),
    ],
)
def test_a_typo_in_a_filter_is_no_good_news(filters: dict[str, str], words: str) -> None:
    with pytest.raises(Refused) as refused:
        history_view(now=NOW, **filters)
    assert words in refused.value.sentence


@pytest.mark.parametrize("state", ["failed", "Failed", "needs attention", "needs_attention"])
def test_a_state_may_be_written_as_people_write_it(state: str) -> None:
    assert history_view(now=NOW, state=state).rows == ()


def test_an_app_and_a_database_that_are_gone_are_known_by_their_runs() -> None:
    robin = acting(an_account("robin", "request_run"))
    kept = operations.keep_plan(actor=robin, plan=a_plan(a_step(app="gone")), now=NOW)
    run = operations.request(kept.pk, actor=robin, reason="totals", now=NOW)
    Run.objects.filter(pk=run.pk).update(database="old")
    assert history_view(now=NOW, app="gone", database="old").rows[0].id == run.pk


def test_a_plan_from_before_a_run_is_not_told_as_what_is_pending() -> None:
    robin = acting(an_account("robin", "request_run"))
    kept = operations.keep_plan(actor=robin, plan=a_plan(), now=NOW)
    assert [(one.steps, one.outdated_by) for one in pending()] == [(1, None)]
    run = operations.request(kept.pk, actor=robin, reason="totals", now=NOW)
    later = NOW + timedelta(minutes=3)
    done = Run.objects.filter(pk=run.pk)
    done.update(state="succeeded", started_at=later, ended_at=later)
    assert [one.outdated_by for one in pending()] == [run.pk]
    done.update(started_at=None)
    assert [one.outdated_by for one in pending()] == [None]
