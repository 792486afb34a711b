"""A lock that is not had: its holder is named, and only what is safe is tried again."""

from __future__ import annotations

from typing import Any

import pytest

from bot.database.carrying import pause_after
from tests.database.runs import KEYS, NAMES, SHOP, after, applied, ask, drive, items
from tests.project import Project, ProjectFactory, migration

QUICK = """
MIGRATION_BOT.update(lock_timeout=0.5, lock_backoff=0.3, lock_retries=5)
"""
HOLD = {
    "postgresql": ("BEGIN", "LOCK TABLE shop_item IN ACCESS SHARE MODE"),
    "mysql": ("START TRANSACTION", "SELECT * FROM shop_item"),
    "sqlite": ("BEGIN IMMEDIATE",),
}
"""What somebody else does so that the shop's third step has to wait."""


def holding(vendor: str, seconds: float) -> str:
    """Source for the driver: hold a lock from now on, for so long."""
    return f"""
import threading
from bot.database.side import side_connection
other = side_connection("default", "somebody in psql")
with other.cursor() as cursor:
    for sql in {HOLD[vendor]!r}:
        cursor.execute(sql)
timer = threading.Timer({seconds}, other.close)
timer.daemon = True
timer.start()
"""


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str) -> Project:
    return project(database_url=scratch_url, apps={"shop": SHOP}, settings=QUICK)


def test_a_step_that_finds_no_lock_is_tried_again_and_runs_once(shop: Project, vendor: str) -> None:
    said = drive(shop, do="run", during={KEYS[2]: holding(vendor, 2.5)})
    assert said.last["kind"] == "Finished"
    tries = said.of("Retrying")
    assert [message["attempt"] for message in tries] == list(range(1, len(tries) + 1))
    assert {message["step"] for message in tries} == {KEYS[2]}
    waits = [message["wait_milliseconds"] for message in tries]
    assert waits == [300 * 2**number for number in range(len(tries))]
    assert all("lock" in message["because"] for message in tries)
    assert items(shop) == 1
    assert [row[0] for row in ask(shop, "SELECT count(*) FROM django_migrations")] == [3]


def test_who_has_the_lock_is_named(shop: Project, vendor: str) -> None:
    said = drive(shop, do="run", during={KEYS[2]: holding(vendor, 2.5)})
    named = [message["blockers"] for message in said.of("Waiting")]
    assert any(named), "nobody was named"
    assert named[-1] == []
    assert any(message["blockers"] for message in said.of("Retrying"))


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_lock_that_never_comes_ends_the_run_with_its_holders_named(shop: Project) -> None:
    shop.write("settings.py", (shop.folder / "settings.py").read_text() + "\n" + ONCE)
    said = drive(shop, do="run", during={KEYS[2]: holding("postgresql", 60)}, check=False)
    assert len(said.of("Retrying")) == 1
    last = said.last
    assert (last["kind"], last["step"], last["done"]) == ("Broke", KEYS[2], list(KEYS[:2]))
    assert "ALTER TABLE" in last["statement"]
    assert "lock timeout" in last["error"]
    assert any("somebody in psql" in words for words in last["blockers"])


ONCE = "MIGRATION_BOT.update(lock_retries=1)\n"

TWICE = """
migrations.AddField("item", "weight", models.IntegerField(null=True)),
migrations.AddField("item", "price", models.IntegerField(null=True)),
"""
BLOCKED_LATER = """
import threading
from bot.database.side import side_connection

def block(apps, schema_editor):
    other = side_connection("default", "somebody in psql")
    with other.cursor() as cursor:
        for sql in {hold!r}:
            cursor.execute(sql)
    apps.other = other
    timer = threading.Timer(8, other.close)
    timer.daemon = True
    timer.start()
"""


@pytest.mark.parametrize("vendor", ["mysql", "postgresql"], indirect=True)
def test_a_step_that_has_left_something_behind_is_never_tried_again(
    shop: Project, vendor: str
) -> None:
    first, second = TWICE.strip().split("\n")
    shop.write(
        "shop/migrations/0003_price.py",
        migration(
            f"{first}\nmigrations.RunPython(block),\n{second}",
            after=after(2),
            before=BLOCKED_LATER.format(hold=HOLD[vendor]),
            attributes="atomic = False",
        ),
    )
    said = drive(shop, do="run")
    assert said.of("Retrying") == []
    assert (said.last["kind"], said.last["step"]) == ("Broke", KEYS[2])
    assert applied(shop) == [NAMES[1], NAMES[2]]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_an_index_that_is_made_concurrently_is_never_tried_again(shop: Project) -> None:
    """It leaves an invalid index behind when it fails."""
    shop.write(
        "shop/migrations/0003_price.py",
        migration(
            'AddIndexConcurrently("item", models.Index(fields=["name"], name="by_name")),',
            after=after(2),
            before="from django.contrib.postgres.operations import AddIndexConcurrently",
            attributes="atomic = False",
        ),
    )
    during = {KEYS[2]: holding("postgresql", 4).replace("ACCESS SHARE", "SHARE ROW EXCLUSIVE")}
    said = drive(shop, do="run", during=during)
    assert said.of("Retrying") == []
    assert said.last["kind"] == "Broke"
    assert "CONCURRENTLY" in said.last["statement"]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_no_while_it_waits_for_another_try_is_heard(shop: Project) -> None:
    wishes: dict[str, Any] = {"during": {KEYS[2]: holding("postgresql", 3)}}
    said = drive(shop, do="run", **wishes, second_time={KEYS[2]: "somebody asked for it"})
    assert said.of("Retrying")
    assert (said.last["kind"], said.last["done"]) == ("Stopped", list(KEYS[:2]))


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_an_error_that_would_come_back_is_not_tried_again(shop: Project) -> None:
    shop.write(
        "shop/migrations/0003_price.py",
        migration("migrations.RunSQL('SELECT 1/0'),", after=after(2)),
    )
    said = drive(shop, do="run")
    assert said.of("Retrying") == []
    assert said.last["statement"] == "SELECT 1/0"
    assert "division by zero" in said.last["error"]


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_plan_that_changed_between_two_tries_is_not_run(shop: Project) -> None:
    shop.write("more.py", migration(after=after(3)))
    during = holding("postgresql", 2.5) + (
        "import shutil; shutil.copy('more.py', 'shop/migrations/0004_more.py')"
    )
    said = drive(shop, do="run", during={KEYS[2]: during})
    assert (said.last["kind"], said.last["done"]) == ("Broke", list(KEYS[:2]))
    assert "0004_more" in said.last["error"]
    assert applied(shop) == [NAMES[1], NAMES[2]]


@pytest.mark.parametrize(
    ("first", "expected"),
    [(2.0, [2, 4, 8, 16, 30, 30]), (45.0, [45, 45]), (0.0, [0, 0])],
)
def test_the_pause_between_two_tries_doubles_up_to_half_a_minute(
    first: float, expected: list[float]
) -> None:
    found = [pause_after(attempt, first=first) for attempt in range(1, len(expected) + 1)]
    assert found == expected
    assert pause_after(100, first=first) == expected[-1]
