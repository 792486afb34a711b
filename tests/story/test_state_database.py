"""The bot's own database goes away for a while, in the middle of a run."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests import servers
from tests.story.conftest import SiteFactory
from tests.story.site import WAIT

pytestmark = pytest.mark.slow


def test_a_run_outlives_an_outage_of_the_bots_own_database_and_its_audit_misses_nothing(
    new_site: SiteFactory, new_database: Callable[[str], str]
) -> None:
    state = new_database("postgresql")
    site = new_site("postgresql", then=WAIT, state_url=state, lease=60)
    supervisor = site.worker()
    run = site.approved()
    site.in_the_second_step(run)
    holder, _ = site.chain(run)
    name = urlsplit(state).path.lstrip("/")
    server = os.environ[servers.POSTGRES]
    site.ask("hang_up")
    servers.execute(
        server,
        f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    site.go()
    target = site.project.database_url
    applied = "SELECT name FROM django_migrations WHERE app = 'shop' ORDER BY name"
    site.wait(lambda: len(servers.execute(target, applied)) == 2, "the second step")
    time.sleep(3)
    assert len(servers.execute(target, applied)) == 2, "no step begins before its row says so"
    servers.execute(server, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    done = site.until(run, "succeeded", "failed", "cancelled")
    assert done["state"] == "succeeded"
    assert holder in site.processes()
    assert supervisor.poll() is None
    events = site.ask("events", run=run)
    assert events[-5:] == ["run.started", *["step.applied"] * 3, "run.succeeded"]
    assert site.ask("sound")
