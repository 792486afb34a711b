"""Dumps that cannot be had, migrations that do not run, time that is up: told, not guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from bot.database.rehearsal import postgresql_binaries, postgresql_dump
from bot.route.basis import Basis
from bot.route.findings import Evidence, Risk
from bot.route.plan import Target
from bot.route.rehearsal import Deed, Outcome
from tests.database.migrating import MadeUpApp, migrate
from tests.database.planning import NOW
from tests.database.rehearsal.shop import rehearsed, with_plan, write

pytestmark = pytest.mark.parametrize("vendor", ["postgresql"])
STEP = "migrations.AddField('Item', 'a', models.IntegerField(null=True))"


def codes(findings: tuple[Any, ...]) -> set[str]:
    return {finding.code for finding in findings}


def fake_pg_dump(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """The only pg_dump on this machine."""
    path = folder / "bin" / "pg_dump"
    path.parent.mkdir()
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    monkeypatch.setattr(postgresql_binaries, "_PLACES", ())


def test_without_pg_dump_the_tables_are_made_from_the_models(
    target: str, shop: MadeUpApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, STEP)
    migrate(target, "shop", "0001")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgresql_binaries, "_PLACES", ())
    found = rehearsed(target, "shop")
    assert found.schema_from == "Django's state of the applied migrations"
    assert any("there is no pg_dump here" in note for note in found.notes)
    assert found.worked


def test_a_pg_dump_that_is_older_than_the_server_is_not_used(
    target: str, shop: MadeUpApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, STEP)
    migrate(target, "shop", "0001")
    fake_pg_dump(tmp_path, monkeypatch, 'echo "pg_dump (PostgreSQL) 9.6"; exit 1')
    found = rehearsed(target, "shop")
    assert any("pg_dump here is of version 9.6" in note for note in found.notes)
    assert found.worked


def test_a_dump_that_cannot_be_loaded_is_not_used(
    target: str, shop: MadeUpApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, STEP)
    migrate(target, "shop", "0001")
    script = """
    case "$1" in --version) echo "pg_dump (PostgreSQL) 99.1" ;;
    *) echo "CREATE TABLE shop_item (id int);"; echo "CREATE NONSENSE;" ;; esac"""
    fake_pg_dump(tmp_path, monkeypatch, script)
    found = rehearsed(target, "shop")
    assert any("what pg_dump wrote could not be loaded (syntax error" in n for n in found.notes)
    assert found.worked


def test_a_pg_dump_that_fails_says_why(
    target: str, shop: MadeUpApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(shop, STEP)
    migrate(target, "shop", "0001")
    script = """
    case "$1" in --version) echo "pg_dump (PostgreSQL) 99.1" ;;
    *) echo "pg_dump: no luck" >&2; exit 1 ;; esac"""
    fake_pg_dump(tmp_path, monkeypatch, script)
    assert any("pg_dump failed (pg_dump: no luck)" in n for n in rehearsed(target, "shop").notes)


def test_what_only_the_real_schema_has_comes_with_the_dump(target: str, shop: MadeUpApp) -> None:
    write(
        shop,
        """migrations.RunSQL('ALTER TABLE shop_item ADD COLUMN b integer DEFAULT double(2)',
            'ALTER TABLE shop_item DROP COLUMN b')""",
    )
    migrate(target, "shop", "0001")
    if not postgresql_binaries.programs("pg_dump"):
        pytest.skip("postgresql: no pg_dump here")
    with connections[target].cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION double(a integer) RETURNS integer LANGUAGE sql IMMUTABLE"
            " BEGIN ATOMIC SELECT a * 2; END"
        )
        cursor.execute('CREATE VIEW "odd; view" AS SELECT \'a;b\'::text AS "c;d"')
    found = rehearsed(target, "shop")
    assert found.schema_from == postgresql_dump.WORDS
    assert found.worked, found


def test_a_migration_that_works_on_real_rows_alone_fails_and_says_that_rows_are_made_up(
    target: str, shop: MadeUpApp
) -> None:
    asks = "migrations.RunSQL('SELECT 1 / (SELECT count(*) FROM shop_tag WHERE word = $$x$$)', '')"
    write(shop, STEP, asks, STEP.replace("'a'", "'b'"))
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    first, second, third = found.steps
    assert (first.outcome, third.outcome) == (Outcome.WORKS, Outcome.UNKNOWN)
    assert second.error == "division by zero"
    assert second.outcome is Outcome.UNKNOWN or second.outcome is Outcome.FAILS
    assert "SELECT 1 / " in second.error_statement
    assert first.undo is Outcome.WORKS
    merged = made.rehearsed(found)
    assert {"rehearsal_fails", "rows_decide"} & codes(merged.steps[1].findings)
    # What was measured before it is kept, and what comes after it stays predicted.
    assert merged.steps[0].findings[0].evidence is Evidence.MEASURED
    assert merged.steps[2].findings[0].evidence is Evidence.PREDICTED


def test_a_migration_that_cannot_run_is_dangerous(target: str, shop: MadeUpApp) -> None:
    write(shop, "migrations.RunSQL('ALTER TABLE shop_nothing ADD COLUMN a integer', '')")
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    assert found.steps[0].outcome is Outcome.FAILS
    assert 'relation "shop_nothing" does not exist' in found.steps[0].error
    (failed,) = (f for f in made.rehearsed(found).steps[0].findings if f.code == "rehearsal_fails")
    assert (failed.level, failed.evidence) == (Risk.DANGEROUS, Evidence.MEASURED)


def test_a_column_that_demands_a_value_fails_as_soon_as_there_are_rows(
    target: str, shop: MadeUpApp
) -> None:
    write(shop, "migrations.RunSQL('ALTER TABLE shop_item ADD COLUMN z integer NOT NULL', '')")
    migrate(target, "shop", "0001")
    (step,) = rehearsed(target, "shop").steps
    assert step.outcome is Outcome.FAILS
    assert step.because == "It fails as soon as there are rows; without any it works."
    assert step.complete


def test_python_is_left_out_and_what_rests_on_it_is_unknown(target: str, shop: MadeUpApp) -> None:
    fill = "migrations.RunPython(fill, migrations.RunPython.noop)"
    head = """
