"""Processes that are killed, two at once, and what the database itself says afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.database.runs import KEYS, NAMES, SHOP, after, applied, drive, items, said
from tests.project import Project, ProjectFactory, migration

START_ONE = """
import os, signal, time
from pathlib import Path

def rows(apps, schema_editor):
    apps.get_model("shop", "Item").objects.create(name="one more")
    {then}

def back(apps, schema_editor):
    {then}
"""
STEP = "migrations.RunPython(rows, back, atomic=None),"


@pytest.fixture
def make(project: ProjectFactory, scratch_url: str) -> Callable[..., Project]:
    """Makes the shop with a data migration that ends with ``then``."""

    def make(then: str, **options: Any) -> Project:
        source = migration(
            options.pop("operations", STEP),
            after=after(1),
            before=START_ONE.format(then=then),
            attributes=options.pop("attributes", ""),
        )
        files = {**SHOP, "0002_rows": source}
        return project(database_url=scratch_url, apps={"shop": files}, **options)

    return make


def reconciled(
    shop: Project, current: str = KEYS[1], target: str = "shop", inside: bool | None = None
) -> dict[str, Any]:
    """What reconciling says of the plan in ``plan.json``, in a process of its own."""
    source = f"""
    import json
    from dataclasses import asdict
    from bot.database.reconcile import reconcile
    from bot.route.plan import Plan
    plan = Plan.from_json(json.load(open("plan.json")))
    found = reconcile("default", plan, current_step={current!r}, recorded_inside={inside!r}, run=12)
    print(json.dumps(asdict(found)))
    """
    found: dict[str, Any] = json.loads(shop.shell(source))
    return found


def keep_plan(shop: Project, target: str = "shop") -> None:
    document = drive(shop, do="plan", target=target).last["document"]
    shop.write("plan.json", json.dumps(document))


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until, "it never came to that"
        time.sleep(0.05)


def is_free(shop: Project) -> bool:
    source = "from tests.database.holding import is_held; print(is_held('default'))"
    return shop.shell(source).strip() == "None"


# The parent


def test_a_child_whose_parent_was_killed_ends_its_step_and_begins_no_other(
    make: Callable[..., Project],
) -> None:
    shop = make("os.kill(os.getppid(), signal.SIGKILL)")
    told = drive(shop, do="run", check=False)
    assert told.kinds[-1] == "StepStarting"
    wait_for(lambda: is_free(shop))
    assert applied(shop) == [NAMES[1], NAMES[2]]
    assert items(shop) == 1


def test_a_child_whose_parent_dies_before_it_answers_does_not_begin_the_step(
    make: Callable[..., Project],
) -> None:
    shop = make("pass")
    drive(shop, do="run", die_at=KEYS[1], check=False)
    wait_for(lambda: is_free(shop))
    assert applied(shop) == [NAMES[1]]


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_a_polite_signal_lets_the_step_end_and_no_other_begin(make: Callable[..., Project]) -> None:
    shop = make("os.kill(os.getpid(), signal.SIGTERM)")
    told = drive(shop, do="run")
    assert told.last["kind"] == "Stopped"
    assert told.last["done"] == list(KEYS[:2])


# The child


def test_a_child_that_is_killed_has_died_and_the_database_tells_how_far_it_came(
    make: Callable[..., Project], vendor: str
) -> None:
    shop = make("os.kill(os.getpid(), signal.SIGKILL)")
    keep_plan(shop)
    told = drive(shop, do="run")
    assert (told.last["kind"], told.last["signal"]) == ("Died", 9)
    wait_for(lambda: is_free(shop))
    found = reconciled(shop)
    assert found["done"] == [KEYS[0]]
    if vendor == "mysql":
        assert found["state"] == "needs_attention"
        assert "keeps each statement" in found["because"]
    else:
        assert found["state"] == "failed"
        assert "nothing of it stayed" in found["because"]
        assert items(shop) == 0


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
def test_the_window_between_commit_and_record_is_closed_when_a_step_is_undone(
    make: Callable[..., Project], vendor: str
) -> None:
    """Django alone takes the row away after the transaction; killed there, it would be left."""
    shop = make("pass")
    shop.manage("migrate", "shop", "0002")
    keep_plan(shop, "shop 0001")
    kill = """
