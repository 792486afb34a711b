"""A run in its child: what was approved runs once, is told step by step, and ends in the truth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.database.runs import CREATE, KEYS, NAMES, PARENT, SHOP, after, applied, ask, drive, items
from tests.project import Project, ProjectFactory, migration

ONE = pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
"""For what no database has a say in."""
WHOLE = pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
"""For databases with transactions around DDL."""


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str) -> Project:
    return project(database_url=scratch_url, apps={"shop": SHOP})


def basis_of(project: Project, target: str = "shop") -> dict[str, Any]:
    basis: dict[str, Any] = drive(project, do="plan", target=target).last["document"]["basis"]
    return basis


def test_a_run_does_every_step_in_order_and_says_so(shop: Project) -> None:
    said = drive(shop, do="run")
    assert said.forked
    told = ["StepStarting", "StepDone"] * 3
    assert said.kinds == ["Started", "Locked", *told, "Finished"]
    assert [message["name"] for message in said.of("StepDone")] == list(NAMES.values())
    assert all(message["milliseconds"] >= 0 for message in said.of("StepDone"))
    assert tuple(said.last["applied"]) == KEYS
    assert items(shop) == 1


@ONE
def test_a_fresh_interpreter_runs_the_same(project: ProjectFactory, scratch_url: str) -> None:
    cold = 'MIGRATION_BOT["code_reload"] = "cold"\n'
    shop = project(database_url=scratch_url, apps={"shop": SHOP}, settings=cold)
    said = drive(shop, do="run")
    assert not said.forked
    assert tuple(said.last["applied"]) == KEYS
    assert items(shop) == 1


def test_a_run_goes_back_to_nothing_and_says_what_it_undid(shop: Project) -> None:
    shop.manage("migrate", "shop", verbosity="0")
    said = drive(shop, do="run", target="shop zero")
    assert said.kinds[-1] == "Finished"
    assert [message["direction"] for message in said.of("StepDone")] == ["backward"] * 3
    assert said.last["applied"] == list(reversed(KEYS))
    assert applied(shop) == []


@ONE
def test_a_target_by_its_beginning_runs_only_so_far(shop: Project) -> None:
    said = drive(shop, do="run", target="shop 0002")
    assert tuple(said.last["applied"]) == KEYS[:2]
    assert applied(shop) == [NAMES[1], NAMES[2]]


# What was approved is what runs


@ONE
def test_a_file_edited_after_approval_runs_nothing(shop: Project) -> None:
    approved = basis_of(shop)
    shop.write("shop/migrations/0003_price.py", SHOP["0003_price"] + "# edited\n")
    said = drive(shop, do="run", basis=approved)
    assert said.kinds == ["Started", "FoundStale"]
    assert applied(shop) == []


@ONE
def test_a_migration_that_came_after_approval_runs_nothing(shop: Project) -> None:
    approved = basis_of(shop)
    shop.write("shop/migrations/0004_more.py", migration(after=after(3)))
    said = drive(shop, do="run", basis=approved)
    assert said.kinds == ["Started", "FoundStale"]
    assert [step["key"] for step in said.last["basis"]["steps"]] == [*KEYS, "shop.0004_more"]
    assert applied(shop) == []


def test_a_step_applied_by_another_after_approval_runs_nothing(shop: Project) -> None:
    approved = basis_of(shop)
    shop.manage("migrate", "shop", "0001")
    said = drive(shop, do="run", basis=approved)
    assert said.kinds == ["Started", "FoundStale"]
    assert applied(shop) == [NAMES[1]]


@ONE
def test_everything_applied_by_another_after_approval_is_stale_too(shop: Project) -> None:
    approved = basis_of(shop)
    shop.manage("migrate", "shop")
    said = drive(shop, do="run", basis=approved)
    assert said.kinds == ["Started", "FoundStale"]
    assert said.last["basis"]["steps"] == []
    assert items(shop) == 1


@ONE
def test_a_no_under_the_lock_runs_nothing(shop: Project) -> None:
    said = drive(shop, do="run", say_no={"Locked": "ada left the company"})
    assert said.kinds == ["Started", "Locked", "Stopped"]
    assert said.last["because"] == "ada left the company"
    assert applied(shop) == []


@ONE
def test_a_no_between_steps_stops_there(shop: Project) -> None:
    said = drive(shop, do="run", say_no={KEYS[1]: "somebody asked for it"})
    assert said.last == {
        "kind": "Stopped",
        "because": "somebody asked for it",
        "done": [KEYS[0]],
    }
    assert applied(shop) == [NAMES[1]]


def test_while_another_holds_the_lock_a_run_waits_for_another_time(shop: Project) -> None:
    take = """
import multiprocessing, time
from bot.database.lock import DatabaseLock
from django.db import connections

def hold(had):
    with DatabaseLock("default", holder="run 11"):
        had.set()
        time.sleep(60)

