"""How the process beside is started, heard and left, with real processes."""

from __future__ import annotations

import pytest

from tests.database.runs import KEYS, SHOP, drive
from tests.project import Project, ProjectFactory, migration

COLD = 'MIGRATION_BOT["code_reload"] = "cold"\n'


@pytest.fixture
def vendor() -> str:
    return "sqlite"


@pytest.fixture
def shop(project: ProjectFactory, scratch_url: str) -> Project:
    return project(database_url=scratch_url, apps={"shop": SHOP})


def keys(document: dict[str, list[dict[str, str]]]) -> tuple[str, ...]:
    return tuple(f"{step['app']}.{step['name']}" for step in document["steps"])


def test_a_warm_process_forks_and_the_child_plans(shop: Project) -> None:
    said = drive(shop, do="plan")
    assert said.messages[0]["why"] == ""
    assert keys(said.last["document"]) == KEYS


def test_a_fresh_interpreter_plans_the_same(project: ProjectFactory, scratch_url: str) -> None:
    shop = project(database_url=scratch_url, apps={"shop": SHOP}, settings=COLD)
    said = drive(shop, do="plan")
    assert not said.forked
    assert keys(said.last["document"]) == KEYS


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("open('shop/migrations/0004_last.py', 'w').write(open('new.py').read())", 4),
        ("__import__('os').unlink('shop/migrations/0003_price.py')", 2),
        ("open('shop/models.py', 'a').write('# edited')", 3),
    ],
)
def test_what_changed_on_disk_is_what_the_child_sees(shop: Project, change: str, seen: int) -> None:
    shop.write("new.py", migration(after=[("shop", "0003_price")]))
    said = drive(shop, do="plan", before=change)
    assert not said.forked
    assert len(keys(said.last["document"])) == seen


def test_a_process_with_threads_does_not_fork(shop: Project) -> None:
    said = drive(
        shop,
        do="plan",
        before="import threading, time; threading.Thread(target=time.sleep, args=[5], daemon=True)"
        ".start()",
    )
    assert "thread" in said.messages[0]["why"]
    assert said.last["kind"] == "Planned"


def test_a_process_with_an_open_transaction_does_not_fork(shop: Project) -> None:
    said = drive(
        shop,
        do="plan",
        before="from django.db import transaction; transaction.atomic().__enter__()",
    )
    assert "transaction" in said.messages[0]["why"]
    assert said.last["kind"] == "Planned"


def test_a_syntax_error_in_a_migration_becomes_a_sentence(shop: Project) -> None:
    said = drive(shop, do="plan", before="open('shop/migrations/0004_x.py', 'w').write('def')")
    assert said.last["kind"] == "RefusedHere"
    assert said.last["code"] == "broken_migrations"
    assert "0004_x.py, line 1" in said.last["sentence"]


def test_a_project_that_does_not_start_becomes_a_sentence(shop: Project) -> None:
    said = drive(shop, do="plan", before="open('shop/models.py', 'w').write('def')")
    assert said.last["kind"] == "RefusedHere"
    assert "models.py, line 1" in said.last["sentence"]
    assert "SyntaxError" in said.last["detail"]
    assert not said.last["retry"]


def test_a_database_that_is_down_is_worth_another_try(shop: Project) -> None:
    said = drive(shop, do="plan", environment={"DATABASE_URL": "sqlite:////nowhere/at/all"})
    assert said.last["code"] == "database_down"
    assert said.last["retry"]


def test_an_unknown_database_is_refused(shop: Project) -> None:
    said = drive(shop, do="plan", database="replica")
    assert said.last["code"] == "unknown_database"
    assert not said.last["retry"]


def test_a_child_that_is_killed_has_died(shop: Project) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    shop.write("shop/migrations/0004_kill.py", kill)
    said = drive(shop, do="plan", environment={"KILL": "1"}, before="", check=False)
    assert said.messages == ()  # the parent loads it first
    shop.remove("shop/migrations/0004_kill.py")
    said = drive(shop, do="plan", before=f"open('shop/migrations/0004_k.py', 'w').write({kill!r})")
    assert (said.last["kind"], said.last["signal"]) == ("Died", 9)


def test_what_a_dying_child_wrote_is_told(shop: Project) -> None:
    words = "import os; os.write(2, b'the disk is full'); os._exit(7)"
    said = drive(shop, do="plan", before=f"open('shop/migrations/0004_k.py', 'w').write({words!r})")
    assert (said.last["kind"], said.last["code"]) == ("Died", 7)
    assert "the disk is full" in said.last["output"]
