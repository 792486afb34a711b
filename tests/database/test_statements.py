"""Which statements may leave something behind, and what is shown of one that failed."""

from __future__ import annotations

import pytest

from bot.database.statements import LIMIT, first_word, is_write, leaves_traces, shown


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "  select * from t",
        "-- why\nSELECT 1",
        "/* a */ /* b */ SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "SHOW TABLES",
        "SAVEPOINT a",
        "BEGIN",
        "",
        "SET lock_timeout = 1",
        "-- nothing but a comment",
    ],
)
def test_reading_and_marking_is_not_writing(sql: str) -> None:
    assert not is_write(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        'SET CONSTRAINTS "fk" IMMEDIATE; ALTER TABLE t DROP CONSTRAINT "fk"',
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        "/* SELECT */ DROP TABLE t",
        "CREATE TABLE t (a int)",
        "VACUUM",
        "CALL tidy()",
        "DO $$ BEGIN END $$",
        "x",
    ],
)
def test_what_is_not_known_to_be_harmless_counts_as_writing(sql: str) -> None:
    assert is_write(sql)


def test_what_is_done_concurrently_leaves_traces_when_it_fails() -> None:
    assert leaves_traces("CREATE INDEX CONCURRENTLY a ON t (b)")
    assert leaves_traces("drop index concurrently a")
    assert not leaves_traces('CREATE INDEX "concurrently_used" ON t (b)')


def test_values_of_rows_are_never_shown() -> None:
    assert shown("INSERT INTO t VALUES (%s)", ["secret"]) == "INSERT INTO t VALUES (%s)"
    assert shown("UPDATE t SET a = %s", ("secret",)) == "UPDATE t SET a = %s"


def test_defaults_of_ddl_are_shown() -> None:
    assert "'draft'" in shown("ALTER TABLE t ADD c text DEFAULT %s", ["draft"])


def test_an_endless_statement_is_cut() -> None:
    assert len(shown("x" * (LIMIT * 2), None)) == LIMIT


def test_a_first_word_is_found_after_comments() -> None:
    assert first_word("  -- a\n /* b */ ( alter TABLE t") == "ALTER"