import os, signal
import django.db.migrations.recorder as r
own = r.MigrationRecorder.record_unapplied
def record(self, app, name):
    if not self.connection.in_atomic_block:
        os.kill(os.getpid(), signal.SIGKILL)
    own(self, app, name)
r.MigrationRecorder.record_unapplied = record
"""
    told = drive(shop, do="run", target="shop 0001", before=kill)
    assert told.last["kind"] == "Died"
    wait_for(lambda: is_free(shop))
    found = reconciled(shop, KEYS[1])
    assert (found["state"], found["done"]) == ("succeeded", [KEYS[1]])


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("inside", "attributes", "words"),
    [
        (False, "", "committed before it was recorded"),
        (True, "atomic = False", "atomic = False"),
    ],
)
def test_what_the_database_alone_cannot_tell_needs_a_person(
    make: Callable[..., Project], inside: bool, attributes: str, words: str
) -> None:
    shop = make("os.kill(os.getpid(), signal.SIGKILL)", attributes=attributes)
    keep_plan(shop)
    drive(shop, do="run")
    found = reconciled(shop, inside=inside)
    assert found["state"] == "needs_attention"
    assert words in found["because"]
    assert KEYS[1] in found["because"]


DIES = """
import os, signal
from pathlib import Path

def die():
    if Path("armed").exists():  # Planning asks for defaults too.
        os.kill(os.getpid(), signal.SIGKILL)
    return 3

def rows(apps, schema_editor):
    die()
