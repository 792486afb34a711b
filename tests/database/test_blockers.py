"""Who is in the way, asked of real servers while a statement really waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections, transaction
from django.test.utils import override_settings

from bot.database.blockers import Look, looking
from bot.database.limits import limited
from bot.database.redacting import redacted
from tests.database.conftest import execute

UPDATE = "UPDATE item SET name = 'secret' WHERE id = 1"
DDL = "ALTER TABLE item ADD COLUMN extra integer"

on_servers = pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
on_postgresql = pytest.mark.parametrize("vendor", ["postgresql"])
on_mysql = pytest.mark.parametrize("vendor", ["mysql"])


def number_of(alias: str) -> int:
    connections[alias].ensure_connection()
    raw: Any = connections[alias].connection
    is_postgresql = connections[alias].vendor == "postgresql"
    number: int = raw.info.backend_pid if is_postgresql else raw.thread_id()
    return number


@contextmanager
def waiting(target: str, sql: str) -> Iterator[Look]:
    """Another thread carries out ``sql`` on its own connection to ``target`` and has to wait."""
    looks: list[Look] = []
    ready, over = threading.Event(), threading.Event()

    def work() -> None:
        with looking(target) as look, limited(target):
            looks.append(look)
            connections[target].ensure_connection()
            ready.set()
            try:
                execute(target, sql)
            except OperationalError as error:
                print("the waiting statement:", error)
            over.wait()
        connections.close_all()

    with override_settings(MIGRATION_BOT={"lock_timeout": 8}):
        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        try:
            yield looks[0]
        finally:
            with suppress(Exception):
                transaction.rollback("other")
            over.set()
            thread.join()


def first_seen(look: Look) -> tuple[str, ...]:
    """What is seen as soon as the statement waits; it gives up after some seconds by itself."""
    for _ in range(25):
        if found := look():
            return found
        threading.Event().wait(0.2)  # InnoDB renews what it tells only when left alone for 0.1 s.
    return ()


@pytest.fixture
def busy(other: str) -> Iterator[str]:
    """Somebody has changed a row and not committed."""
    transaction.set_autocommit(False, using=other)
    execute(other, UPDATE)
    yield other
    transaction.rollback(using=other)
    transaction.set_autocommit(True, using=other)


@on_postgresql
def test_postgresql_names_who_holds_the_table(target: str, busy: str) -> None:
    with waiting(target, DDL) as look:
        (words,) = first_seen(look)
    assert f"(backend {number_of(busy)})" in words
    assert " of postgres@" in words
    assert "idle in a transaction for " in words
    assert words.endswith("last statement: UPDATE item SET name = ? WHERE id = ?")


@on_postgresql
def test_postgresql_names_who_only_queues_before_us_last(
    target: str, busy: str, scratch_url: str, register_alias: Callable[[str, str], str]
) -> None:
    register_alias("third", scratch_url)

    def queue() -> None:
        with suppress(OperationalError):
            execute("third", "SET lock_timeout = '8s'")
            execute("third", "TRUNCATE item")
        connections.close_all()

    thread = threading.Thread(target=queue)
    thread.start()
    try:
        while thread.is_alive():
            with connections[target].cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
                if cursor.fetchone()[0]:
                    break
        with waiting(target, DDL) as look:
            found = first_seen(look)
    finally:
        transaction.rollback(using=busy)
        thread.join()
    assert len(found) == 2
    assert "idle in a transaction" in found[0]
    assert "waiting for a lock itself, statement: TRUNCATE item" in found[1]


@on_mysql
def test_mariadb_names_who_holds_the_row(target: str, busy: str) -> None:
    with waiting(target, UPDATE) as look:
        (words,) = first_seen(look)
    assert f"(connection {number_of(busy)})" in words
    assert "idle in a transaction for " in words
    assert "perhaps" not in words


@on_mysql
def test_mariadb_names_who_may_hold_the_table(target: str, busy: str) -> None:
    with waiting(target, DDL) as look:
        found = first_seen(look)
    mine = [words for words in found if f"(connection {number_of(busy)})" in words]
    assert len(mine) == 1, found
    assert ", idle " in mine[0]


@on_servers
@pytest.mark.usefixtures("other")
def test_nobody_is_named_when_nothing_waits(target: str) -> None:
    with looking(target) as look:
        assert look() == ()


@on_servers
def test_before_the_connection_is_open_nobody_is_named(target: str) -> None:
    connections[target].close()
    with looking(target) as look:
        assert look() == ()


HOLD = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA journal_mode = " + sys.argv[2])
db.execute(sys.argv[3])
db.execute("SELECT count(*) FROM item").fetchone()
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def process_holding(file: str, mode: str, begin: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, file, mode, begin],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="no /proc/locks here")
@pytest.mark.parametrize("vendor", ["sqlite"])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_sqlite_names_the_process_that_writes(target: str, other: str, mode: str) -> None:
    file = str(connections[target].settings_dict["NAME"])
    with looking(target) as look:
        connections.close_all()
        assert look() == ()
        with process_holding(file, mode, "BEGIN IMMEDIATE") as pid:
            (words,) = look()
            assert words.startswith(f"process {pid} (python")
            assert file not in words
        assert look() == ()


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="no /proc/locks here")
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_sqlite_names_a_reader_only_where_readers_stop_writers(target: str, other: str) -> None:
    file = str(connections[target].settings_dict["NAME"])
    connections.close_all()
    with looking(target) as look:
        with process_holding(file, "DELETE", "BEGIN") as pid:
            assert [f"process {pid} " in words for words in look()] == [True]
        with process_holding(file, "WAL", "BEGIN"):
            assert look() == ()


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_without_the_systems_list_sqlite_names_nobody(
    target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bot.database.blockers_sqlite.LOCKS", tmp_path / "none")
    with looking(target) as look:
        assert look() == ()


def test_an_unknown_vendor_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "oracle")
    with looking("default") as look:
        assert look() == ()


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 1", "SELECT ?"),
        ("UPDATE t1 SET a = 'x''y', b=-2.5e3", "UPDATE t1 SET a = ?, b=?"),
        ("SELECT 'cut off in the mid", "SELECT ?"),
        ("SELECT E'a\\'b', \"Col 1\"", 'SELECT ?, "Col 1"'),
        ("DO $x$ secret $x$ -- more\nDONE", "DO ? ? DONE"),
        ("SELECT $1, /* secret */ c", "SELECT $1, ? c"),
        ("SELECT\n  a\n FROM b", "SELECT a FROM b"),
    ],
)
def test_values_of_others_are_not_shown(sql: str, shown: str) -> None:
    assert redacted(sql) == shown


def test_double_quotes_hold_values_in_mysql() -> None:
    assert redacted('SELECT "secret", `name 1` # 2', mysql=True) == "SELECT ?, `name 1` ?"


def test_long_statements_are_cut() -> None:
    assert redacted("SELECT " + "a, " * 100, limit=20) == "SELECT a, a, a, a..."
