"""A requested plan is rehearsed by a real worker, and everybody is shown what was measured."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory
from tests.story.site import Site

pytestmark = pytest.mark.slow

PLACE = 'MIGRATION_BOT["rehearsal_databases"] = {"default": "default"}\n'
"""Scratch databases are made on the target's own server, beside it; SQLite makes a file."""
BY_POLICY = 'MIGRATION_BOT["rehearse"] = "not_safe"\n'
TIGHTER = {
    "0002_rows": migration(
        'migrations.AlterField("item", "name", models.CharField(max_length=40, unique=True)),',
        after=[("shop", "0001_initial")],
    ),
}
"""In place of the step that runs Python."""
REHEARSED = ["sqlite", "postgresql"]


def ended(site: Site, number: int = 1) -> list[dict[str, Any]]:
    """The rehearsals, once so many of them have ended."""
    found: list[dict[str, Any]] = []

    def there() -> bool:
        found[:] = site.ask("rehearsals")
        return len([row for row in found if row["state"] != "waiting"]) >= number

    site.wait(there, lambda: f"a rehearsal; there is {found}")
    return found


def with_the_table(site: Site) -> None:
    """The shop's table is there already, so that what follows touches it."""
    site.until(site.approved("shop 0001"), "succeeded")


@pytest.mark.parametrize("vendor", REHEARSED, indirect=True)
def test_a_request_is_rehearsed_by_policy_and_its_message_says_what_was_measured(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, settings=PLACE + BY_POLICY, files=TIGHTER)
    site.worker()
    with_the_table(site)
    before = len(site.ask("rehearsals"))
    run = site.requested()
    row = ended(site, before + 1)[-1]
    assert row["state"] == "ready", row["because"]
    assert [step["outcome"] for step in row["document"]["steps"]] == ["works", "works"]
    message = site.ask("message", run=run)
    assert "Measured on a copy of the schema" in message["text"]
    assert " measured)" in message["text"] or " measured, " in message["text"]
    assert "Rehearse" not in message["buttons"]
    status, document = site.ask("visit", path=f"/migrations/runs/{run}/")
    assert status == 200
    assert document["rehearsal"]["state"] == "measured"
    assert [step["outcome"] for step in document["rehearsal"]["measured"]["steps"]] == [
        "works",
        "works",
    ]
    assert site.applied() == ["0001_initial"], "nothing was done to the database itself"
    assert site.ask("approve", run=run) in ("queued", "requested")
    if site.ask("show", run=run)["state"] == "requested":
        site.ask("approve", run=run, who="grace")
    site.until(run, "succeeded")
    assert site.ask("sound")


@pytest.mark.parametrize("vendor", ["mysql"], indirect=True)
def test_where_no_rehearsal_is_possible_the_message_says_why_and_the_run_goes_on(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, settings=BY_POLICY, files=TIGHTER)
    site.worker()
    with_the_table(site)
    run = site.requested()
    (row,) = ended(site)
    assert row["state"] == "refused"
    message = site.ask("message", run=run)
    assert "Not rehearsed: " in message["text"]
    assert "Rehearse" in message["buttons"], "for when it is mended"


@pytest.mark.parametrize("vendor", REHEARSED, indirect=True)
def test_a_plan_on_the_page_is_rehearsed_at_the_press_of_a_button(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, settings=PLACE, files=TIGHTER)
    site.worker()
    plan = site.ask("ask", request=False)
    site.wait(lambda: site.ask("answered", plan=plan)["state"] == "ready", "a plan")
    address = f"/migrations/plans/{plan}/"
    status, document = site.ask("visit", path=f"{address}rehearse/", who="robin", data={})
    assert (status, document["rehearsal"]["state"]) == (202, "waiting")
    ended(site)
    _, document = site.ask("visit", path=address)
    assert document["rehearsal"]["state"] == "measured", document["rehearsal"]["because"]
    assert document["rehearsal"]["measured"]["where"]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_rehearsal_whose_processes_were_killed_is_made_by_the_next_worker(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, lease=3, settings=PLACE, files=TIGHTER)
    site.worker()
    plan = site.ask("ask", request=False)
    site.wait(lambda: site.ask("answered", plan=plan)["state"] == "ready", "a plan")
    site.ask("rehearse", plan=plan)
    site.wait(lambda: bool(site.ask("rehearsals")[0]["active_key"]), "that it is under way")
    site.kill_everything()
    site.worker()
    (row,) = ended(site)
    assert (row["state"], row["attempts"]) == ("ready", 2), row["because"]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_child_that_is_killed_ends_the_rehearsal_with_a_sentence(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, settings=PLACE + PYTHON, then=HANG)
    site.worker()
    plan = site.ask("ask", request=False)
    site.wait(lambda: site.ask("answered", plan=plan)["state"] == "ready", "a plan")
    site.ask("rehearse", plan=plan)
    site.wait((site.folder / "child").exists, "the child")
    os.kill(int((site.folder / "child").read_text()), signal.SIGKILL)
    (row,) = ended(site)
    assert row["state"] == "refused"
    assert "ended by signal 9" in row["because"]


PYTHON = 'MIGRATION_BOT["rehearse_python"] = True\n'
HANG = """import os
    Path("child.new").write_text(str(os.getpid()))
    Path("child.new").rename("child")
    time.sleep(120)
"""


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_rehearsal_that_takes_too_long_is_ended_and_leaves_nothing_behind(
    new_site: SiteFactory, vendor: str
) -> None:
    timeout = 'MIGRATION_BOT["rehearsal_timeout"] = 20.0\n'
    site = new_site(vendor, settings=PLACE + PYTHON + timeout, then=HANG)
    site.worker()
    plan = site.ask("ask", request=False)
    site.wait(lambda: site.ask("answered", plan=plan)["state"] == "ready", "a plan")
    site.ask("rehearse", plan=plan)
    site.wait((site.folder / "child").exists, "the child")
    child = (site.folder / "child").read_text()
    scratch = f"SELECT datname FROM pg_database WHERE datname LIKE 'mbot_rehearsal_%_{child}_%'"
    assert site.ask("sql", query=scratch.replace("%", "%%")), "it was there"
    (row,) = ended(site)
    assert row["state"] == "refused"
    assert "took longer than 20 s" in row["because"]
    assert site.ask("sql", query=scratch.replace("%", "%%")) == []
    assert int(child) not in site.processes()
