from __future__ import annotations

import pytest

from bot import operations
from bot.models import AuditEntry
from bot.slack import blocks
from bot.slack.rendering import audit_view, plan_view
from tests.plans import NOW, a_plan, a_step, acting, an_account


@pytest.mark.parametrize(
    ("actor", "data"),
    [("not json", "{}"), ("{}", "[" * 100_000), ('{"origin":"nowhere"}', "{}"), ("[]", "[]")],
)
def test_an_entry_that_was_tampered_with_is_still_shown(actor: str, data: str) -> None:
    entry = AuditEntry(
        seq=7,
        at=NOW,
        event="run.approved",
        actor=actor,
        data=data,
        previous="0" * 64,
        hash="f" * 64,
    )
    message = blocks.audit_message(audit_view(entry))
    assert "audit 7" in message.text


@pytest.mark.django_db
def test_a_plan_names_the_run_that_asks_for_just_that_until_it_has_ended() -> None:
    robin = acting(an_account("robin", "request_run"))
    first, again = (operations.keep_plan(actor=robin, plan=a_plan(), now=NOW) for _ in range(2))
    other = operations.keep_plan(actor=robin, plan=a_plan(a_step(name="0003_third")), now=NOW)
    assert plan_view(again).asking_run is None
    run = operations.request(first.pk, actor=robin, reason="totals", now=NOW)
    assert plan_view(again).asking_run == run.pk
    assert plan_view(other).asking_run is None
    operations.cancel(run.pk, actor=robin, now=NOW)
    assert plan_view(again).asking_run is None
