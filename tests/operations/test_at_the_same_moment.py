"""Two people, or two clicks of one, at the same moment: three databases, real threads."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import override_settings

from bot import audit, operations
from bot.management.people import acting_as
from bot.models import AuditEntry, DenialTally, Run, StoredRehearsal
from bot.operations import rehearsing, running
from bot.operations.changing import changing
from bot.route.events import Cancelled
from bot.route.findings import Risk
from bot.route.people import SYSTEM
from bot.route.refusals import AccountGone, Refused
from bot.route.states import State
from tests.plain_site import ROUTER, migrate
from tests.plans import NOW, a_plan, a_step, acting, an_account
from tests.replay import made_once


@pytest.fixture
def site(target: str, scratch_url: str) -> Iterator[str]:
    with override_settings(
        MIGRATION_BOT={"state_database": target, "databases": (target,)},
        DATABASE_ROUTERS=[ROUTER],
    ):
        apps = ("contenttypes", "auth", "migration_bot")
        made_once("same moment", target, scratch_url, lambda: migrate(target, *apps))
        yield target


def asked(risk: Risk) -> Run:
    robin = acting(an_account("robin", "request_run"))
    stored = operations.keep_plan(
        actor=robin, plan=a_plan(a_step(risk=risk), database="target"), now=NOW
    )
    return operations.request(stored.pk, actor=robin, reason="totals", now=NOW)


def at_once(*acts: Any) -> list[str]:
    """Do all of it at the same moment; "done", or the code of what refused it."""
    barrier = threading.Barrier(len(acts))
    said = [""] * len(acts)

    def one(place: int, act: Any) -> None:
        try:
            barrier.wait()
            act()
            said[place] = "done"
        except Refused as refused:
            said[place] = refused.code
        finally:
            connections["target"].close()

    threads = [threading.Thread(target=one, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said)


def approving(run: Run, name: str) -> Any:
    actor = acting(get_user_model().objects.get(username=name))
    return lambda: operations.approve(run.pk, actor=actor, now=NOW)


@pytest.mark.parametrize(
    ("risk", "said"),
    [(Risk.DANGEROUS, ["done", "done"]), (Risk.SAFE, ["done", "wrong_state"])],
)
def test_two_approvers_are_two_decisions_or_one_refusal_and_never_two_runs(
    site: str, risk: Risk, said: list[str]
) -> None:
    run = asked(risk)
    for name in ("ada", "grace"):
        an_account(name, "approve_run")
    assert at_once(approving(run, "ada"), approving(run, "grace")) == said
    run.refresh_from_db()
    assert run.state == State.QUEUED
    assert run.decisions.count() == said.count("done")
    assert AuditEntry.objects.filter(event="run.queued").count() == 1
    claims = [running.claim(run.pk, worker=f"w{n}", now=NOW) for n in range(3)]
    assert sum(claim is not None for claim in claims) == 1
    assert audit.verify().sound


def test_a_name_that_no_database_holds_is_refused_and_audited(site: str) -> None:
    """Bytes of a shell that are no UTF-8 come as half characters."""
    for _ in range(2):
        with pytest.raises(AccountGone):
            acting_as("ad\udcffa\0", wish="run.approve", now=NOW)
    (entry,) = AuditEntry.objects.all()
    assert json.loads(entry.actor)["name"] == "ad?a\u2400"
    assert DenialTally.objects.get().count == 1
    assert audit.verify().sound


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_whoever_waited_for_the_head_goes_on_at_repeatable_read_too(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psycopg import IsolationLevel

    run = asked(Risk.DANGEROUS)
    an_account("ada", "approve_run")
    level = {"isolation_level": IsolationLevel.REPEATABLE_READ}
    connections[site].close()
    options = connections.settings[site].get("OPTIONS", {})
    monkeypatch.setitem(connections.settings[site], "OPTIONS", {**options, **level})
    said: list[str] = []
    click = approving(run, "ada")
    waiting = threading.Thread(target=lambda: said.extend(at_once(click)))
    with changing(NOW) as change:
        waiting.start()
        with connections[site].cursor() as cursor:
            for _ in range(500):
                cursor.execute(
                    "SELECT 1 FROM pg_locks"
                    " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                )
                if cursor.fetchone():
                    break
                time.sleep(0.01)
            else:
                pytest.fail("nobody waited for the head")
        change.record(Cancelled(reason="another's"), actor=SYSTEM)
    waiting.join()
    assert said == ["done"]
    assert audit.verify().sound
    connections[site].close()


def test_a_double_click_is_one_decision(site: str) -> None:
    run = asked(Risk.DANGEROUS)
    an_account("ada", "approve_run")
    click = approving(run, "ada")
    assert at_once(click, click) == ["already_decided", "done"]
    assert run.decisions.count() == 1


def test_the_same_plan_asked_for_twice_at_once_is_one_run(site: str) -> None:
    robin = acting(an_account("robin", "request_run"))
    stored = operations.keep_plan(actor=robin, plan=a_plan(database="target"), now=NOW)

    def ask() -> Run:
        return operations.request(stored.pk, actor=robin, reason="totals", now=NOW)

    assert at_once(ask, ask) == ["already_requested", "done"]
    assert Run.objects.count() == 1


def test_eight_workers_at_once_claim_a_run_once(site: str) -> None:
    run = asked(Risk.SAFE)
    an_account("ada", "approve_run")
    approving(run, "ada")()
    won: list[Any] = []

    def claim(number: int) -> None:
        won.append(running.claim(run.pk, worker=f"w{number}", now=NOW))

    at_once(*[lambda n=n: claim(n) for n in range(8)])
    assert sum(claim is not None for claim in won) == 1


def test_two_people_who_ask_for_a_rehearsal_get_one_and_two_workers_make_it_once(
    site: str,
) -> None:
    robin = acting(an_account("robin", "request_run"))
    ada = acting(an_account("ada", "request_run"))
    plan = a_plan(a_step(risk=Risk.CAUTION), database="target")
    stored = operations.keep_plan(actor=robin, plan=plan, now=NOW)
    said = at_once(
        *(
            lambda who=who: operations.ask_for_rehearsal(stored.pk, actor=who, now=NOW)
            for who in (robin, ada, robin, ada)
        )
    )
    assert said == ["done"] * 4
    row = StoredRehearsal.objects.using(site).get()
    taken: list[Any] = []
    at_once(*(lambda: taken.append(rehearsing.claim(row.pk, now=NOW)) for _ in range(4)))
    assert len([one for one in taken if one is not None]) == 1
    assert StoredRehearsal.objects.using(site).get().attempts == 1
