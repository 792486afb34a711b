"""Nothing that a plan looks at can be changed through the connection it looks with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connections, transaction

from bot.database.guard import WriteRefused, is_read
from bot.database.readonly import everything_read_only, read_only_copy
from bot.database.targets import open_database


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  (SELECT 1)",
        "SELECT 'a; DELETE FROM x' FROM y",
        'SELECT "update" FROM "delete"',
        "WITH a AS (SELECT 1) SELECT * FROM a",
        "SHOW INDEX FROM `x`",
        "PRAGMA table_info('x')",
        "SELECT REPLACE(a, 'b', 'c') FROM d;",
        "SAVEPOINT s1",
        r"SELECT '\d'",
        "SELECT $$a$$",
        "SELECT 1 /* one */ + /* two */ 1",
        "SELECT 1 -- a; b",
    ],
)
def test_reads_pass(sql: str) -> None:
    assert is_read(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "INSERT INTO x VALUES (1)",
        "SELECT 1; DELETE FROM x",
        "SELECT 1; COMMIT; SELECT 2",
        "COMMIT; SELECT 1",
        "SELECT 1; SAVEPOINT a",
        "SELECT 1; SELECT nextval('s')",
        "WITH gone AS (DELETE FROM x RETURNING *) SELECT * FROM gone",
        "SELECT * INTO y FROM x",
        "SELECT * FROM x FOR UPDATE",
        "SELECT nextval('s')",
        "SELECT pg_advisory_lock(1)",
        "EXPLAIN ANALYZE SELECT 1",
        "PRAGMA query_only = OFF",
        "PRAGMA journal_mode(WAL)",
        "SET default_transaction_read_only = off",
        "BEGIN READ WRITE",
        "/* SELECT */ DROP TABLE x",
        r"SELECT '\'' ; DELETE FROM x --'",
        "COPY x TO '/tmp/x'",
        "CALL something()",
        "DO $$ BEGIN END $$",
        "SELECT 1; SELECT 2",
        r"WITH a AS (SELECT '\' AS x, '; SELECT ' AS y) DELETE FROM t --'",
        r"SELECT E'\\', '; SELECT ', pg_advisory_lock(4711) --'",
        "SELECT 1 /* /* */ ' */; COMMIT; DELETE FROM t --'",
        "SELECT $$ ' $$; COMMIT; DELETE FROM t; SELECT $$ ' $$",
        "SELECT 1 # '\n; SET SESSION TRANSACTION READ WRITE; DELETE FROM t # '",
        "SELECT 1 --'a'; COMMIT; DELETE FROM t",
        "SELECT 1 -- a\r; COMMIT; DELETE FROM t",
        "SELECT 1 /*! INTO OUTFILE 'x' */",
        "SELECT 1 AS [']; DELETE FROM t; SELECT 1 AS [']",
    ],
)
def test_everything_else_is_refused(sql: str) -> None:
    assert not is_read(sql)


def test_the_guard_refuses_a_write_on_every_database(target: str) -> None:
    copy = open_database(target)
    try:
        with copy.cursor() as cursor:
            cursor.execute("SELECT 1")
            with pytest.raises(WriteRefused):
                cursor.execute("CREATE TABLE x (a int)")
    finally:
        copy.close()


def test_the_server_refuses_too_when_the_guard_is_passed_by(target: str) -> None:
    copy = open_database(target)
    try:
        copy.execute_wrappers.clear()
        with pytest.raises(Exception, match=r"(?i)read.?only"), copy.cursor() as cursor:
            cursor.execute("CREATE TABLE x (a int)")
    finally:
        copy.close()


def test_the_callers_connection_and_transaction_stay_untouched(target: str) -> None:
    own = connections[target]
    with transaction.atomic(using=target):
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
        with everything_read_only(target) as looking:
            assert connections[target] is looking.connection
            assert not looking.connection.in_atomic_block
            with pytest.raises(WriteRefused), connections[target].cursor() as cursor:
                cursor.execute("DELETE FROM x")
        assert connections[target] is own
        assert own.in_atomic_block
    with own.cursor() as cursor:
        cursor.execute("CREATE TABLE still_writes (a int)")


def test_a_failed_read_does_not_spoil_the_next_one(target: str) -> None:
    with everything_read_only(target) as looking:
        with pytest.raises(Exception, match="nowhere"), looking.connection.cursor() as cursor:
            cursor.execute("SELECT * FROM nowhere")
        looking.rest()
        with looking.connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone() == (1,)


def test_a_pool_is_never_given_a_read_only_connection(
    new_database: Callable[[str], str], register_alias: Callable[[str, str], str]
) -> None:
    original = connections[register_alias("pooled", new_database("postgresql"))]
    original.settings_dict["OPTIONS"]["pool"] = True
    assert "pool" not in read_only_copy(original).settings_dict["OPTIONS"]
    original.settings_dict["OPTIONS"].clear()
