"""How the process beside is started, heard and left, with real processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.database import process
from bot.worker import Part, Supervisor
from tests.conftest import need
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


class Pooled:
    """A connection that Django pools, as far as a fork is concerned."""

    in_atomic_block = False

    def __init__(self, options: dict[str, Any]) -> None:
        self.settings_dict = {"OPTIONS": options}
        self.closed: list[str] = []

    def close(self) -> None:
        self.closed.append("connection")

    def close_pool(self) -> None:
        self.closed.append("pool")


class Aliases:
    def __init__(self, *connections: Any) -> None:
        self.connections = connections

    def all(self, initialized_only: bool = False) -> Any:
        return self.connections

    def close_all(self) -> None:
        for connection in self.connections:
            connection.close()


def test_before_a_fork_a_pool_is_closed_with_its_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pooled, plain = Pooled({"pool": True}), Pooled({})
    monkeypatch.setattr(process, "connections", Aliases(pooled, plain))
    process.leave_connections()
    assert (pooled.closed, plain.closed) == (["connection", "pool"], ["connection"])


def test_a_worker_closes_pools_before_each_process_that_it_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pooled = Pooled({"pool": True})
    monkeypatch.setattr(process, "connections", Aliases(pooled))
    found: list[list[str]] = []

    def start() -> int:
        found.append(list(pooled.closed))
        return 0

    Supervisor([], say=print)._start(Part(name="runs", start=start))
    assert found == [["connection", "pool"]]


@pytest.mark.parametrize(("options", "why"), [({"pool": True}, "pool"), ({}, "")])
def test_a_process_with_a_pool_of_connections_does_not_fork(
    options: dict[str, Any], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "connections", Aliases(Pooled(options)))
    monkeypatch.setattr(process, "_kernel_threads", lambda: 1)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    monkeypatch.setattr("bot.database.freshness.what_changed", lambda: "")
    assert (why in process.why_not_forked()) if why else not process.why_not_forked()


SESSIONS = """
    import os
    from django.db import connections
    from bot import worker
    from bot.database import process

    def session():
        with connections["default"].cursor() as cursor:
            cursor.execute("select pg_backend_pid()")
            return cursor.fetchone()[0]

    print(session(), flush=True)
    said = []

    def start():
        pid = worker._fork()
        if not pid:
            print(session(), flush=True)
            os._exit(0)
        os.waitpid(pid, 0)
        return 0

    worker.Supervisor([], say=said.append)._start(worker.Part(name="runs", start=start))
    print(session(), flush=True)
"""


def test_no_two_processes_speak_on_one_session_of_a_pool(
    project: ProjectFactory, new_database: Callable[[str], str]
) -> None:
    found = pytest.importorskip("psycopg_pool", reason="a pool of connections: no psycopg_pool")
    need("postgresql")
    pool = 'DATABASES["default"] |= {"CONN_MAX_AGE": 0, "OPTIONS": {"pool": {"min_size": 1}}}\n'
    site = project(database_url=new_database("postgresql"), settings=pool)
    path = [site.environment["PYTHONPATH"], str(Path(found.__file__).parent.parent)]
    sessions = site.shell(SESSIONS, PYTHONPATH=os.pathsep.join(path)).split()
    assert len(set(sessions)) == len(sessions) == 3
