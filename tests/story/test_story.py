"""The whole way of a run: asked for, approved by somebody else, run by a worker, proved."""

from __future__ import annotations

import json

import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory

pytestmark = pytest.mark.slow

BROKEN = migration(
    """migrations.RunPython(rows, migrations.RunPython.noop),
    migrations.RunSQL("INSERT INTO nowhere (x) VALUES (1)"),
    """,
    after=[("shop", "0001_initial")],
    before="""
def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="one more")
""",
)


def test_a_run_is_asked_for_approved_by_another_run_by_a_worker_and_proved(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor)
    command = site.project.manage
    asked = json.loads(
        command(
            *("migration_bot", "request", "shop", "--as", "robin"),
            *("--reason", "new totals", "--json"),
        ).stdout
    )
    run = asked["id"]
    status, refused = site.ask(
        "visit", path=f"/migrations/runs/{run}/approve/", who="robin", data={}
    )
    assert (status, site.ask("show", run=run)["state"]) == (403, "requested"), refused
    status, _ = site.ask("visit", path=f"/migrations/runs/{run}/approve/", who="ada", data={})
    assert status == 200
    site.worker()
    done = site.until(run, "succeeded", "failed", "stale")
    assert [(step["name"], step["state"]) for step in done["steps"]] == [
        ("0001_initial", "applied"),
        ("0002_rows", "applied"),
        ("0003_price", "applied"),
    ]
    assert [decision["person"]["name"] for decision in done["decisions"]] == ["ada"]
    assert site.items() == 1
    assert site.ask("events", run=run) == [
        "run.requested",
        "run.approve.refused",
        "run.approved",
        "run.queued",
        "run.started",
        "step.applied",
        "step.applied",
        "step.applied",
        "run.succeeded",
    ]
    (listed,) = json.loads(command("migration_bot", "history", "--json").stdout)["runs"]
    assert (listed["id"], listed["state"], listed["reason"]) == (run, "succeeded", "new totals")
    assert command("migration_bot", "audit", "verify").returncode == 0


def test_a_migration_that_raises_ends_its_run_with_step_statement_and_traceback(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, files={"0002_rows": BROKEN})
    site.worker()
    run = site.approved()
    failed = site.until(run, "succeeded", "failed")
    assert [step["state"] for step in failed["steps"]] == ["applied", "failed", "not_run"]
    assert failed["error_step"] == "shop.0002_rows"
    assert "nowhere" in failed["error"]
    assert failed["error_statement"] == "INSERT INTO nowhere (x) VALUES (1)"
    assert "Traceback" in failed["traceback"]
    assert site.ask("events", run=run)[-1] == "run.failed"
    assert site.ask("sound")