connections.close_all()
processes = multiprocessing.get_context("fork")
had = processes.Event()
processes.Process(target=hold, args=[had], daemon=True).start()
had.wait(30)
"""
    said = drive(shop, do="run", before=take)
    assert said.kinds == ["Started", "RefusedHere"]
    assert said.last["code"] == "lock_held"
    assert "run 11" in said.last["sentence"]
    assert said.last["retry"]
    assert applied(shop) == []


# What breaks


BOOM = """
def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="half")
    raise LookupError("no such price list")
"""


def test_an_exception_in_a_migration_ends_the_run_with_all_that_is_known(shop: Project) -> None:
    broken = migration("migrations.RunPython(rows),", after=after(1), before=BOOM)
    shop.write("shop/migrations/0002_rows.py", broken)
    said = drive(shop, do="run")
    last = said.last
    assert last["kind"] == "Broke"
    assert (last["step"], last["done"]) == (KEYS[1], [KEYS[0]])
    assert (last["error"], last["error_type"]) == ("no such price list", "LookupError")
    assert "0002_rows.py" in last["traceback"]
    assert last["statement"] == ""
    assert applied(shop) == [NAMES[1]]


def test_a_statement_that_fails_is_told(shop: Project) -> None:
    sql = "migrations.RunSQL('INSERT INTO nowhere VALUES (1)'),"
    shop.write("shop/migrations/0002_rows.py", migration(sql, after=after(1)))
    last = drive(shop, do="run").last
    assert last["kind"] == "Broke"
    assert last["statement"] == "INSERT INTO nowhere VALUES (1)"
    assert "nowhere" in last["error"]
    assert last["error_type"].startswith("django.db.utils.")


@ONE
def test_what_a_migration_printed_is_kept_when_it_breaks(shop: Project) -> None:
    loud = BOOM.replace(
        "raise", "import os; print('moving prices'); os.system('echo by hand'); raise"
    )
    broken = migration("migrations.RunPython(rows),", after=after(1), before=loud)
    shop.write("shop/migrations/0002_rows.py", broken)
    last = drive(shop, do="run").last
    assert "moving prices" in last["output"]
    assert "by hand" in last["output"]


@ONE
def test_a_migration_that_cannot_be_undone_breaks_without_a_trace(shop: Project) -> None:
    forward_only = migration("migrations.RunPython(rows),", after=after(1), before=ROWS_ONLY)
    shop.write("shop/migrations/0002_rows.py", forward_only)
    shop.manage("migrate", "shop")
    last = drive(shop, do="run", target="shop 0001").last
    assert (last["kind"], last["step"], last["done"]) == ("Broke", KEYS[1], [KEYS[2]])
    assert "not reversible" in last["error"]


ROWS_ONLY = """
def rows(apps, schema_editor):
    pass
"""

OVERRIDE = """
from django.core.management.commands.migrate import Command as Django

class Command(Django):
    def handle(self, *args, **options):
        {body}
"""


def overridden(shop: Project, body: str) -> None:
    shop.write("shop/management/__init__.py", "")
    shop.write("shop/management/commands/__init__.py", "")
    shop.write("shop/management/commands/migrate.py", OVERRIDE.format(body=body))


@ONE
def test_the_projects_own_migrate_is_what_runs(shop: Project) -> None:
    overridden(shop, "open('ran', 'w').close(); return super().handle(*args, **options)")
    said = drive(shop, do="run")
    assert said.last["kind"] == "Finished"
    assert (shop.folder / "ran").exists()


@ONE
def test_an_override_that_tells_nothing_is_judged_by_the_record(shop: Project) -> None:
    overridden(
        shop,
        "self.migration_progress_callback = None; return super().handle(*args, **options)",
    )
    said = drive(shop, do="run")
    assert tuple(said.last["applied"]) == KEYS
    assert [message["name"] for message in said.of("StepStarting")] == list(NAMES.values())


@ONE
def test_an_override_that_hides_a_failure_is_found_out(shop: Project) -> None:
    shop.write(
        "shop/migrations/0002_rows.py",
        migration("migrations.RunPython(rows),", after=after(1), before=BOOM),
    )
    overridden(
        shop,
        "try: super().handle(*args, **options)\n        except Exception: pass",
    )
    last = drive(shop, do="run").last
    assert last["kind"] == "Broke"
    assert last["done"] == [KEYS[0]]
    assert KEYS[1] in last["error"]


@ONE
def test_an_override_that_exits_with_a_code_has_failed(shop: Project) -> None:
    overridden(shop, "super().handle(*args, **options); raise SystemExit(3)")
    last = drive(shop, do="run").last
    assert (last["kind"], last["error"], last["done"]) == ("Broke", "3", list(KEYS))


@ONE
def test_an_override_cannot_run_what_nobody_approved(shop: Project) -> None:
    approved = basis_of(shop, "shop 0001")
    overridden(
        shop,
        "from django.db.migrations.executor import MigrationExecutor as E; "
        "from django.db import connection; "
        "super().handle(*args, **options); "
        "E(connection, self.migration_progress_callback).migrate([('shop', '0002_rows')])",
    )
    last = drive(shop, do="run", target="shop 0001_initial", basis=approved).last
    assert last["kind"] == "Broke"
    assert "nobody approved" in last["error"]
    assert applied(shop) == [NAMES[1]]


@ONE
def test_an_override_that_goes_around_the_lock_is_not_let_through(shop: Project) -> None:
    overridden(
        shop,
        "from django.db.migrations.executor import MigrationExecutor as E; "
        "from django.db import connection; "
        "E(connection).migrate([('shop', '0003_price')])",
    )
    said = drive(shop, do="run")
    assert said.last["kind"] in ("Broke", "RefusedHere")
    assert "pre_migrate" in json.dumps(said.last)
    assert applied(shop) == []


@ONE
def test_a_squash_is_one_step_and_counts_by_what_it_replaces(shop: Project) -> None:
    squash = SHOP["0001_initial"].replace(
        "    dependencies",
        "    replaces = [('shop', '0001_initial'), ('shop', '0002_rows')]\n    dependencies",
    )
    shop.write("shop/migrations/0001_squashed_0002_rows.py", squash)
    said = drive(shop, do="run")
    assert said.last["applied"] == ["shop.0001_squashed_0002_rows", KEYS[2]]
    back = drive(shop, do="run", target="shop zero")
    assert back.last["applied"] == [KEYS[2], "shop.0001_squashed_0002_rows"]


@WHOLE
def test_the_record_is_written_in_the_transaction_of_its_migration(
    shop: Project,
) -> None:
    shop.write("shop/migrations/0004_parent.py", migration(PARENT, after=after(3)))
    watch = """
