from __future__ import annotations

import pytest
from django.test import override_settings

from bot import clock
from bot.models import Delivery, Run
from bot.operations import interrupting, running
from bot.operations.running import LeaseLost
from bot.route.states import State
from tests.operations.claiming import LATER, basis, claimed
from tests.plans import NOW
from tests.slack.payloads import SETTINGS

pytestmark = pytest.mark.django_db


def test_a_running_run_whose_lease_died_is_interrupted_and_never_claimed_again(
    queued: Run,
) -> None:
    hold = claimed(queued)
    running.start(hold, basis(queued), now=NOW)
    assert interrupting.interrupt(queued.pk, because="x", now=NOW) is None, "its lease lives"
    clock.tick(now=LATER)
    queued.refresh_from_db()
    assert queued.state == State.INTERRUPTED
    assert queued.active_key == "default", "nobody may start on that database now"
    assert running.claim(queued.pk, worker="w2", now=LATER) is None
    with pytest.raises(LeaseLost):
        running.renew(hold, now=LATER)


@pytest.mark.parametrize("end", [State.SUCCEEDED, State.FAILED, State.NEEDS_ATTENTION])
def test_an_interrupted_run_ends_as_the_database_says(queued: Run, end: State) -> None:
    hold = claimed(queued)
    running.start(hold, basis(queued), now=NOW)
    running.step_starting(hold, "shop", "0002_more", now=NOW)
    clock.tick(now=LATER)
    done = ["shop.0002_more"] if end is State.FAILED else []
    run = interrupting.reconciled(queued.pk, state=end, done=done, because="Seen.", now=LATER)
    assert run is not None
    assert run.state == end
    assert run.active_key is None
    assert interrupting.reconciled(queued.pk, state=end, done=done, because="x", now=LATER) is None


@pytest.mark.parametrize(
    ("end", "kinds"),
    [
        (State.SUCCEEDED, {"run_result"}),
        (State.FAILED, {"run_result", "run_failed"}),
        (State.NEEDS_ATTENTION, {"run_result", "run_failed"}),
    ],
)
def test_what_is_there_is_told_in_the_thread_and_what_is_bad_in_the_channel_too(
    queued: Run, end: State, kinds: set[str]
) -> None:
    with override_settings(MIGRATION_BOT=SETTINGS):
        running.start(claimed(queued), basis(queued), now=NOW)
        clock.tick(now=LATER)
        interrupting.reconciled(
            queued.pk, state=end, done=[], because="Seen.\n- done: a", now=LATER
        )
    told = {delivery.kind for delivery in Delivery.objects.filter(run=queued.pk)}
    assert told & {"run_result", "run_failed"} == kinds
