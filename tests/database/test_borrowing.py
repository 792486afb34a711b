"""A plan may read over the caller's connection, and leaves no trace on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction

from bot.database.readonly import everything_read_only

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)


@pytest.fixture
def own(target: str) -> Iterator[Any]:
    connection = connections[target]
    connection.ensure_connection()
    yield connection
    connection.close()


def ask(connection: Any, sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def session(connection: Any) -> int:
    return int(ask(connection, "SELECT pg_backend_pid()"))


def is_borrowed(own: Any) -> bool:
    with everything_read_only(own.alias) as looking:
        return session(looking.connection) == int(own.connection.info.backend_pid)


def test_an_idle_connection_is_read_over_and_can_not_write_meanwhile(own: Any) -> None:
    with everything_read_only(own.alias) as looking:
        assert session(looking.connection) == own.connection.info.backend_pid
        looking.connection.execute_wrappers.clear()
        with pytest.raises(Exception, match="read-only"), looking.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE x (a int)")


def test_it_comes_back_as_it_was(own: Any) -> None:
    settings = "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings"
    before = ask(own, settings)
    raw = own.connection
    with everything_read_only(own.alias) as looking:
        ask(looking.connection, "SELECT 1")
    assert own.connection is raw
    assert (raw.autocommit, raw.read_only) == (True, None)
    assert raw.info.transaction_status.name == "IDLE"
    assert own.get_autocommit()
    assert ask(own, settings) == before
    with own.cursor() as cursor:
        cursor.execute("CREATE TABLE still_writes (a int)")


def test_it_comes_back_as_it_was_from_a_plan_that_failed(own: Any) -> None:
    with pytest.raises(Exception, match="nowhere"), everything_read_only(own.alias) as looking:
        ask(looking.connection, "SELECT * FROM nowhere")
    with own.cursor() as cursor:
        cursor.execute("CREATE TABLE still_writes (a int)")


def test_a_connection_in_a_transaction_is_never_borrowed(own: Any) -> None:
    with transaction.atomic(using=own.alias):
        ask(own, "SELECT 1")
        assert not is_borrowed(own)
    own.set_autocommit(False)
    ask(own, "SELECT 1")
    assert not is_borrowed(own)
    own.rollback()
    own.set_autocommit(True)
    assert is_borrowed(own)


def test_a_session_that_sees_other_tables_than_a_new_one_is_not_borrowed(own: Any) -> None:
    with own.cursor() as cursor:
        cursor.execute("SET search_path TO pg_catalog")
        assert not is_borrowed(own)
        cursor.execute("RESET search_path")
        assert is_borrowed(own)
        cursor.execute("CREATE TEMPORARY TABLE django_migrations (app text, name text)")
        assert not is_borrowed(own)


def test_a_connection_that_others_may_use_is_not_borrowed(own: Any) -> None:
    own.inc_thread_sharing()
    try:
        assert not is_borrowed(own)
    finally:
        own.dec_thread_sharing()


def test_a_session_that_has_ended_does_not_fail_the_plan(own: Any, target: str) -> None:
    other = own.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [own.connection.info.backend_pid])
    other.close()
    with everything_read_only(target) as looking:
        assert ask(looking.connection, "SELECT 1") == 1


def test_what_closes_it_meanwhile_leaves_a_connection_that_opens_anew(own: Any) -> None:
    before = session(own)
    with everything_read_only(own.alias) as looking:
        looking.connection.close()
        assert session(looking.connection) != before
    assert session(own) != before
