"""Processes that are killed, stopped and frozen in the middle of a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory
from tests.story.site import ROWS, WAIT, Site

pytestmark = pytest.mark.slow

LEASE = 3.0
"""Seconds; long enough for a busy machine to renew it in time."""


def steps(site: Site, run: int) -> list[str]:
    return [step["state"] for step in site.ask("show", run=run)["steps"]]


def assert_never_again(site: Site, run: int, ended: str) -> None:
    """Woken again nothing comes of it; what is left can be asked for anew, and runs."""
    site.ask("wake", run=run, times=2)
    site.go()
    site.until(site.approved(), "succeeded")
    assert site.ask("waiting") == 0
    assert site.applied() == ["0001_initial", "0002_rows", "0003_price"]
    assert site.items() == 1
    events = site.ask("events", run=run)
    assert events.count("run.started") == 1
    assert events[-2:] == ["run.interrupted", "run.reconciled"]
    assert site.ask("show", run=run)["state"] == ended
    assert site.ask("sound")


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
def test_a_child_that_is_killed_is_interrupted_at_once_and_its_step_is_told_as_it_is(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, then=WAIT)
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    _, child = site.chain(run)
    os.kill(child, signal.SIGKILL)
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "failed"
    assert "nothing of it stayed" in ended["error"]
    assert steps(site, run) == ["applied", "failed", "not_run"]
    assert_never_again(site, run, "failed")


def test_after_everything_was_killed_a_new_worker_tells_the_truth_and_runs_nothing_again(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, then=WAIT, lease=LEASE)
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    site.kill_everything()
    assert site.ask("show", run=run)["state"] == "running", "nobody is there to say otherwise"
    site.worker()
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == ("needs_attention" if vendor == "mysql" else "failed")
    assert steps(site, run)[0] == "applied"
    assert steps(site, run)[2] == "not_run"
    assert_never_again(site, run, ended["state"])


BEFORE_THE_RECORD = """
import time
from pathlib import Path
from django.db.migrations.recorder import MigrationRecorder

record = MigrationRecorder.record_applied

def record_applied(self, app, name):
    if name == "0002_rows":
        Path("there").touch()
        until = time.monotonic() + 120
        while not Path("go").exists() and time.monotonic() < until: time.sleep(0.02)
    record(self, app, name)

MigrationRecorder.record_applied = record_applied
"""
"""Settings with which the second step waits when all of it is done and its row comes next."""
SIZE = 'migrations.AddField("item", "size", models.IntegerField(null=True)),'
WEIGHT = 'migrations.AddField("item", "weight", models.IntegerField(null=True)),'


def second_step(*operations: str, attributes: str = "") -> dict[str, str]:
    """The shop's second step, made of ``operations``."""
    source = migration(
        "\n".join(operations),
        after=[("shop", "0001_initial")],
        before=ROWS.format(then=WAIT),
        attributes=attributes,
    )
    return {"0002_rows": source}


def test_a_step_that_was_done_and_not_recorded_is_told_and_the_command_that_is_named_mends_it(
    new_site: SiteFactory, vendor: str
) -> None:
    files = second_step(SIZE, WEIGHT, attributes="atomic = False")
    site = new_site(vendor, lease=LEASE, files=files, settings=BEFORE_THE_RECORD)
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    site.kill_everything()
    site.worker()
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "needs_attention"
    assert steps(site, run) == ["applied", "unknown", "not_run"]
    lines = ended["error"].splitlines()
    words = "All of shop.0002_rows is in the database, but it is not recorded as applied."
    assert lines[0] == words
    assert lines[3:5] == ["- done: Add field size to item", "- done: Add field weight to item"]
    named, _, command = lines[-1].partition(": python manage.py ")
    assert named == "Make the record agree"
    shown = site.project.manage("migration_bot", "show", str(run)).stdout
    assert "\n    - done: Add field size to item\n" in shown, "line by line on every face"
    site.go()
    site.project.manage(*command.split())
    site.until(site.approved(), "succeeded")
    assert site.applied() == ["0001_initial", "0002_rows", "0003_price"]