import django.db.migrations.recorder as r
from django.db import connection
for name in ("record_applied", "record_unapplied"):
    def record(self, app, migration, before=getattr(r.MigrationRecorder, name), name=name):
        if self.connection.in_atomic_block:
            open("inside", "a").write(f"{name} {migration}\\n")
        before(self, app, migration)
    setattr(r.MigrationRecorder, name, record)
"""
    assert drive(shop, do="run", before=watch).last["kind"] == "Finished"
    undone = drive(shop, do="run", target="shop 0003", before=watch)
    assert undone.last["applied"] == ["shop.0004_parent"], undone.last
    inside = (shop.folder / "inside").read_text().split("\n")
    assert "record_applied 0004_parent" in inside
    assert "record_unapplied 0004_parent" in inside
    assert ask(shop, "SELECT count(*) FROM django_migrations WHERE app = 'shop'") == [[3]]


# What today's data says under the lock

STRICT = migration(
    'migrations.AlterField("item", "note", models.IntegerField()),',
    after=[("shop", "0001_initial")],
)
NOTED = {
    "0001_initial": migration(
        CREATE.replace("]),", '    ("note", models.IntegerField(null=True)),\n]),')
    ),
    "0002_strict": STRICT,
}
ROW_WITHOUT = (
    "from django.db import connection\n"
    "with connection.cursor() as cursor:\n"
    "    cursor.execute(\"INSERT INTO shop_item (name) VALUES ('late')\")\n"
)


@pytest.fixture
def noted(project: ProjectFactory, scratch_url: str) -> Project:
    made = project(database_url=scratch_url, apps={"shop": NOTED})
    made.manage("migrate", "shop", "0001", verbosity="0")
    return made


def test_what_holds_is_asked_again_before_the_run_begins(noted: Project) -> None:
    said = drive(noted, do="run")
    assert said.kinds == ["Started", "DataAsked", "Locked", "StepStarting", "StepDone", "Finished"]
    (asked,) = said.of("DataAsked")
    assert asked["holds"] == ["shop_item.note has no NULL."]
    assert (asked["broken"], asked["not_checked"]) == ([], [])


def test_data_that_breaks_the_rule_by_now_stops_the_run_before_anything_changes(
    noted: Project,
) -> None:
    said = drive(noted, do="run", before=ROW_WITHOUT)
    assert said.kinds == ["Started", "DataAsked", "RefusedHere"]
    assert said.last["code"] == "data_says_no"
    assert not said.last["retry"]
    assert said.last["sentence"] == (
        "1 row of shop_item has NULL in note: SET NOT NULL would fail. That was not known when it "
        "was approved. Nothing had been run; mend the data, then plan and ask for it again."
    )
    assert applied(noted) == ["0001_initial"]


def test_what_was_broken_and_overridden_goes_on(noted: Project) -> None:
    noted.shell(ROW_WITHOUT)
    said = drive(noted, do="run", checks=["data_breaks_rule"])
    assert "DataAsked" not in said.kinds
    assert said.kinds[:3] == ["Started", "Locked", "StepStarting"]
    assert said.kinds[-1] == "Broke", "it was overridden, and the data still breaks the rule"


def test_what_cannot_be_asked_stops_nothing_and_is_told(noted: Project) -> None:
    gone = (
        "from django.conf import settings\n"
        'settings.MIGRATION_BOT["data_check_databases"] = {"default": "gone"}\n'
        "from bot.conf import get_settings\nget_settings.cache_clear()\n"
    )
    said = drive(noted, do="run", before=gone)
    assert said.kinds[-1] == "Finished"
    (asked,) = said.of("DataAsked")
    assert "there is no database gone" in asked["not_checked"][0]
