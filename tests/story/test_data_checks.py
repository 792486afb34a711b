"""Today's data, asked once more under the lock: a run that it stops, and one that was approved in
spite of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory
from tests.story.site import CREATE, Site

pytestmark = pytest.mark.slow

NULLABLE = CREATE.replace("]),", '    ("note", models.CharField(max_length=9, null=True)),\n]),')
STRICT = 'migrations.AlterField("item", "note", models.CharField(max_length=9)),'
FIRST = [("shop", "0001_initial")]
FILES = {
    "0001_initial": migration(NULLABLE),
    "0002_rows": migration(STRICT, after=FIRST),
    "0003_price": migration("", after=[("shop", "0002_rows")]),
}
EMPTY_NOTE = "INSERT INTO shop_item (name) VALUES ('no note')"


@pytest.fixture
def site(new_site: SiteFactory, vendor: str) -> Site:
    """Its table is there, with a row that has a note; NOT NULL is pending."""
    made = new_site(vendor, files=FILES)
    made.project.manage("migrate", "shop", "0001", verbosity="0")
    made.ask("sql", query="INSERT INTO shop_item (name, note) VALUES ('a', 'b')")
    return made


def asked(site: Site) -> dict[str, Any]:
    words = ("request", "shop", "--as", "robin", "--reason", "new totals", "--json")
    found: dict[str, Any] = json.loads(site.project.manage("migration_bot", *words).stdout)
    return found


def approve(site: Site, run: int, who: str, **data: str) -> tuple[int, Any]:
    status, document = site.ask(
        "visit", path=f"/migrations/runs/{run}/approve/", who=who, data=data
    )
    return status, document


def approve_by_all(site: Site, asked_for: dict[str, Any], **data: str) -> None:
    for who in ("ada", "grace")[: asked_for["approvals_needed"]]:
        assert approve(site, asked_for["id"], who, **data)[0] == 200


def may_override(site: Site, *names: str) -> None:
    for name in names:
        site.project.shell(
            "from django.contrib.auth import get_user_model\n"
            "from django.contrib.auth.models import Permission\n"
            "found = Permission.objects.get(codename='override_findings')\n"
            f"get_user_model().objects.get(username={name!r}).user_permissions.add(found)\n"
        )


def test_a_run_is_stopped_before_anything_changed_when_its_data_breaks_the_rule_by_then(
    site: Site,
) -> None:
    run = asked(site)
    assert run["forbidden_by"] == []
    approve_by_all(site, run)
    site.ask("sql", query=EMPTY_NOTE)
    site.worker()
    ended = site.until(run["id"], "failed", "succeeded", "stale")
    assert ended["state"] == "failed"
    assert "1 row of shop_item has NULL in note: SET NOT NULL would fail." in ended["error"]
    assert "Nothing had been run" in ended["error"]
    assert ended["started_at"] is None
    assert {step["state"] for step in ended["steps"]} == {"pending"}
    assert site.applied() == ["0001_initial"]
    assert site.ask("events", run=run["id"])[-3:] == [
        "run.queued",
        "run.data_checked",
        "run.failed",
    ]
    assert site.ask("sound")


def test_a_run_that_is_approved_in_spite_of_its_data_goes_on_and_everybody_can_read_why(
    site: Site,
) -> None:
    site.ask("sql", query=EMPTY_NOTE)
    run = asked(site)
    assert run["forbidden_by"] == ["data_breaks_rule"]
    status, refused = approve(site, run["id"], "ada")
    assert (status, refused["error"]) == (403, "finding_forbids")
    may_override(site, "ada", "grace")
    site.ask("hang_up")
    why = "its row is deleted before it starts"
    approve_by_all(site, run, override="yes", reason=why)
    site.ask("sql", query="DELETE FROM shop_item WHERE note IS NULL")
    site.worker()
    ended = site.until(run["id"], "failed", "succeeded", "stale")
    assert (ended["state"], ended["error"]) == ("succeeded", "")
    assert {tuple(d["overrides"]) for d in ended["decisions"]} == {("data_breaks_rule",)}
    assert {d["reason"] for d in ended["decisions"]} == {why}
    assert "run.data_checked" not in site.ask("events", run=run["id"])


def test_what_holds_is_asked_again_and_kept_in_the_audit(site: Site) -> None:
    run = asked(site)
    approve_by_all(site, run)
    site.worker()
    assert site.until(run["id"], "failed", "succeeded")["state"] == "succeeded"
    assert "run.data_checked" in site.ask("events", run=run["id"])