@pytest.mark.parametrize("vendor", ["mysql"], indirect=True)
def test_a_worker_that_is_killed_half_way_on_mariadb_leaves_a_list_of_what_is_there(
    new_site: SiteFactory, vendor: str
) -> None:
    python = "migrations.RunPython(rows, migrations.RunPython.noop),"
    site = new_site(vendor, lease=LEASE, files=second_step(SIZE, python, WEIGHT))
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    site.kill_everything()
    site.worker()
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "needs_attention"
    lines = ended["error"].splitlines()
    assert lines[0] == "Only a part of shop.0002_rows is in the database."
    assert [line.partition(":")[0] for line in lines[3:6]] == [
        "- done",
        "- cannot be told",
        "- not done",
    ]
    assert f"(its SQL: python manage.py migration_bot show {run} --sql)" in ended["error"]
    site.ask("sql", query="ALTER TABLE shop_item DROP COLUMN size")
    assert_never_again(site, run, "needs_attention")


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
@pytest.mark.parametrize("loads", [True, False], ids=["a child asks", "the worker asks"])
def test_a_database_that_does_not_say_what_was_done_is_asked_again_and_everybody_is_told(
    new_site: SiteFactory, vendor: str, loads: bool
) -> None:
    """What is recorded cannot be read while somebody holds the record's table. Where the code does
    not load any more the worker asks by itself, and no longer than its child would."""
    soon = 'MIGRATION_BOT["reconcile_timeout"] = 4.0\n'
    site = new_site(vendor, then=WAIT, settings=soon)
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    _, child = site.chain(run)
    with psycopg.connect(site.project.database_url) as somebody:
        somebody.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        if not loads:
            site.project.write("shop/models.py", "class Item(\n")
        os.kill(child, signal.SIGKILL)
        shown: dict[str, Any] = {}

        def told() -> bool:
            shown.update(site.ask("show", run=run))
            return bool(shown["waiting_for"])

        site.wait(told, lambda: f"a word on it; there is {shown}")
        assert shown["state"] == "interrupted"
        assert "nothing was heard for 4 s" in shown["waiting_for"][0]
        assert "nothing was heard for 4 s" in site.ask("message", run=run)["text"]
        # The worker's first look still has the lock, and keeps out its second.
        again, times = ("is not reconciled yet", 2) if loads else ("cannot be reconciled now", 1)
        site.wait(lambda: site.log.count(again) >= times, "a second look")
        assert ("is not compared" in site.log) is not loads
    if not loads:
        site.project.write("shop/models.py", "")
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert (ended["state"], ended["waiting_for"]) == ("failed", [])
    assert_never_again(site, run, "failed")


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
def test_a_child_without_its_parent_ends_its_step_and_only_then_is_reconciled(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, then=WAIT, lease=LEASE)
    supervisor = site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    holder, child = site.chain(run)
    os.kill(holder, signal.SIGKILL)
    site.until(run, "interrupted")
    assert child in site.processes(), "nobody may cut off what it does"
    site.go()
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "failed"
    assert steps(site, run) == ["applied", "applied", "not_run"]
    assert supervisor.poll() is None
    assert "ended with -9" in site.log
    assert_never_again(site, run, "failed")


def test_without_their_supervisor_the_run_is_finished_and_nobody_stays(
    new_site: SiteFactory,
) -> None:
    site = new_site("sqlite", then=WAIT)
    supervisor = site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    supervisor.kill()
    supervisor.wait()
    site.go()
    site.until(run, "succeeded")
    site.wait(lambda: not site.processes(), "the end of the children")


def _to_it(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)


def _at_the_terminal(pid: int) -> None:
    os.killpg(pid, signal.SIGINT)


@pytest.mark.parametrize("stop", [_to_it, _at_the_terminal], ids=["SIGTERM", "Ctrl-C"])
def test_a_worker_that_is_told_to_stop_finishes_its_run(
    new_site: SiteFactory, stop: Callable[[int], None]
) -> None:
    site = new_site("sqlite", then=WAIT)
    supervisor = site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    stop(supervisor.pid)
    site.go()
    assert supervisor.wait(120) == 0, site.log
    assert site.ask("show", run=run)["state"] == "succeeded"
    assert site.processes() == {}
    assert site.ask("workers") == 0, "it took its heartbeat along"


def test_a_frozen_worker_that_thaws_past_its_lease_is_fenced_off(new_site: SiteFactory) -> None:
    site = new_site("sqlite", then=WAIT, lease=LEASE)
    site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    frozen = site.chain(run)
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)
    site.go()
    site.until(run, "interrupted")
    assert site.applied() == ["0001_initial"]
    for pid in frozen:
        os.kill(pid, signal.SIGCONT)
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "failed"
    assert site.applied() == ["0001_initial", "0002_rows"], "the third step must not begin"
    assert steps(site, run) == ["applied", "applied", "not_run"]
    assert "lease on this run was lost" in site.log
    assert_never_again(site, run, "failed")


def test_children_that_die_idle_are_started_again(new_site: SiteFactory) -> None:
    site = new_site("sqlite")
    supervisor = site.worker()
    site.requested("shop 0001")
    for pid, parent in site.processes().items():
        if parent == supervisor.pid:
            os.kill(pid, signal.SIGKILL)
    site.until(site.approved(), "succeeded")
    assert supervisor.poll() is None
