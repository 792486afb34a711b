"""Runs record what they took, and the plan after them says so."""

from __future__ import annotations

import pytest

from tests.project import migration
from tests.story.conftest import SiteFactory

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True),
]


def indexes(first: int, last: int) -> dict[str, str]:
    """Migrations that each add one index to the shop's items."""
    names = {number: f"{number:04}_index" for number in range(first, last + 1)}
    before = {first: "0003_price"} | {number + 1: name for number, name in names.items()}
    return {
        name: migration(
            f'migrations.AddIndex("item", models.Index(fields=["name"], name="by_name_{number}")),',
            after=[("shop", before[number])],
        )
        for number, name in names.items()
    }


def test_three_recorded_runs_give_a_range_in_the_fourth_plan(
    new_site: SiteFactory, vendor: str
) -> None:
    site = new_site(vendor, files=indexes(4, 7))
    site.worker()
    assert site.until(site.approved("shop 0003"), "succeeded", "failed")["state"] == "succeeded"
    rows = ", ".join(["('one', 1)"] * 3_000)
    site.ask("sql", query=f"INSERT INTO shop_item (name, price) VALUES {rows}")
    site.ask("sql", query=f"ANALYZE {'TABLE' if vendor == 'mysql' else ''} shop_item")
    for number in (4, 5, 6):
        run = site.approved(f"shop {number:04}")
        assert "recorded" not in words(site.ask("planned", run=run))
        assert site.until(run, "succeeded", "failed")["state"] == "succeeded"
    fourth = site.ask("planned", run=site.requested("shop 0007"))
    assert ", by 3 recorded runs here" in words(fourth)


def words(plan: dict[str, list[dict[str, list[dict[str, str]]]]]) -> str:
    return " ".join(f["because"] for step in plan["steps"] for f in step["findings"])
