"""A worker that has been running for long sees the code as it lies on disk now."""

from __future__ import annotations

import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory
from tests.story.site import Site

pytestmark = pytest.mark.slow

NOTE = 'migrations.AddField("item", "note", models.TextField(default="")),'
COST = 'migrations.AddField("item", "cost", models.IntegerField(default=0)),'


def planned(site: Site) -> list[tuple[str, str]]:
    """The steps of a new plan, each with the words of its first operation."""
    plan = site.ask("ask", target="shop", request=False)
    site.wait(lambda: site.ask("answered", plan=plan)["state"] != "waiting", "a plan")
    document = site.ask("answered", plan=plan)["plan"]
    return [(step["name"], step["operations"][0]["words"]) for step in document["steps"]]


def test_new_and_edited_files_are_seen_and_an_approved_plan_of_the_old_ones_is_stale(
    new_site: SiteFactory,
) -> None:
    site = new_site("sqlite")
    site.worker()
    run = site.requested()
    names = [name for name, _ in planned(site)]
    assert names == ["0001_initial", "0002_rows", "0003_price"]
    third = "shop/migrations/0003_price.py"
    site.project.write(third, migration(COST, after=[("shop", "0002_rows")]))
    site.ask("approve", run=run)
    stale = site.until(run, "stale", "succeeded", "failed")
    assert stale["state"] == "stale"
    (because,) = stale["stale_because"]
    assert "shop.0003_price" in because
    assert site.applied() == []
    site.project.write(
        "shop/migrations/0004_note.py", migration(NOTE, after=[("shop", "0003_price")])
    )
    seen = planned(site)
    assert [name for name, _ in seen] == [*names, "0004_note"]
    assert "cost" in seen[2][1]
    site.until(site.approved(), "succeeded")
    assert site.applied() == [*names, "0004_note"]
