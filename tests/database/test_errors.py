"""An error is told so that it can be mended, and without values of rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import DatabaseError, connections, transaction

from bot.database.errors import tell

SECRET = "Ada\nHINT: ada@example.com"


def raised(by: Callable[[], object]) -> BaseException:
    try:
        by()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is what the test is about)
        return error
    raise AssertionError("nothing was raised")


def run(alias: str, *statements: str) -> None:
    with connections[alias].cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_a_broken_constraint_is_told_without_the_row(target: str) -> None:
    run(target, "CREATE TABLE person (email varchar(80) UNIQUE)")
    insert = f"INSERT INTO person VALUES ('{SECRET}')"
    run(target, insert)
    told = tell(raised(lambda: run(target, insert)))
    assert SECRET not in told.error
    assert SECRET not in told.traceback
    assert told.error_type == "django.db.utils.IntegrityError"
    assert "email" in told.error


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_a_row_that_fails_a_check_is_not_quoted(target: str) -> None:
    run(target, "CREATE TABLE person (email text, age int)")
    run(target, f"INSERT INTO person VALUES ('{SECRET}', -1)")
    told = tell(
        raised(lambda: run(target, "ALTER TABLE person ADD CONSTRAINT of_age CHECK (age > 0)"))
    )
    assert "of_age" in told.error
    assert SECRET not in told.error + told.traceback
    run(target, "ALTER TABLE person ADD COLUMN name text")
    told = tell(raised(lambda: run(target, "ALTER TABLE person ALTER COLUMN name SET NOT NULL")))
    assert SECRET not in told.error + told.traceback


@pytest.mark.parametrize("vendor", ["postgresql"], indirect=True)
def test_details_that_name_no_rows_stay(target: str) -> None:
    run(target, "CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (a int REFERENCES a)")
    told = tell(raised(lambda: run(target, "DROP TABLE a")))
    assert "depends on table a" in told.error


def test_an_error_without_words_is_told_by_its_class() -> None:
    told = tell(ValueError())
    assert (told.error, told.error_type) == ("ValueError", "ValueError")


def test_what_an_error_was_raised_from_is_in_the_traceback(target: str) -> None:
    def migrate() -> None:
        try:
            with transaction.atomic(using=target):
                run(target, "SELECT * FROM nowhere")
        except DatabaseError as error:
            raise RuntimeError("the prices could not be moved") from error

    told = tell(raised(migrate))
    assert told.error == "the prices could not be moved"
    assert "SELECT" not in told.error
    assert "nowhere" in told.traceback