def fill(apps, schema_editor):
    apps.get_model('shop', 'Item').objects.filter(may=None).update(may=1)
"""
    write(shop, fill, "migrations.AlterField('Item', 'may', models.IntegerField())", head=head)
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    first, second = found.steps
    assert first.skipped == ("Python was left out: fill.",)
    assert second.outcome is Outcome.UNKNOWN
    assert "Python that was left out" in second.because
    assert "rehearsal_fails" not in codes(found.findings[1])
    assert "rows_decide" in codes(found.findings[1])
    assert "opaque_python" in codes(made.rehearsed(found).steps[0].findings)


def test_a_migrations_own_apply_is_python_too_and_left_out(
    target: str, shop: MadeUpApp, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    write(shop, STEP)
    migrate(target, "shop", "0001")
    file = shop.migrations / "0002_step.py"
    file.write_text(
        file.read_text()
        + f"""
    def apply(self, project_state, schema_editor, collect_sql=False):
        import pathlib
        pathlib.Path({str(trace)!r}).touch()
        return super().apply(project_state, schema_editor, collect_sql)
"""
    )
    (step,) = rehearsed(target, "shop").steps
    assert not trace.exists()
    assert step.outcome is Outcome.WORKS
    assert step.skipped == ("Python was left out: apply() of the migration's own.",)


LOST = "DO $x$ BEGIN EXECUTE 'SELECT pg_terminate_' || 'backend(pg_backend_pid())'; END $x$"
FULL = "DO $x$ BEGIN RAISE EXCEPTION 'No space left' USING ERRCODE = '53100'; END $x$"
POOR = "DO $x$ BEGIN RAISE EXCEPTION 'must be superuser' USING ERRCODE = '42501'; END $x$"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (LOST, "The connection to the database was lost."),
        (FULL, "The scratch database could not go on (No space left)"),
        (POOR, "It asks for rights that a rehearsal does not have (must be superuser)."),
    ],
)
def test_a_scratch_database_that_is_lost_full_or_poor_says_nothing_of_the_migration(
    target: str, shop: MadeUpApp, sql: str, words: str
) -> None:
    other = STEP.replace("'a'", "'b'")
    write(shop, STEP, "migrations.RunSQL(SQL, '')", other, head=f"SQL = {sql!r}\n")
    migrate(target, "shop", "0001")
    made, found = with_plan(target, "shop")
    first, second, third = found.steps
    assert (first.outcome, second.outcome) == (Outcome.WORKS, Outcome.UNKNOWN)
    assert words in second.because
    assert third.outcome is Outcome.UNKNOWN
    assert any(words in note for note in found.notes)
    merged = made.rehearsed(found)
    assert not {"rehearsal_fails", "rows_decide"} & codes(merged.all_findings)
    assert [step.risk for step in merged.steps[1:]] == [step.risk for step in made.steps[1:]]


def test_an_undo_that_loses_the_scratch_database_is_not_said_to_fail(
    target: str, shop: MadeUpApp
) -> None:
    write(shop, "migrations.RunSQL('SELECT 1', SQL)", head=f"SQL = {LOST!r}\n")
    migrate(target, "shop", "0001")
    (step,) = rehearsed(target, "shop").steps
    assert (step.outcome, step.undo) == (Outcome.WORKS, Outcome.UNKNOWN)
    assert "The connection to the database was lost." in step.undo_because


def test_python_runs_where_the_setting_says_so(target: str, shop: MadeUpApp, settings: Any) -> None:
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearse_python": True}
    head = """
