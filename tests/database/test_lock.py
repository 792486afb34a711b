"""The lock on all three databases: it excludes, it names its holder, it falls with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as default_connection
from django.db import connections

from bot.database import lock_mysql, osuser
from bot.database.lock import DatabaseLock
from bot.route.refusals import (
    DatabaseDown,
    LockHeld,
    LockImpossible,
    LockLost,
    Refused,
    UnknownDatabase,
)
from tests.database.holding import is_held

Register = Callable[[str, str], str]


@pytest.fixture
def held(target: str) -> Iterator[DatabaseLock]:
    with DatabaseLock(target, holder="run 12 on host web-1 (pid 4321)") as lock:
        yield lock


def elsewhere(work: Callable[[], Any]) -> Any:
    """What ``work`` returns or raises in another thread, which has connections of its own."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Refused as error:
            outcome.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return outcome[0]


@pytest.mark.usefixtures("held")
def test_a_second_taker_is_refused_and_told_who_holds_it(target: str) -> None:
    refusal = elsewhere(DatabaseLock(target, holder="run 13").take)
    assert isinstance(refusal, LockHeld)
    assert refusal.facts == {"database": target, "holder": "run 12 on host web-1 (pid 4321)"}


@pytest.mark.usefixtures("held")
def test_a_second_lock_of_the_same_thread_is_refused_too(target: str) -> None:
    with pytest.raises(LockHeld):
        DatabaseLock(target, holder="run 13").take()


def test_the_same_lock_cannot_be_taken_twice(held: DatabaseLock) -> None:
    with pytest.raises(LockHeld):
        held.take()


def test_one_can_ask_who_holds_it_without_taking_it(target: str, held: DatabaseLock) -> None:
    assert is_held(target) == "run 12 on host web-1 (pid 4321)"
    held.release()
    assert is_held(target) is None
    with DatabaseLock(target, holder="run 13"):
        pass


def test_a_database_never_locked_is_not_held(target: str) -> None:
    assert is_held(target) is None


def test_it_is_free_again_after_release(target: str, held: DatabaseLock) -> None:
    held.release()
    with DatabaseLock(target, holder="run 13"):
        assert (is_held(target) or "").startswith("run 13 on host ")


def test_releasing_twice_takes_nothing_from_the_next_holder(
    target: str, held: DatabaseLock
) -> None:
    held.release()
    with DatabaseLock(target, holder="run 13"):
        held.release()
        assert is_held(target)


def test_a_holder_without_a_process_gets_this_one(target: str) -> None:
    assert DatabaseLock(target, holder="run 12").holder == f"run 12 {osuser.place()}"
    assert str(os.getpid()) in osuser.place()


def test_a_held_lock_passes_its_check(held: DatabaseLock) -> None:
    held.check()
    assert elsewhere(held.check) is None


def test_two_databases_on_one_server_do_not_exclude_each_other(
    vendor: str, new_database: Callable[[str], str], register_alias: Register
) -> None:
    register_alias("one", new_database(vendor))
    register_alias("two", new_database(vendor))
    with DatabaseLock("one", holder="run 1"), DatabaseLock("two", holder="run 2"):
        assert (is_held("two") or "").startswith("run 2 ")


def test_two_aliases_of_one_database_exclude_each_other(
    target: str, scratch_url: str, register_alias: Register
) -> None:
    register_alias("again", scratch_url)
    with DatabaseLock(target, holder="run 1"), pytest.raises(LockHeld):
        DatabaseLock("again", holder="run 2").take()


def test_closing_the_working_connection_does_not_free_it(target: str, held: DatabaseLock) -> None:
    connections[target].close()
    assert isinstance(elsewhere(DatabaseLock(target, holder="run 13").take), LockHeld)
    with connections[target].cursor() as cursor:
        cursor.execute("SELECT 1")
    held.check()
    held.release()
    assert is_held(target) is None


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
def test_a_closed_working_connection_takes_its_key_again(target: str) -> None:
    with DatabaseLock(target, holder="run 12") as lock:
        connections[target].close()
        connections[target].ensure_connection()
        assert lock._keys is not None
        lock._keys.release_main()  # As if the process had been killed, its statement still running.
        assert "connection" in (is_held(target) or "") or "backend" in (is_held(target) or "")


