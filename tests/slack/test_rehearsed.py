"""A rehearsal in Slack: the one message is edited, and its thread says what was measured."""

from __future__ import annotations

from typing import Any

import pytest
import responses

from bot import operations
from bot.models import Delivery, Run, StoredRehearsal
from bot.operations import rehearsing
from bot.route.findings import Evidence, Finding, Risk
from bot.route.people import Origin
from bot.route.plan import Plan
from tests.plans import NOW, a_plan, a_rehearsal, a_step, acting, an_account
from tests.slack.faulty import FakeSlack, drain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("slack_settings")]


def found(number: int, evidence: Evidence = Evidence.PREDICTED) -> tuple[Finding, ...]:
    """Findings with enough words that ten of them fill a message."""
    return tuple(
        Finding(
            code=f"code_{n}",
            level=Risk.DANGEROUS,
            because=f"{evidence} {n}. {'Because of it. ' * 50}",
            evidence=evidence,
        )
        for n in range(number)
    )


def planned(*findings: Finding) -> Plan:
    """A plan that somebody asked for in Slack, posted with its thread."""
    robin = acting(an_account("robin", "request_run"), origin=Origin.SLACK)
    plan = a_plan(a_step(findings=findings, examined=True))
    looked = operations.ask_for_plan(actor=robin, database="default", target="", now=NOW)
    operations.store_plan(looked.pk, plan, now=NOW)
    operations.request(looked.pk, actor=robin, reason="totals", now=NOW)
    return plan


def rehearsed(plan: Plan, *findings: Finding) -> None:
    row = rehearsing.claim(StoredRehearsal.objects.get().pk, now=NOW)
    assert row is not None
    operations.store_rehearsal(row, a_rehearsal(plan, *findings), now=NOW)


def shown(slack: FakeSlack, kind: str) -> list[str]:
    """What the messages of this kind say now, in the order of the channel."""
    keys = {d.ts: d.key for d in Delivery.objects.filter(kind=kind)}
    return [slack.messages[ts]["text"] for ts in slack.order if ts in keys]


@responses.activate
def test_the_messages_are_edited_in_place_and_the_thread_has_what_was_measured() -> None:
    slack = FakeSlack()
    plan = planned(*found(1))
    now = drain()
    posted = len(slack.order)
    assert all("predicted" in text for text in shown(slack, "plan") + shown(slack, "run"))
    rehearsed(plan, *found(1, Evidence.MEASURED))
    drain(now)
    for kind in ("plan", "run"):
        (text,) = shown(slack, kind)
        assert "1 measured" in text
        assert "Measured on a copy of the schema" in text
        (details,) = shown(slack, f"{kind}_details")
        assert "measured 0" in details
        assert "predicted" not in details
        (went,) = shown(slack, f"{kind}_rehearsal")
        assert "shop.0002_more: Ran in 12 ms." in went
    assert len(slack.order) == posted + 3, "two in threads, and the audit's entry"


@responses.activate
@pytest.mark.parametrize(("before", "after"), [(1, 40), (40, 1), (0, 3), (3, 0), (40, 40)])
def test_a_thread_that_needs_more_or_fewer_messages_than_before_is_told_whole(
    before: int, after: int
) -> None:
    slack = FakeSlack()
    plan = planned(*found(before))
    Run.objects.update(state="requested")
    now = drain()
    StoredRehearsal.objects.all().delete()
    looked = Run.objects.get().stored_plan
    operations.ask_for_rehearsal(looked.pk, actor=acting(an_account("ada", "request_run")), now=NOW)
    rehearsed(plan, *found(after, Evidence.MEASURED))
    drain(now)
    texts = shown(slack, "plan_details")
    said = " ".join(str(message) for message in _blocks(slack, "plan_details"))
    assert all(f"measured {n}. Because" in said for n in range(after))
    assert "predicted 0. Because" not in said
    assert not Delivery.objects.exclude(state=Delivery.SENT).exclude(kind="run_sql").exists()
    assert len(texts) == Delivery.objects.filter(kind="plan_details").exclude(ts="").count()


def _blocks(slack: FakeSlack, kind: str) -> list[Any]:
    keys = {d.ts for d in Delivery.objects.filter(kind=kind)}
    return [slack.messages[ts]["blocks"] for ts in slack.order if ts in keys]
