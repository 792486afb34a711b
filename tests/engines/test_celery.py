"""Celery by settings alone: the same runs, woken through Redis."""

from __future__ import annotations

import os
import secrets
import signal
import socket

import pytest

from tests.story.conftest import SiteFactory
from tests.story.site import WAIT, Site

pytestmark = pytest.mark.slow

REDIS = ("127.0.0.1", 6379)


@pytest.fixture
def celery_settings() -> str:
    """Settings that change the engine, with queues that nobody else listens on."""
    try:
        socket.create_connection(REDIS, timeout=2).close()
    except OSError as error:
        pytest.skip(f"Celery: no Redis at 127.0.0.1:6379 ({error})")
    mark = secrets.token_hex(6)
    return f"""
MIGRATION_BOT |= {{"queue": "mbot_{mark}", "run_queue": "mbot_runs_{mark}",
    "rehearsal_queue": "mbot_rehearsals_{mark}"}}
TASKS = {{
    "default": {{
        "BACKEND": "bot.engines.celery.CeleryBackend",
        "QUEUES": ["mbot_{mark}", "mbot_runs_{mark}", "mbot_rehearsals_{mark}"],
        "OPTIONS": {{"broker_url": "redis://127.0.0.1:6379/0"}},
    }}
}}
"""


def children(site: Site, parent: int) -> list[int]:
    return [pid for pid, its_parent in site.processes().items() if its_parent == parent]


def test_a_run_is_woken_through_redis_and_eight_wakes_run_it_once(
    new_site: SiteFactory, celery_settings: str
) -> None:
    site = new_site("sqlite", settings=celery_settings)
    supervisor = site.worker()
    run = site.approved()
    site.ask("wake", run=run, times=8)
    site.until(run, "succeeded")
    assert site.items() == 1
    assert site.ask("events", run=run).count("run.started") == 1
    supervisor.terminate()
    assert supervisor.wait(60) == 0
    assert site.processes() == {}


def test_what_a_killed_celery_worker_leaves_is_reconciled_and_not_delivered_again(
    new_site: SiteFactory, celery_settings: str
) -> None:
    site = new_site("sqlite", settings=celery_settings, then=WAIT, lease=3)
    supervisor = site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    holder, child = site.chain(run)
    for pid in (holder, child):
        os.kill(pid, signal.SIGKILL)
    ended = site.until(run, "failed", "needs_attention", "succeeded")
    assert ended["state"] == "failed"
    assert site.ask("events", run=run).count("run.started") == 1
    site.go()
    site.until(site.approved(), "succeeded")
    assert supervisor.poll() is None


def test_celery_workers_end_when_their_supervisor_is_killed(
    new_site: SiteFactory, celery_settings: str
) -> None:
    site = new_site("sqlite", settings=celery_settings)
    supervisor = site.worker()
    site.requested()
    assert children(site, supervisor.pid)
    supervisor.kill()
    supervisor.wait()
    site.wait(lambda: not site.processes(), "the end of Celery's workers")