_HOLD = """
import sys, django
django.setup()
from bot.database.lock import DatabaseLock
from django.db import connection
lock = DatabaseLock("default", holder="run 7 on host web-1 (pid 1)")
lock.take()
print("held", flush=True)
{then}
"""


def hold(url: str, then: str = "sys.stdin.read()") -> subprocess.Popen[str]:
    """Another process that has taken the lock of ``url`` and then does something."""
    setting = textwrap.dedent(f"""
        import dj_database_url
        from django.conf import settings
        from django_site.drivers import use_mysql_driver
        use_mysql_driver()
        settings.configure(DATABASES={{"default": dj_database_url.parse({url!r})}})
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", setting + _HOLD.format(then=then)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def wait_until_free(target: str) -> None:
    """The server needs a moment to notice a dead client; the test's time limit ends the waiting."""
    while is_held(target):
        threading.Event().wait(0.02)


def test_another_process_is_named_and_its_death_frees_the_lock(
    target: str, scratch_url: str
) -> None:
    process = hold(scratch_url)
    try:
        with pytest.raises(LockHeld, match=r"run 7 on host web-1 \(pid 1\)"):
            DatabaseLock(target, holder="run 8").take()
        process.send_signal(signal.SIGKILL)
    finally:
        end(process)
    wait_until_free(target)
    with DatabaseLock(target, holder="run 8"):
        pass


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
def test_an_orphaned_statement_of_a_killed_holder_still_excludes(
    vendor: str, target: str, scratch_url: str
) -> None:
    sleep = "SELECT pg_sleep(60)" if vendor == "postgresql" else "SELECT SLEEP(60)"
    process = hold(scratch_url, f"connection.cursor().execute({sleep!r})")
    try:
        wait_for_statement(vendor, target, sleep)
    finally:
        end(process)
    while "left behind" not in (is_held(target) or "") and "gone" not in (is_held(target) or ""):
        threading.Event().wait(0.02)  # The main key falls at once, the work key stays.
    with pytest.raises(LockHeld, match="left behind" if vendor == "postgresql" else "gone"):
        DatabaseLock(target, holder="run 8").take()
    kill_statement(vendor, target, sleep)
    wait_until_free(target)
    with DatabaseLock(target, holder="run 8"):
        pass


def _running(vendor: str, target: str, statement: str) -> int | None:
    table = (
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = %s"
        if vendor == "postgresql"
        else "SELECT id FROM information_schema.processlist WHERE info = %s"
    )
    with connections[target].cursor() as cursor:
        cursor.execute(table, [statement])
        row = cursor.fetchone()
    return row[0] if row else None


def wait_for_statement(vendor: str, target: str, statement: str) -> None:
    while _running(vendor, target, statement) is None:
        threading.Event().wait(0.02)


def kill_statement(vendor: str, target: str, statement: str) -> None:
    number = _running(vendor, target, statement)
    kill = "SELECT pg_terminate_backend(%s)" if vendor == "postgresql" else "KILL %s"
    with connections[target].cursor() as cursor:
        cursor.execute(kill, [number])


def test_a_forked_child_neither_holds_nor_frees_the_lock(target: str, held: DatabaseLock) -> None:
    child = os.fork()
    if child == 0:
        wrong = held.held
        held.release()
        os._exit(1 if wrong else 0)
    assert os.waitpid(child, 0)[1] == 0
    held.check()
    assert is_held(target) == "run 12 on host web-1 (pid 4321)"


def test_a_killed_lock_connection_is_noticed(
    vendor: str, target: str, held: DatabaseLock, scratch_url: str
) -> None:
    if vendor == "sqlite":
        file = Path(connections[target].settings_dict["NAME"] + ".migration-lock")
        file.unlink()
    else:
        keys: Any = held._keys
        side = keys._side.connection
        number = side.info.backend_pid if vendor == "postgresql" else side.thread_id()
        kill = "SELECT pg_terminate_backend(%s)" if vendor == "postgresql" else "KILL %s"
        with connections[target].cursor() as cursor:
            cursor.execute(kill, [number])
    with pytest.raises(LockLost):
        held.check()
    held.release()
    wait_until_free(target)


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_nothing_of_the_lock_stays_on_the_working_connection(target: str) -> None:
    with connections[target].cursor() as cursor:
        cursor.execute("SHOW application_name")
        before = cursor.fetchone()
        with DatabaseLock(target, holder="run 12"):
            cursor.execute("SHOW application_name")
            assert cursor.fetchone()[0].startswith("migration_bot run 12")
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() == before
        cursor.execute(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1835167604"
        )
        assert connections[target].connection.info.backend_pid not in {
            row[0] for row in cursor.fetchall()
        }


def test_an_unknown_database_is_told_with_the_known_ones() -> None:
    with pytest.raises(UnknownDatabase, match=r"nowhere.*default"):
        DatabaseLock("nowhere", holder="run 1").take()


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"])
def test_a_database_that_is_down_is_told(
    vendor: str, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections[target].close()
    monkeypatch.setitem(connections[target].settings_dict, "PORT", "1")
    with pytest.raises(DatabaseDown, match="does not answer"):
        DatabaseLock(target, holder="run 1").take()
    with pytest.raises(DatabaseDown):
        is_held(target)


def test_a_vendor_without_a_lock_is_refused_with_a_remedy(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections[target], "vendor", "oracle")
    with pytest.raises(LockImpossible, match=r"no lock for oracle.*guard_plain_migrate"):
        DatabaseLock(target, holder="run 1").take()


class TestSqlite:
    @pytest.fixture
    def vendor(self) -> str:
        return "sqlite"

    def test_a_database_in_memory_needs_no_file(self) -> None:
        if default_connection.vendor != "sqlite":
            pytest.skip("the bot's own tables are not in memory in this run")
        with DatabaseLock("default", holder="run 1"):
            assert is_held("default") is None

    def test_a_link_to_the_database_is_the_same_lock(
        self, target: str, tmp_path: Path, register_alias: Register, held: DatabaseLock
    ) -> None:
        file = Path(connections[target].settings_dict["NAME"])
        file.touch()
        (tmp_path / "link.sqlite3").symlink_to(file)
        register_alias("linked", f"sqlite:///{tmp_path}/link.sqlite3")
        assert is_held("linked") == held.holder

    def test_a_directory_that_cannot_be_written_is_refused_with_a_remedy(
        self, tmp_path: Path, register_alias: Register
    ) -> None:
        register_alias("target", f"sqlite:///{tmp_path}/no/such/directory/x.sqlite3")
        with pytest.raises(LockImpossible, match=r"cannot be opened.*Let the user"):
            DatabaseLock("target", holder="run 1").take()

    def test_the_lock_file_stays_and_holds_the_last_words_alone(self, target: str) -> None:
        with DatabaseLock(target, holder="a much longer holder on host x (pid 1)"):
            pass
        with DatabaseLock(target, holder="short (pid 1)"):
            pass
        file = Path(connections[target].settings_dict["NAME"] + ".migration-lock")
        assert file.read_text() == "short (pid 1)"

    def test_somebody_who_only_looks_makes_nobody_fail(self, target: str) -> None:
        with DatabaseLock(target, holder="run 1"):
            pass
        stop = threading.Event()

        def look() -> None:
            while not stop.is_set():
                is_held(target)

        looker = threading.Thread(target=look)
        looker.start()
        try:
            for _ in range(50):
                with DatabaseLock(target, holder="run 2"):
                    pass
        finally:
            stop.set()
            looker.join()

    def test_without_file_locks_it_is_refused_with_a_remedy(
        self, target: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.database.lock_sqlite.fcntl", None)
        with pytest.raises(LockImpossible, match="no file locks"):
            DatabaseLock(target, holder="run 1").take()


class TestMysqlWords:
    @pytest.mark.parametrize(
        "words", ["run 12 on host web-1 (pid 4321)", "ä", "", "x" * 60, "manage.py migrate"]
    )
    def test_words_spelled_in_bits_are_read_back(self, words: str) -> None:
        bits = lock_mysql._bits(words)
        assert lock_mysql._text(bits) == words.replace("ä", "?")

    def test_half_spelled_words_are_not_believed(self) -> None:
        bits = lock_mysql._bits("run 12 on host web-1 (pid 4321)")
        assert lock_mysql._text(bits[: len(bits) // 2]) == ""

    def test_a_lock_name_fits_and_tells_databases_apart(self) -> None:
        long = "shop_" * 12
        names = {
            lock_mysql.lock_name(n, "main") for n in (long, long + "x", "Shop", "shop", "läden")
        }
        assert len({name.lower() for name in names}) == 5
        assert all(len(name) <= 64 for name in names)
        assert all("shop" in n.lower() for n in names if "l_den" not in n)
