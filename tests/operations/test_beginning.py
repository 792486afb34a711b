from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from bot.carry_out import Watch
from bot.database.messages import Locked, Stopped
from bot.models import Run
from bot.operations import accounts, running
from bot.route.refusals import AccountUnreadable
from bot.route.states import State
from tests.operations.claiming import basis, claimed
from tests.plans import NOW

pytestmark = pytest.mark.django_db


def test_an_approver_who_left_meanwhile_makes_it_stale(queued: Run) -> None:
    get_user_model().objects.filter(username="ada").update(is_active=False)
    run = running.start(claimed(queued), basis(queued), now=NOW)
    assert run.state == State.STALE
    assert run.stale_because == ["ada, who approved it, may no longer approve."]


def test_a_run_with_too_few_approvals_goes_stale_although_nobody_left(queued: Run) -> None:
    Run.objects.filter(pk=queued.pk).update(approvals_needed=2)
    run = running.start(claimed(queued), basis(queued), now=NOW)
    assert run.state == State.STALE
    assert run.stale_because == ["Only 1 of 2 approvals are there."]


def test_accounts_that_cannot_be_read_are_no_reason_to_end_a_run(
    queued: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(actor: Any, permission: str) -> None:
        raise AccountUnreadable(error="server closed the connection")

    hold = claimed(queued)
    with monkeypatch.context() as patch:
        patch.setattr(accounts, "require", unreadable)
        watch = Watch(hold=hold, clock=lambda: NOW)
        answer = watch.hear(Locked(basis=basis(queued)))
        assert answer is not None
        assert not answer.go
        assert "server closed the connection" in answer.because
        watch.hear(Stopped(because=answer.because, done=()))
    queued.refresh_from_db()
    assert (queued.state, queued.claimed_by) == (State.QUEUED, "")
    assert queued.waiting_for == [answer.because]
    hold = claimed(queued)
    assert running.start(hold, basis(queued), now=NOW).state == State.RUNNING