"""
SHOW = "python manage.py migration_bot show 12 --sql"
SIZE = 'migrations.AddField("item", "size", models.IntegerField(null=True)),'
RATE = 'migrations.AddField("item", "rate", models.IntegerField(default=die)),'
DEADLY = "migrations.RunPython(rows, migrations.RunPython.noop),"


@pytest.fixture
def deadly(project: ProjectFactory, scratch_url: str) -> Callable[..., Project]:
    """Makes the shop with a second migration that dies on the way, outside any transaction."""

    def make(*operations: str) -> Project:
        source = migration(
            "\n".join(operations), after=after(1), before=DIES, attributes="atomic = False"
        )
        return project(database_url=scratch_url, apps={"shop": {**SHOP, "0002_rows": source}})

    return make


def killed(shop: Project) -> dict[str, Any]:
    """What is said of the shop after its run has died."""
    keep_plan(shop)
    arm = {KEYS[1]: "import pathlib; pathlib.Path('armed').touch()"}
    assert drive(shop, do="run", during=arm).last["kind"] == "Died"
    wait_for(lambda: is_free(shop))
    return reconciled(shop)


def test_a_run_that_died_before_anything_stayed_has_failed_also_where_nothing_is_rolled_back(
    deadly: Callable[..., Project],
) -> None:
    found = killed(deadly(RATE, DEADLY))
    assert found["state"] == "failed"
    assert found["because"].splitlines() == [
        "Nothing of shop.0002_rows is in the database.",
        found["because"].splitlines()[1],
        "What its catalogue shows of each operation, in the order in which they run:",
        "- not done: Add field rate to item",
        "- not done: Run Python: rows (what comes before it is not done)",
        "What to do now:",
        "Ask for it again when what ended the process is mended.",
    ]


def test_what_a_killed_run_has_left_is_told_operation_by_operation_with_what_to_do(
    deadly: Callable[..., Project],
) -> None:
    found = killed(deadly(SIZE, RATE, DEADLY))
    assert (found["state"], found["done"]) == ("needs_attention", [KEYS[0]])
    lines = found["because"].splitlines()
    assert lines[0] == "Only a part of shop.0002_rows is in the database."
    assert "1 of 3 steps are done: shop.0001_initial." in lines[1]
    assert lines[3:] == [
        "- done: Add field size to item",
        "- not done: Add field rate to item",
        "- not done: Run Python: rows (what comes before it is not done)",
        "What to do now:",
        f"Either send by hand what is not done (its SQL: {SHOW}).",
        "Then make the record agree: python manage.py migrate shop 0002_rows --fake",
        "Or take back by hand what is done, and ask for it again.",
    ]


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("then", "state", "words"),
    [
        ("migrate", "needs_attention", "All of shop.0003_price is in the database, but it is not"),
        ("nothing", "failed", "Nothing of shop.0003_price is in the database."),
    ],
)
def test_of_one_transaction_any_trace_means_all_of_it(
    make: Callable[..., Project], then: str, state: str, words: str
) -> None:
    """Where the record is not written with the migration, a kill between the two leaves this."""
    shop = make("pass")
    shop.manage("migrate", "shop", "0002")
    keep_plan(shop)
    if then == "migrate":
        shop.manage("migrate", "shop")
        shop.manage("migrate", "shop", "0002", "--fake")
    found = reconciled(shop, current=KEYS[2], inside=False)
    assert found["state"] == state
    assert found["because"].startswith(words)


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_code_that_is_not_what_ran_is_not_compared(deadly: Callable[..., Project]) -> None:
    shop = deadly(SIZE, DEADLY)
    killed(shop)
    shop.write("shop/migrations/0002_rows.py", migration(RATE, after=after(1), before=DIES))
    found = reconciled(shop)
    assert found["state"] == "needs_attention"
    assert "was not compared: shop.0002_rows was edited since" in found["because"]
    assert "Compare the schema with what shop.0002_rows does" in found["because"]


def test_a_run_that_died_between_two_steps_has_failed_on_every_database(
    make: Callable[..., Project],
) -> None:
    shop = make("pass")
    keep_plan(shop)
    shop.manage("migrate", "shop", "0002")
    found = reconciled(shop, current="")
    assert (found["state"], found["done"]) == ("failed", list(KEYS[:2]))
    assert "2 of 3 steps are done" in found["because"]


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_a_run_that_died_after_its_last_step_has_succeeded(make: Callable[..., Project]) -> None:
    shop = make("pass")
    keep_plan(shop)
    shop.manage("migrate", "shop")
    assert reconciled(shop, current=KEYS[2])["state"] == "succeeded"


# Two at once


@pytest.fixture
def begin(make: Callable[..., Project]) -> Iterator[tuple[Project, subprocess.Popen[str]]]:
    """A shop with a run that waits in its second step until the file ``go`` is there."""
    shop = make(
        "Path('there').touch()\n"
        "    until = time.monotonic() + 60\n"
        "    while not Path('go').exists() and time.monotonic() < until: time.sleep(0.05)"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.database.driver", json.dumps({"do": "run"})],
        cwd=shop.folder,
        env=shop.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for((shop.folder / "there").exists)
    yield shop, process
    process.kill()
    process.communicate()


def test_of_two_runs_at_once_one_is_refused_and_nothing_runs_twice(
    begin: tuple[Project, subprocess.Popen[str]],
) -> None:
    shop, first = begin
    second = drive(shop, do="run", target="shop")
    assert second.last["kind"] == "RefusedHere"
    assert second.last["code"] == "lock_held"
    assert "run 12" in second.last["sentence"]
    plain = shop.manage("migrate", "shop", check=False)
    assert plain.returncode
    assert "run 12" in plain.stderr
    shop.write("go", "")
    output, _ = first.communicate(timeout=60)
    assert said(output).last["kind"] == "Finished"
    assert items(shop) == 1


def test_reconciling_waits_while_the_run_still_lives(
    begin: tuple[Project, subprocess.Popen[str]],
) -> None:
    shop, first = begin
    source = """
    from bot.database.reconcile import reconcile
    from bot.route.plan import Plan
    from bot.route.refusals import LockHeld
    import json
    try:
        reconcile("default", Plan.from_json(json.load(open("plan.json"))))
    except LockHeld as held:
        print("held by", held.facts["holder"])
    """
    keep_plan(shop)
    assert "held by run 12" in shop.shell(source)
    shop.write("go", "")
    first.communicate(timeout=60)