def fill(apps, schema_editor):
    model = apps.get_model('shop', 'Item')
    assert model.objects.using(schema_editor.connection.alias).filter(may=None).update(may=1)
"""
    fill = "migrations.RunPython(fill, migrations.RunPython.noop)"
    write(shop, fill, "migrations.AlterField('Item', 'may', models.IntegerField())", head=head)
    migrate(target, "shop", "0001")
    first, second = rehearsed(target, "shop").steps
    assert first.skipped == ()
    assert (first.outcome, second.outcome) == (Outcome.WORKS, Outcome.WORKS)
    assert any("UPDATE" in one.sql for one in first.measured)
    assert (Deed.INSERT in {probe.deed for probe in second.breaks()}) is True


def test_it_is_given_up_when_the_time_is_up(
    target: str,
    shop: MadeUpApp,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No other test's rehearsal takes of its time.
    monkeypatch.setattr("bot.database.rehearsal.alone.lock_file", lambda: tmp_path / "lock")
    settings.MIGRATION_BOT = {**settings.MIGRATION_BOT, "rehearsal_timeout": 2.5}
    write(shop, STEP, "migrations.RunSQL('SELECT pg_sleep(30)', '')")
    migrate(target, "shop", "0001")
    found = rehearsed(target, "shop")
    assert found.milliseconds < 15_000
    assert found.because == ""
    assert any("given up after 2.5 s" in note for note in found.notes)
    assert found.steps[1].outcome is Outcome.UNKNOWN


def test_another_plan_than_the_one_that_was_asked_about_is_not_rehearsed(
    target: str, shop: MadeUpApp
) -> None:
    from bot.database.rehearsal.rehearse import rehearse

    write(shop, STEP)
    migrate(target, "shop", "0001")
    other = Basis(identity="another", steps=(), rests_on=())
    found = rehearse(target, Target(app="shop"), other, now=NOW)
    assert found.fingerprint == other.fingerprint
    assert found.because.startswith("The plan is not the one that was asked about.")
    assert found.steps == ()


def test_a_plan_with_nothing_to_do_is_not_rehearsed(target: str, shop: MadeUpApp) -> None:
    write(shop)
    migrate(target, "shop")
    assert rehearsed(target, "shop").because == "There is nothing to run."
