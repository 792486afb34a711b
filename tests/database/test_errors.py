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


def test_a_function_is_named_without_its_address() -> None:
    """Django says so of an operation that cannot be undone."""
    error = NotImplementedError(f"Operation <RunPython {raised!r}> is not reversible")
    assert tell(error).error == "Operation <RunPython raised> is not reversible"


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


HOSTILE = """Ada's "x" `y` for key 'z' <ada@example.com>"""
NUMBER = "98765432109876543210"

CASTS = {
    "postgresql": [
        *["integer", "smallint", "numeric", "boolean", "date", "timestamptz", "interval"],
        *["uuid", "inet", "json", "jsonb", "point", "int[]", "bytea", "money"],
    ],
    "mysql": ["integer", "date", "datetime", "time", "decimal(3,1)", "varchar(3)", "enum('x')"],
}


@pytest.mark.parametrize("value", [HOSTILE, NUMBER, "\\x zz"])
@pytest.mark.parametrize(
    ("vendor", "kind"),
    [(vendor, kind) for vendor, kinds in CASTS.items() for kind in kinds],
    indirect=["vendor"],
)
def test_a_value_that_does_not_fit_a_new_type_is_not_quoted(
    target: str, vendor: str, kind: str, value: str
) -> None:
    run(target, "CREATE TABLE person (email varchar(80))")
    with connections[target].cursor() as cursor:
        cursor.execute("INSERT INTO person VALUES (%s)", [value])
    change = {
        "postgresql": f"ALTER TABLE person ALTER email TYPE {kind} USING email::{kind}",
        "mysql": f"ALTER TABLE person MODIFY email {kind}",
    }[vendor]
    try:
        run(target, change)
    except DatabaseError as error:
        told = tell(error)
    else:
        return  # it fits
    shown = told.error + told.traceback
    assert not any(part in shown for part in ("Ada", "ada@example", NUMBER, "zz"))
    assert told.error.strip()


@pytest.mark.parametrize("vendor", ["postgresql", "mysql"], indirect=True)
def test_neither_does_the_line_of_the_statement_tell_it(target: str, vendor: str) -> None:
    run(target, "CREATE TABLE person (age integer)")

    def write() -> None:
        with connections[target].cursor() as cursor:
            cursor.execute("INSERT INTO person VALUES (%s)", [HOSTILE])

    told = tell(raised(write))
    assert "ada@example" not in told.error + told.traceback
    assert "integer" in told.error


def test_an_error_that_repeats_another_repeats_no_row(target: str) -> None:
    run(target, "CREATE TABLE person (email varchar(80) UNIQUE)")

    def write() -> None:
        with connections[target].cursor() as cursor:
            cursor.execute("INSERT INTO person VALUES (%s)", [HOSTILE])

    write()

    def again() -> None:
        try:
            write()
        except DatabaseError as error:
            raise RuntimeError(f"could not be written: {error}") from error

    told = tell(raised(again))
    assert "ada@example" not in told.error + told.traceback
    assert "could not be written" in told.error


@pytest.mark.parametrize("vendor", ["sqlite"], indirect=True)
def test_djangos_own_check_of_foreign_keys_quotes_no_row(target: str) -> None:
    with connections[target].constraint_checks_disabled():
        run(target, "CREATE TABLE a (id text PRIMARY KEY)")
        run(target, "CREATE TABLE b (id text PRIMARY KEY, a text REFERENCES a (id))")
        run(target, "INSERT INTO b VALUES ('ada@example.com', 'grace@example.com')")
        told = tell(raised(connections[target].check_constraints))
    assert "@example.com" not in told.error + told.traceback
    assert "invalid foreign key: b.a" in told.error
