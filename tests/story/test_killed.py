"""Processes that are killed, stopped and frozen in the middle of a run."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

import pytest

from tests.story.conftest import SiteFactory
from tests.story.site import WAIT, Site

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
