"""Limits of a run's statements on real servers, and what their errors mean."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import Error, OperationalError, connections, transaction
from django.test.utils import override_settings

from bot.database import limits
from bot.database.limits import Trouble, limited, trouble, why_retry
from bot.route.refusals import UnknownDatabase
from tests.database.conftest import execute

SHOWN = {
    "postgresql": ("SHOW lock_timeout", "SHOW statement_timeout"),
    "mysql": (
        "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout",
        "SELECT @@SESSION.max_statement_time",
    ),
    "sqlite": ("PRAGMA busy_timeout",),
}

on_servers = pytest.mark.parametrize("vendor", ["postgresql", "mysql"])


@contextmanager
def bot_settings(**values: Any) -> Iterator[None]:
    with override_settings(MIGRATION_BOT=values):
        yield


def shown(vendor: str, target: str) -> list[Any]:
    rows = []
    with connections[target].cursor() as cursor:
        for sql in SHOWN[vendor]:
            cursor.execute(sql)
            rows.append(cursor.fetchone())
    return rows


def test_they_are_in_force_and_put_back(vendor: str, target: str) -> None:
    before = shown(vendor, target)
    with bot_settings(lock_timeout=3, statement_timeout=7.5), limited(target):
        during = shown(vendor, target)
    assert (
        during
        == {
            "postgresql": [("3s",), ("7500ms",)],
            "mysql": [(3, 3), (7.5,)],
            "sqlite": [(3000,)],
        }[vendor]
    )
    assert shown(vendor, target) == before


def test_a_connection_opened_anew_gets_them_again(vendor: str, target: str) -> None:
    with bot_settings(lock_timeout=3, statement_timeout=7.5), limited(target):
        during = shown(vendor, target)
        connections[target].close()
        assert shown(vendor, target) == during


def test_zero_leaves_the_limits_to_the_server(vendor: str, target: str) -> None:
    before = shown(vendor, target)
    with bot_settings(lock_timeout=0, statement_timeout=0), limited(target):
        assert shown(vendor, target) == before


def test_a_connection_that_broke_needs_no_putting_back(vendor: str, target: str) -> None:
    with limited(target):
        execute(target, "SELECT 1")
        connections[target].close()


def test_other_aliases_are_left_alone(vendor: str, target: str, other: str) -> None:
    before = shown(vendor, other)
    with bot_settings(lock_timeout=3, statement_timeout=7.5), limited(target):
        connections[other].close()
        assert shown(vendor, other) == before


def test_an_unknown_alias_is_refused() -> None:
    with pytest.raises(UnknownDatabase), limited("nowhere"):
        pass


def test_a_lock_that_is_not_had_in_time_is_worth_another_try(
    vendor: str, target: str, other: str
) -> None:
    ddl = "CREATE INDEX item_name ON item (name)"
    with bot_settings(lock_timeout=1), limited(target), transaction.atomic(other):
        execute(other, "UPDATE item SET name = 'x' WHERE id = 1")
        with pytest.raises(OperationalError) as raised:
            execute(target, ddl)
    assert trouble(raised.value) is Trouble.LOCK
    assert why_retry(raised.value) == "It waited too long for a lock."
    execute(target, ddl)


@on_servers
def test_a_row_that_is_not_had_in_time_is_a_lock_too(target: str, other: str) -> None:
    update = "UPDATE item SET name = 'x' WHERE id = 1"
    with bot_settings(lock_timeout=1), limited(target), transaction.atomic(other):
        execute(other, update)
        with pytest.raises(OperationalError) as raised:
            execute(target, update)
    assert trouble(raised.value) is Trouble.LOCK


@on_servers
def test_a_deadlock_is_worth_another_try(target: str, other: str) -> None:
    """Two take two rows crosswise: whoever is chosen to lose hears it."""
    errors: list[BaseException] = []
    ready = threading.Barrier(2)

    def cross(alias: str, first: int, second: int) -> None:
        try:
            with transaction.atomic(alias):
                execute(alias, "UPDATE item SET name = 'x' WHERE id = %s", [first])
                ready.wait()
                execute(alias, "UPDATE item SET name = 'x' WHERE id = %s", [second])
        except OperationalError as error:
            errors.append(error)
        finally:
            if threading.current_thread() is not threading.main_thread():
                connections.close_all()

    thread = threading.Thread(target=cross, args=(other, 2, 1))
    thread.start()
    cross(target, 1, 2)
    thread.join()
    assert [trouble(error) for error in errors] == [Trouble.DEADLOCK]
    assert why_retry(errors[0])


LONG = {
    "postgresql": "SELECT pg_sleep(60)",
    "mysql": "SELECT SLEEP(60) FROM item WHERE id = 1",
    "sqlite": "CREATE TABLE big AS WITH RECURSIVE n(i) AS"
    " (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000000000) SELECT i FROM n",
}


@pytest.mark.usefixtures("other")
def test_a_statement_that_runs_too_long_is_broken_off_and_not_tried_again(
    vendor: str, target: str
) -> None:
    with (
        bot_settings(statement_timeout=0.2),
        limited(target),
        pytest.raises(OperationalError) as raised,
    ):
        execute(target, LONG[vendor])
    assert trouble(raised.value) is Trouble.STATEMENT_TIMEOUT
    assert why_retry(raised.value) == ""
    execute(target, "SELECT 1")


@on_servers
@pytest.mark.usefixtures("other")
def test_a_cancelled_statement_is_told_from_one_that_ran_too_long(
    vendor: str, target: str, scratch_url: str
) -> None:
    connection = connections[target]
    connection.ensure_connection()
    raw: Any = connection.connection
    number = raw.info.backend_pid if vendor == "postgresql" else raw.thread_id()
    kill = "SELECT pg_cancel_backend(%s)" if vendor == "postgresql" else "KILL QUERY %s"
    running = threading.Event()

    def cancel() -> None:
        # Again and again: the statement may not have begun yet.
        while not running.wait(0.05):
            execute("other", kill, [number])
        connections.close_all()

    with bot_settings(statement_timeout=50), limited(target):
        thread = threading.Thread(target=cancel)
        thread.start()
        try:
            with pytest.raises(Error) as raised:
                execute(target, LONG[vendor].replace("SLEEP(60)", "SLEEP(60) + 0"))
        finally:
            running.set()
            thread.join()
    assert trouble(raised.value) is Trouble.CANCELLED
    assert why_retry(raised.value) == ""


@on_servers
def test_a_killed_session_is_a_lost_connection(vendor: str, target: str, other: str) -> None:
    connection = connections[target]
    raw: Any = connection.connection
    number = raw.info.backend_pid if vendor == "postgresql" else raw.thread_id()
    execute(
        other,
        "SELECT pg_terminate_backend(%s)" if vendor == "postgresql" else "KILL %s",
        [number],
    )

    def ask() -> None:
        while True:  # A moment passes until the server has killed it.
            execute(target, "SELECT 1")

    with limited(other), pytest.raises(Error) as raised:
        ask()
    assert trouble(raised.value) is Trouble.CONNECTION_LOST
    connection.close()


def test_an_error_of_the_statement_itself_is_no_trouble(vendor: str, target: str) -> None:
    with pytest.raises(Error) as raised:
        execute(target, "SELECT nothing FROM nowhere")
    assert trouble(raised.value) is None
    assert why_retry(raised.value) == ""
    assert trouble(ValueError("no")) is None
    assert trouble(None) is None


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_an_error_that_a_migration_wrapped_is_found(target: str, other: str) -> None:
    def close_the_shop() -> None:
        try:
            execute(target, "DROP TABLE item")
        except OperationalError as error:
            raise RuntimeError("the shop is in use") from error

    with bot_settings(lock_timeout=0.01), limited(target), transaction.atomic(other):
        execute(other, "UPDATE item SET name = 'x' WHERE id = 1")
        with pytest.raises(RuntimeError) as raised:
            close_the_shop()
    assert trouble(raised.value) is Trouble.LOCK


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_killed_clients_statement_ends_soon(target: str) -> None:
    with limited(target), connections[target].cursor() as cursor:
        cursor.execute("SHOW client_connection_check_interval")
        assert cursor.fetchone() == (limits.CHECK_CLIENT,)
